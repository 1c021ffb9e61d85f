//! Debian's lists of packages whose security support ended or is limited (package `debian-security-support`).
//!
//! Columns are split by white space. Ended: source, last supported version, day, text. Limited: source or a pattern
//! with `.*` at its end, text.

use std::io::{BufRead, Read as _};

use super::{ImportError, Sink};
use crate::ecosystem::Ecosystem;
use crate::record::SupportNote;

const LIST_BYTES_MAX: u64 = 4 * 1024 * 1024;

pub(super) fn import(
    ecosystem: &Ecosystem,
    has_ended: bool,
    source: Box<dyn BufRead + '_>,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    let mut bytes = Vec::new();
    source.take(LIST_BYTES_MAX).read_to_end(&mut bytes)?;
    for line in String::from_utf8_lossy(&bytes).lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.splitn(if has_ended { 4 } else { 2 }, char::is_whitespace);
        let package = words.next().unwrap_or_default().to_owned();
        let rest: Vec<&str> = words.collect();
        let note = if has_ended {
            let line: Vec<&str> = line.split_whitespace().collect();
            let word = |index: usize| line.get(index).map(|word| (*word).to_owned());
            let text = line.get(3..).unwrap_or_default().join(" ");
            SupportNote { package, has_ended, last_version: word(1), date: word(2), text }
        } else {
            SupportNote { package, has_ended, last_version: None, date: None, text: rest.join(" ") }
        };
        sink.support(ecosystem, note)?;
    }
    sink.ecosystems.insert(ecosystem.to_string());
    Ok(())
}
