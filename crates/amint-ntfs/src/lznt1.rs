//! LZNT1, in which NTFS compresses ([MS-XCA] section 2.5).

/// Bytes of one chunk when unpacked.
const CHUNK_BYTES: usize = 4096;
/// Bit of a chunk's header: it is packed.
const IS_PACKED: u16 = 0x8000;
/// Bits of a chunk's header: its length less one.
const LENGTH: u16 = 0x0fff;

/// Unpacks into `unpacked`, the rest of which becomes zeros; none when the bytes make no sense.
pub(crate) fn unpack(packed: &[u8], unpacked: &mut [u8]) -> Option<()> {
    let mut rest = packed;
    for target in unpacked.chunks_mut(CHUNK_BYTES) {
        let header = match rest.split_first_chunk::<2>() {
            Some((header, behind)) => {
                rest = behind;
                u16::from_le_bytes(*header)
            }
            None => 0,
        };
        if header == 0 {
            // The end: whatever follows was zero. No chunk may come behind it.
            rest = &[];
            target.fill(0);
            continue;
        }
        let (chunk, behind) = rest.split_at_checked(usize::from(header & LENGTH) + 1)?;
        rest = behind;
        let done = if header & IS_PACKED == 0 {
            let length = chunk.len().min(target.len());
            target.get_mut(..length)?.copy_from_slice(chunk.get(..length)?);
            length
        } else {
            unpack_chunk(chunk, target)?
        };
        target.get_mut(done..)?.fill(0);
    }
    Some(())
}

/// Unpacks one chunk and returns how many bytes came.
fn unpack_chunk(mut packed: &[u8], target: &mut [u8]) -> Option<usize> {
    let mut done = 0;
    while let Some((flags, rest)) = packed.split_first() {
        packed = rest;
        for bit in 0..8 {
            if packed.is_empty() {
                return Some(done);
            }
            if flags >> bit & 1 == 0 {
                let (literal, rest) = packed.split_first()?;
                packed = rest;
                *target.get_mut(done)? = *literal;
                done += 1;
                continue;
            }
            let (pair, rest) = packed.split_first_chunk::<2>()?;
            packed = rest;
            let pair = u16::from_le_bytes(*pair);
            // The further the chunk, the more bits the distance has: 4 at first, 12 at last.
            let position = done.checked_sub(1)?;
            let distance_bits = (usize::BITS - position.leading_zeros()).clamp(4, 12);
            let length_bits = 16 - distance_bits;
            let distance = usize::from(pair >> length_bits) + 1;
            let length = usize::from(pair & ((1 << length_bits) - 1)) + 3;
            let from = done.checked_sub(distance)?;
            if done + length > target.len() {
                return None;
            }
            // Byte by byte: what is copied may reach into what is being written.
            for step in 0..length {
                let byte = *target.get(from + step)?;
                *target.get_mut(done + step)? = byte;
            }
            done += length;
        }
    }
    Some(done)
}

#[cfg(test)]
mod tests {
    use super::unpack;

    #[test]
    fn the_example_of_the_specification_unpacks() {
        // [MS-XCA] section 3.2.
        let packed = [
            0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2, 0x47, 0x01,
            0xa0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0, 0x45, 0x20, 0x05, 0x24,
            0x13, 0x88, 0x05, 0xb4, 0x02, 0x4a, 0x44, 0xef, 0x03, 0x58, 0x02, 0x8c, 0x09, 0x16, 0x01, 0x48,
            0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00, 0x04, 0x01, 0x18, 0x90, 0x00,
        ];
        let expected = b"F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D E F# \
                         G F# E D E A F# F# G A A G F# E D D E F# E D D\0";
        let mut unpacked = vec![1; 5000];
        unpack(&packed, &mut unpacked).unwrap();
        assert_eq!(&unpacked[..expected.len()], expected);
        assert!(unpacked[expected.len()..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn nonsense_is_refused() {
        let mut unpacked = [0; 4096];
        assert!(unpack(&[0xff, 0xbf, 1], &mut unpacked).is_none(), "cut off");
        assert!(unpack(&[0x02, 0xb0, 0x01, 0x00, 0x00], &mut unpacked).is_none(), "nothing to copy");
        assert!(unpack(&[0x03, 0xb0, 0x02, 0x41, 0xff, 0xff], &mut unpacked).is_none(), "too far back");
    }
}
