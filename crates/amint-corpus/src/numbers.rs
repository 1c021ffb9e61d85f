//! Numbers that look random and are always the same.

/// Numbers that look random and are always the same for the same seed: `SplitMix64`, begun with FNV-1a of the seed.
pub(crate) struct Numbers {
    state: u64,
}

impl Numbers {
    /// Begins with a seed.
    pub(crate) fn new(seed: &str) -> Self {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self { state: seed.bytes().fold(0xcbf2_9ce4_8422_2325, mix) }
    }

    /// Returns the next number below `limit`; nought when the limit is.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mixed = mixed ^ (mixed >> 31);
        mixed.checked_rem(limit as u64).and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
    }
}
