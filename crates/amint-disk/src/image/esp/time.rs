//! Time stamps of FAT.

/// A date and a time as FAT keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DosTime {
    pub(super) date: u16,
    /// Time in steps of two seconds.
    pub(super) time: u16,
    /// Hundredths of a second missing from `time`.
    pub(super) hundredths: u8,
}

/// Turns seconds since 1970 into a time stamp (UTC), at the nearest time that FAT can tell (1980 to 2107).
pub(super) fn dos_time(epoch: i64) -> DosTime {
    const FIRST: i64 = 315_532_800; // 1980-01-01T00:00:00Z
    const LAST: i64 = 4_354_819_199; // 2107-12-31T23:59:59Z
    let timestamp = jiff::Timestamp::from_second(epoch.clamp(FIRST, LAST)).expect("within 1980 and 2107");
    let time = jiff::tz::Offset::UTC.to_datetime(timestamp);
    let part = |number: i16| u16::try_from(number).expect("no part of a date after 1980 is negative");
    let second = part(time.second().into());
    DosTime {
        date: ((part(time.year()) - 1980) << 9) | (part(time.month().into()) << 5) | part(time.day().into()),
        time: (part(time.hour().into()) << 11) | (part(time.minute().into()) << 5) | (second / 2),
        hundredths: if second % 2 == 1 { 100 } else { 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: u16, month: u16, day: u16) -> u16 {
        (year - 1980) * 512 + month * 32 + day
    }

    fn time(hour: u16, minute: u16, second: u16) -> u16 {
        hour * 2048 + minute * 32 + second / 2
    }

    #[test]
    fn clamps_to_what_fat_can_tell() {
        assert_eq!(dos_time(0), DosTime { date: date(1980, 1, 1), time: 0, hundredths: 0 });
        let last = DosTime { date: date(2107, 12, 31), time: time(23, 59, 59), hundredths: 100 };
        assert_eq!(dos_time(i64::MAX), last);
        let known = DosTime { date: date(2023, 11, 14), time: time(22, 13, 21), hundredths: 100 };
        assert_eq!(dos_time(1_700_000_001), known);
    }
}
