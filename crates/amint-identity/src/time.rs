//! Times of documents (RFC 3339, UTC) and of certificates (X.690 11.7, 11.8).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads the `YYYY-MM-DDThh:mm:ssZ` of documents; fractions of a second are allowed and dropped.
pub(crate) fn rfc3339(text: &str) -> Option<SystemTime> {
    let body = text.strip_suffix('Z')?;
    let (body, fraction) = body.split_once('.').unwrap_or((body, "0"));
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let bytes = body.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if bytes.len() != 19 || separators.iter().any(|(at, separator)| bytes.get(*at) != Some(separator)) {
        return None;
    }
    let field = |from: usize, to: usize| number(bytes.get(from..to)?);
    instant(field(0, 4)?, field(5, 7)?, field(8, 10)?, [field(11, 13)?, field(14, 16)?, field(17, 19)?])
}

/// Reads the `YYMMDDhhmmssZ` of certificates; the years are 1950 to 2049.
pub(crate) fn utc_time(content: &[u8]) -> Option<SystemTime> {
    let year = number(content.get(..2)?)?;
    let century = if year < 50 { 2000 } else { 1900 };
    compact(century + year, content.get(2..)?)
}

/// Reads the `YYYYMMDDhhmmssZ` of certificates.
pub(crate) fn generalized_time(content: &[u8]) -> Option<SystemTime> {
    compact(number(content.get(..4)?)?, content.get(4..)?)
}

fn compact(year: u64, rest: &[u8]) -> Option<SystemTime> {
    let digits = rest.strip_suffix(b"Z")?;
    if digits.len() != 10 {
        return None;
    }
    let field = |from: usize| number(digits.get(from..from + 2)?);
    instant(year, field(0)?, field(2)?, [field(4)?, field(6)?, field(8)?])
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number: u64, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
    })
}

/// Counts the seconds since 1970 of a time of the Gregorian calendar.
fn instant(year: u64, month: u64, day: u64, [hour, minute, second]: [u64; 3]) -> Option<SystemTime> {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let month_days = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month_at = usize::try_from(month).ok()?.checked_sub(1)?;
    let days_max = *month_days.get(month_at)?;
    if !(1970..10_000).contains(&year)
        || day == 0
        || day > days_max
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let past = year - 1;
    // Leap days from the year 1 on, less those before 1970.
    let leap_days = past / 4 - past / 100 + past / 400 - 477;
    let days = (year - 1970) * 365 + leap_days + month_days.iter().take(month_at).sum::<u64>() + day - 1;
    UNIX_EPOCH.checked_add(Duration::from_secs(days * 86_400 + hour * 3600 + minute * 60 + second))
}

/// Writes a time as certificates and messages do (`YYMMDDhhmmssZ`); `None` before 1970 and from 2050 on.
#[cfg(feature = "local-keys")]
pub(crate) fn to_utc_time(time: SystemTime) -> Option<String> {
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    // Fewer than 30,000 days lie in the range: a search is enough.
    let (mut year, mut days) = (1970, seconds / 86_400);
    loop {
        let next = instant(year + 1, 1, 1, [0; 3])?.duration_since(UNIX_EPOCH).ok()?.as_secs() / 86_400;
        if days < next || year > 2049 {
            break;
        }
        year += 1;
    }
    let day_of =
        |month| Some(instant(year, month, 1, [0; 3])?.duration_since(UNIX_EPOCH).ok()?.as_secs() / 86_400);
    let month = (1..=12).rev().find(|month| day_of(*month).is_some_and(|first| first <= days))?;
    days = days - day_of(month)? + 1;
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    (year < 2050).then(|| format!("{:02}{month:02}{days:02}{hour:02}{minute:02}{second:02}Z", year % 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(time: SystemTime) -> u64 {
        time.duration_since(UNIX_EPOCH).unwrap().as_secs()
    }

    #[test]
    fn counts_seconds_as_date_does() {
        // `date -u -d TIME +%s`
        assert_eq!(seconds(rfc3339("1970-01-01T00:00:00Z").unwrap()), 0);
        assert_eq!(seconds(rfc3339("2000-02-29T23:59:59Z").unwrap()), 951_868_799);
        assert_eq!(seconds(rfc3339("2021-09-03T21:25:44.123Z").unwrap()), 1_630_704_344);
        assert_eq!(seconds(utc_time(b"491231235959Z").unwrap()), 2_524_607_999);
        assert_eq!(seconds(generalized_time(b"21950117090132Z").unwrap()), 7_101_766_892);
    }

    #[cfg(feature = "local-keys")]
    #[test]
    fn writes_what_it_reads() {
        for text in ["700101000000Z", "000229235959Z", "210903212544Z", "491231235959Z", "260301120000Z"] {
            assert_eq!(to_utc_time(utc_time(text.as_bytes()).unwrap()).unwrap(), text);
        }
        assert_eq!(to_utc_time(rfc3339("2050-01-01T00:00:00Z").unwrap()), None);
    }

    #[test]
    fn refuses_times_that_are_none() {
        for text in [
            "",
            "2021-02-29T00:00:00Z",
            "2021-13-01T00:00:00Z",
            "2021-01-01T24:00:00Z",
            "2021-01-01 00:00:00Z",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
        for text in [
            "2021-01-01T00:00:00",
            "2021-01-01T00:00:00+01:00",
            "2021-01-01T00:00:00.Z",
            "+021-01-01T00:00:00Z",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
        assert_eq!(utc_time(b"4912312359Z"), None);
        assert_eq!(generalized_time("é".as_bytes()), None);
    }
}
