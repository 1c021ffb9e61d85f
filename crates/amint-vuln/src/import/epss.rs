//! EPSS scores (<https://www.first.org/epss/data_stats>): `cve,epss,percentile`, after a line with the model's date.

use std::io::{BufRead, Read as _};

use super::{ImportError, Sink};
use crate::record::Facts;

const LINE_BYTES_MAX: u64 = 4096;

pub(super) fn import(mut source: Box<dyn BufRead + '_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut line = Vec::new();
    let mut has_heading = false;
    loop {
        line.clear();
        let count = source.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if count == 0 {
            return if has_heading { Ok(()) } else { Err(ImportError::Form("it has no scores")) };
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        if !has_heading {
            if !text.starts_with("cve,epss") {
                return Err(ImportError::Form("its columns are not `cve,epss`"));
            }
            has_heading = true;
            continue;
        }
        let mut columns = text.split(',');
        let (Some(id), Some(score)) = (columns.next(), columns.next().and_then(millionths)) else {
            sink.skip();
            continue;
        };
        sink.facts(id, Facts { epss_millionths: Some(score), ..Facts::default() })?;
    }
}

/// Reads a number from 0 to 1 without rounding it through a float: `0.97212` is 972120.
fn millionths(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        // The smallest scores are written as powers: `9e-05`.
        let score: f64 = text.parse().ok()?;
        return if (0.0..=1.0).contains(&score) { millionths(&format!("{score:.6}")) } else { None };
    }
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
    let whole: u32 = whole.parse().ok()?;
    let score = whole.checked_mul(1_000_000)?.checked_add(digits.parse().ok()?)?;
    (score <= 1_000_000).then_some(score)
}

#[cfg(test)]
mod tests {
    use super::millionths;

    #[test]
    fn reads_scores_exactly() {
        assert_eq!(millionths("0.97212"), Some(972_120));
        assert_eq!(millionths("1.0"), Some(1_000_000));
        assert_eq!(millionths("9e-05"), Some(90));
        assert_eq!(millionths("1e-06"), Some(1));
        assert_eq!(millionths("1.5"), None);
        assert_eq!(millionths("x"), None);
    }
}
