//! All keywords looked for at once.
//!
//! An automaton over some 500 keywords takes one step per byte, each of which waits for the one before, and overlapping
//! keywords make it dear. Here each keyword is known by its rarest three bytes: one look into a bitmap of 8 KiB per byte
//! of content, none of which waits for another, and a comparison only where the bitmap says so. Case is folded by setting
//! one bit, which also folds some other bytes together; the comparison sorts that out.

/// Bits of the hash of three bytes.
const HASH_BITS: u32 = 16;
const BITMAP_WORDS: usize = 1 << (HASH_BITS - 6);
const FOLD: u32 = 0x0020_2020;
const THREE_BYTES: u32 = 0x00FF_FFFF;
/// Multiplier of Fibonacci hashing.
const SPREAD: u32 = 0x9E37_79B1;

/// Three bytes that are frequent although each of them is not.
const COMMON: [&[u8; 3]; 24] = [
    b"com", b"pat", b"lin", b"ver", b"mat", b"cur", b"mpl", b"git", b"mak", b"ell", b"pla", b"key", b"val",
    b"for", b"pre", b"pos", b"pub", b"typ", b"way", b"ack", b"ice", b"for", b"abl", b"ype",
];

/// The index over all keywords.
pub(crate) struct Keywords {
    bitmap: Box<[u64; BITMAP_WORDS]>,
    /// Keywords in the order of their hashes; `starts` tells where each hash begins.
    entries: Vec<Entry>,
    starts: Vec<u32>,
    /// Bytes of the longest keyword.
    bytes_max: usize,
}

struct Entry {
    /// Folded to lower case.
    word: Vec<u8>,
    /// Where in it the three bytes stand.
    at: usize,
    /// Whose keyword it is.
    kind: usize,
    hash: u32,
}

impl Keywords {
    /// Indexes `(keyword, kind)`; keywords of fewer than three bytes are not found.
    pub(crate) fn new<'a>(words: impl Iterator<Item = (&'a [u8], usize)>) -> Self {
        let mut entries: Vec<Entry> = words.filter_map(|(word, kind)| Entry::new(word, kind)).collect();
        entries.sort_by_key(|entry| (entry.hash, entry.kind));
        let hash_count = 1_usize << HASH_BITS;
        let mut bitmap = Box::new([0_u64; BITMAP_WORDS]);
        let mut starts = vec![0_u32; hash_count + 1];
        for entry in &entries {
            bitmap[entry.hash as usize / 64] |= 1 << (entry.hash % 64);
            starts[entry.hash as usize + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let bytes_max = entries.iter().map(|entry| entry.word.len()).max().unwrap_or(0);
        Self { bitmap, entries, starts, bytes_max }
    }

    /// Returns the bytes of the longest keyword.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Appends `(start, kind)` of each keyword that begins in `from..to` of `bytes` and ends inside `bytes`, sorted.
    pub(crate) fn find(&self, bytes: &[u8], from: usize, to: usize, found: &mut Vec<(usize, usize)>) {
        found.clear();
        let last = to.saturating_add(self.bytes_max).min(bytes.len());
        let Some(searched) = bytes.get(from..last) else { return };
        let mut base = from;
        // Eight places share one branch: nearly always none of them matters.
        let mut rest = searched;
        while let Some(ten) = rest.first_chunk::<10>() {
            let mut hits = self.hits_of_eight(ten);
            while hits != 0 {
                self.check(bytes, base + hits.trailing_zeros() as usize, (from, to), found);
                hits &= hits - 1;
            }
            base += 8;
            rest = rest.get(8..).unwrap_or_default();
        }
        for place in base..last {
            self.check(bytes, place, (from, to), found);
        }
        found.sort_unstable();
    }

    /// Returns a bit for each of eight places whose three bytes may be those of a keyword.
    #[inline]
    fn hits_of_eight(&self, bytes: &[u8; 10]) -> u64 {
        let low = bytes.first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight));
        let high = bytes.last_chunk().map_or(0, |eight| u64::from_le_bytes(*eight));
        let first =
            self.bit(low) | self.bit(low >> 8) << 1 | self.bit(low >> 16) << 2 | self.bit(low >> 24) << 3;
        let second = self.bit(low >> 32)
            | self.bit(low >> 40) << 1
            | self.bit(high >> 32) << 2
            | self.bit(high >> 40) << 3;
        first | second << 4
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the low three bytes are what is meant")]
    fn bit(&self, bytes: u64) -> u64 {
        let hash = hash_of(bytes as u32);
        self.bitmap[hash as usize / 64 % BITMAP_WORDS] >> (hash % 64) & 1
    }

    fn check(&self, bytes: &[u8], place: usize, (from, to): (usize, usize), found: &mut Vec<(usize, usize)>) {
        let Some(&[a, b, c]) = bytes.get(place..).and_then(|rest| rest.first_chunk::<3>()) else { return };
        let hash = hash_of(u32::from_le_bytes([a, b, c, 0])) as usize;
        let (Some(&first), Some(&end)) = (self.starts.get(hash), self.starts.get(hash + 1)) else { return };
        for entry in self.entries.get(first as usize..end as usize).unwrap_or_default() {
            let Some(start) = place.checked_sub(entry.at) else { continue };
            let Some(there) = bytes.get(start..start.saturating_add(entry.word.len())) else { continue };
            if (from..to).contains(&start) && there.eq_ignore_ascii_case(&entry.word) {
                found.push((start, entry.kind));
            }
        }
    }
}

impl Entry {
    fn new(word: &[u8], kind: usize) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let rarity = |three: &[u8]| {
            let sum: u32 = three.iter().map(|byte| u32::from(rarity(*byte))).sum();
            if COMMON.iter().any(|common| common.as_slice() == three) { sum / 2 } else { sum }
        };
        // Of equally rare ones the first, so that the choice is the same in each run.
        let at = (0..word.len().checked_sub(2)?).rev().max_by_key(|at| word.get(*at..at + 3).map(rarity))?;
        let &[a, b, c] = word.get(at..)?.first_chunk::<3>()?;
        Some(Self { at, kind, hash: hash_of(u32::from_le_bytes([a, b, c, 0])), word })
    }
}

#[inline]
fn hash_of(three: u32) -> u32 {
    ((three & THREE_BYTES) | FOLD).wrapping_mul(SPREAD) >> (32 - HASH_BITS)
}

/// How seldom a byte is in text and programs, roughly.
fn rarity(byte: u8) -> u8 {
    match byte {
        0 | b' ' | 0xFF => 0,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 2,
        b'h' | b'l' | b'd' | b'c' | b'u' | b'm' | b'-' | b'=' | b'.' | b'/' => 4,
        b'p' | b'f' | b'g' | b'w' | b'y' | b'b' | b'_' | 1..=16 => 6,
        b'v' | b'k' | b'0'..=b'9' | b':' | b'"' => 7,
        _ => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(words: &[&str], text: &str) -> Vec<(usize, usize)> {
        let keywords = Keywords::new(words.iter().enumerate().map(|(kind, word)| (word.as_bytes(), kind)));
        let mut found = Vec::new();
        keywords.find(text.as_bytes(), 0, text.len(), &mut found);
        found
    }

    #[test]
    fn finds_overlapping_words_in_any_case() {
        let words = ["token", "ok_", "to"];
        assert_eq!(find(&words, "a TOKen, tok_"), [(2, 0), (10, 1)]);
    }

    #[test]
    fn finds_words_at_every_place() {
        for length in 0..40 {
            let text = format!("{}zqx{}", ".".repeat(length), ".".repeat(40 - length));
            assert_eq!(find(&["zqx"], &text), [(length, 0)]);
            let text = format!("{}zqx", ".".repeat(length));
            assert_eq!(find(&["zqx"], &text), [(length, 0)]);
        }
    }

    #[test]
    fn finds_only_what_begins_in_the_range() {
        let keywords = Keywords::new([(b"word".as_slice(), 0)].into_iter());
        let mut found = Vec::new();
        keywords.find(b"wordwordword", 1, 8, &mut found);
        assert_eq!(found, [(4, 0)]);
    }
}
