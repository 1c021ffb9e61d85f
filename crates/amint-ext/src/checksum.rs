//! CRC-32C as ext4 and jbd2 use it, seeded and without the final inversion; CRC-16 of older group descriptors.

/// Continues a checksum over more bytes.
pub(crate) fn extend(seed: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!seed, bytes)
}

/// Starts a checksum.
pub(crate) fn of(bytes: &[u8]) -> u32 {
    extend(!0, bytes)
}

/// Continues a checksum over `bytes`, with zeros in place of the `hole_bytes` from `hole` on: where it is kept itself.
pub(crate) fn extend_around(seed: u32, bytes: &[u8], hole: usize, hole_bytes: usize) -> u32 {
    let (head, tail) = bytes.split_at(hole.min(bytes.len()));
    let (inside, tail) = tail.split_at(hole_bytes.min(tail.len()));
    let mut sum = extend(seed, head);
    for _ in inside {
        sum = extend(sum, &[0]);
    }
    extend(sum, tail)
}

/// Continues the CRC-16 (polynomial 0x8005, reflected) of the feature `gdt_csum`; it begins with `!0`.
pub(crate) fn extend_16(seed: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(seed, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ 0xA001 })
    })
}

/// Continues the CRC-32 with the most significant bit first (polynomial 0x04C11DB7) of older journals.
pub(crate) fn extend_32_big(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(seed, |sum, byte| {
        let [high, ..] = sum.to_be_bytes();
        sum << 8 ^ TABLE_32_BIG[usize::from(high ^ byte)]
    })
}

/// The CRC-32 of each byte.
const TABLE_32_BIG: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte: u32 = 0;
    while byte < 256 {
        let mut sum = byte << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum >> 31 == 0 { sum << 1 } else { sum << 1 ^ 0x04C1_1DB7 };
            bit += 1;
        }
        table[byte as usize] = sum;
        byte += 1;
    }
    table
};

/// Tells whether `sum` is what is kept in two halves, of which the upper may lack.
pub(crate) fn fits_halves(sum: u32, low: u16, high: Option<u16>) -> bool {
    match high {
        Some(high) => sum == u32::from(low) | u32::from(high) << 16,
        None => sum & 0xFFFF == u32::from(low),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_checksums_are_the_inverse_of_the_standard_ones() {
        assert_eq!(!of(b"123456789"), 0xE306_9283);
        assert_eq!(extend(of(b"1234"), b"56789"), of(b"123456789"));
        assert_eq!(extend_around(!0, b"12xx56", 2, 2), of(&[b'1', b'2', 0, 0, b'5', b'6']));
    }

    #[test]
    fn checksums_of_older_formats_are_the_known_ones() {
        assert_eq!(extend_16(!0, b"123456789"), 0x4B37);
        // CRC-32/MPEG-2.
        assert_eq!(extend_32_big(!0, b"123456789"), 0x0376_E6E7);
    }
}
