//! Sizes and durations as people read them.

use std::time::Duration;

/// Bytes in a KiB.
pub const KIB: u64 = 1024;
/// Bytes in a MiB.
pub const MIB: u64 = 1024 * KIB;
/// Bytes in a GiB.
pub const GIB: u64 = 1024 * MIB;
/// Bytes of one block of an EBS snapshot (EBS direct APIs, `BlockSize` 524288), and of the store.
pub const BLOCK_BYTES: u64 = 512 * KIB;

/// Writes a number of bytes with a binary unit and at most one decimal: `580.4 MiB`.
pub fn format_bytes(bytes: u64) -> String {
    let (unit_bytes, unit) = match bytes {
        0..KIB => return format!("{bytes} B"),
        KIB..MIB => (KIB, "KiB"),
        MIB..GIB => (MIB, "MiB"),
        _ => (GIB, "GiB"),
    };
    let tenths = u128::from(bytes) * 10 / u128::from(unit_bytes);
    if tenths % 10 == 0 {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// Writes a duration as people read it: `0.4 s`, `41 s`, `3 min 5 s`.
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let seconds = duration.as_secs();
    if millis < 10_000 {
        format!("{}.{} s", millis / 1000, millis % 1000 / 100)
    } else if seconds < 60 {
        format!("{seconds} s")
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_sizes_with_binary_units() {
        assert_eq!(format_bytes(0), "0 B");
        assert_eq!(format_bytes(1023), "1023 B");
        assert_eq!(format_bytes(1536), "1.5 KiB");
        assert_eq!(format_bytes(2 * GIB), "2 GiB");
        assert_eq!(format_bytes(u64::MAX), "17179869183.9 GiB");
    }

    #[test]
    fn writes_durations_in_fitting_units() {
        assert_eq!(format_duration(Duration::from_millis(450)), "0.4 s");
        assert_eq!(format_duration(Duration::from_millis(41_900)), "41 s");
        assert_eq!(format_duration(Duration::from_secs(185)), "3 min 5 s");
    }
}
