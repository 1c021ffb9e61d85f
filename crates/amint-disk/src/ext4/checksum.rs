//! CRC-32C as ext4 uses it: seeded, and without the final inversion.

/// Continues a checksum over more bytes.
pub(super) fn extend(seed: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!seed, bytes)
}

/// Starts a checksum.
pub(super) fn of(bytes: &[u8]) -> u32 {
    extend(!0, bytes)
}

/// Returns the seed of everything that belongs to one inode; our inodes are all of generation 0.
pub(super) fn inode_seed(file_system_seed: u32, inode: u32) -> u32 {
    let seed = extend(file_system_seed, &inode.to_le_bytes());
    extend(seed, &0_u32.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finished_checksum_is_the_inverse_of_the_standard_one() {
        assert_eq!(!of(b"123456789"), 0xE306_9283);
        assert_eq!(extend(of(b"1234"), b"56789"), of(b"123456789"));
    }
}
