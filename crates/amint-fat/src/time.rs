//! Days and times of FAT, taken as UTC.

/// Returns seconds since 1970 of a day and a time of the disk (specification, "Date and Time Formats").
///
/// Months and days of zero, which formatters leave behind, count as one.
pub(crate) fn seconds(date: u16, time: u16) -> i64 {
    let (year, month, day) =
        (1980 + i64::from(date >> 9), i64::from(date >> 5 & 0xf), i64::from(date & 0x1f));
    let (hour, minute, second) =
        (i64::from(time >> 11), i64::from(time >> 5 & 0x3f), i64::from(time & 0x1f) * 2);
    days(year, month.clamp(1, 12), day.max(1)) * 86_400 + hour * 3600 + minute * 60 + second
}

/// Returns days since 1970 of a day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::{days, seconds};

    #[test]
    fn days_and_times_are_those_of_the_calendar() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 2, 29), 11_016);
        assert_eq!(days(2100, 3, 1), 47_541);
        assert_eq!(seconds(0, 0), 315_532_800);
        // 2024-06-15 12:34:56, in units of two seconds.
        let date = (44 << 9) | (6 << 5) | 15;
        assert_eq!(seconds(date, 0x645c), 1_718_454_896);
    }
}
