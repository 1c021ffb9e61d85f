//! The hash of names in directory hash trees (`half_md4`, signed characters).
//!
//! Rules: `fs/ext4/hash.c` of the kernel. The signed form is what `mke2fs` chooses on x86.

/// Value that the kernel uses for the end of a directory and so never for a name.
const END_OF_DIRECTORY: u32 = 0x7fff_ffff << 1;

const ROUND_2: u32 = 0x5a82_7999;
const ROUND_3: u32 = 0x6ed9_eba1;
const MD4_START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// Seed of the hash, as it stands in the superblock.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashSeed([u32; 4]);

impl HashSeed {
    /// Reads the seed as the kernel does: four little-endian words, all zero meaning MD4's own start.
    pub(super) fn new(seed: uuid::Uuid) -> Self {
        if seed.is_nil() {
            return Self(MD4_START);
        }
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(seed.as_bytes().chunks_exact(4)) {
            *word = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        }
        Self(words)
    }

    /// Returns the major and the minor hash of a name.
    pub(super) fn hash(self, name: &[u8]) -> (u32, u32) {
        let mut state = self.0;
        let mut rest = name;
        while !rest.is_empty() {
            transform(&mut state, &pack(rest));
            rest = rest.get(32..).unwrap_or_default();
        }
        let major = state[1] & !1;
        (if major == END_OF_DIRECTORY { (0x7fff_ffff - 1) << 1 } else { major }, state[2])
    }
}

/// Packs up to 32 characters into words, padded with the length of all that is left.
fn pack(rest: &[u8]) -> [u32; 8] {
    let [length, ..] = rest.len().to_le_bytes();
    let padding = u32::from_le_bytes([length; 4]);
    let mut words = [padding; 8];
    for (word, characters) in words.iter_mut().zip(rest.chunks(4)) {
        *word = characters.iter().fold(padding, |value, character| {
            i32::from(character.cast_signed()).cast_unsigned().wrapping_add(value << 8)
        });
    }
    words
}

fn transform(state: &mut [u32; 4], words: &[u32; 8]) {
    let choose = |x: u32, y: u32, z: u32| z ^ (x & (y ^ z));
    let majority = |x: u32, y: u32, z: u32| (x & y).wrapping_add((x ^ y) & z);
    let parity = |x: u32, y: u32, z: u32| x ^ y ^ z;
    let mut s = *state;
    round(&mut s, choose, words, [0, 1, 2, 3, 4, 5, 6, 7], 0, [3, 7, 11, 19]);
    round(&mut s, majority, words, [1, 3, 5, 7, 0, 2, 4, 6], ROUND_2, [3, 5, 9, 13]);
    round(&mut s, parity, words, [3, 7, 2, 6, 1, 5, 0, 4], ROUND_3, [3, 9, 11, 15]);
    for (old, new) in state.iter_mut().zip(s) {
        *old = old.wrapping_add(new);
    }
}

fn round(
    state: &mut [u32; 4],
    mix: impl Fn(u32, u32, u32) -> u32,
    words: &[u32; 8],
    order: [usize; 8],
    constant: u32,
    shifts: [u32; 4],
) {
    for (step, word) in order.into_iter().enumerate() {
        // MD4 turns the four registers by one in each step: a, d, c, b.
        let target = (4 - step % 4) % 4;
        let [x, y, z] = [1, 2, 3].map(|distance| state[(target + distance) % 4]);
        state[target] = state[target]
            .wrapping_add(mix(x, y, z))
            .wrapping_add(words[word])
            .wrapping_add(constant)
            .rotate_left(shifts[step % 4]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_debugfs() {
        let long = b"a-name-that-is-longer-than-thirty-two-characters".as_slice();
        let unseeded = HashSeed::new(uuid::Uuid::nil());
        assert_eq!(unseeded.hash(b"a"), (0xd5fa_7d7a, 0xacb4_8187));
        assert_eq!(unseeded.hash(long), (0x731d_d86e, 0x9a16_c917));
        let seeded = HashSeed::new("23b26b7f-a95a-4dd8-98e5-fc7dd27fa73b".parse().unwrap());
        assert_eq!(seeded.hash(b"hello"), (0xa86d_925a, 0xe872_d4db));
        assert_eq!(seeded.hash(long), (0x4df1_8c26, 0x3092_b8b3));
    }
}
