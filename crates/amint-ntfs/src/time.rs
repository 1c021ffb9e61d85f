//! Times of NTFS: units of 100 ns since 1601, in UTC ([MS-DTYP] section 2.3.3).

/// Units in a second.
const UNITS: i64 = 10_000_000;
/// Seconds from 1601 to 1970.
const EPOCH_SECONDS: i64 = 11_644_473_600;

/// Returns seconds since 1970 and nanoseconds.
pub(crate) fn unix(time: u64) -> (i64, u32) {
    let time = i64::try_from(time).unwrap_or(i64::MAX);
    let nanoseconds = u32::try_from(time % UNITS * 100).unwrap_or_default();
    (time / UNITS - EPOCH_SECONDS, nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::unix;

    #[test]
    fn times_count_from_1601() {
        assert_eq!(unix(0), (-11_644_473_600, 0));
        assert_eq!(unix(116_444_736_000_000_001), (0, 100));
    }
}
