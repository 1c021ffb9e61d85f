//! Telling zero bytes from others.

/// Bytes compared at once.
const STRIDE_BYTES: usize = 4096;

static ZEROS: [u8; STRIDE_BYTES] = [0; STRIDE_BYTES];

/// Tells whether all of `bytes` are zero.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    // Comparing slices compiles to memcmp, which is fast even without optimisation.
    bytes.chunks(STRIDE_BYTES).all(|chunk| chunk == &ZEROS[..chunk.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_one_set_bit_wherever_it_is() {
        let mut bytes = vec![0; 3 * STRIDE_BYTES + 17];
        assert!(is_zero(&bytes));
        assert!(is_zero(&[]));
        for position in [0, 1, STRIDE_BYTES - 1, STRIDE_BYTES, 3 * STRIDE_BYTES + 16] {
            bytes[position] = 1;
            assert!(!is_zero(&bytes), "byte {position}");
            bytes[position] = 0;
        }
    }
}
