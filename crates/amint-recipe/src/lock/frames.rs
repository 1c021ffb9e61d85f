//! A digest over several fields, which no other fields share.

use amint_types::{Digest, DigestWriter};

/// Computes a digest over fields, each preceded by its length: `ab`, `c` and `a`, `bc` differ.
pub(super) struct Frames(DigestWriter);

impl Frames {
    /// Starts with what the digest is about, and the version of its form.
    pub(super) fn new(title: &str) -> Self {
        Self(DigestWriter::new()).with(title.as_bytes())
    }

    /// Adds a field.
    pub(super) fn add(&mut self, field: &[u8]) {
        self.0.update(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_le_bytes());
        self.0.update(field);
    }

    /// Adds the name of a list, the number of its items and each of them.
    pub(super) fn add_list<'f>(&mut self, name: &str, items: impl ExactSizeIterator<Item = &'f str>) {
        self.add(name.as_bytes());
        self.0.update(&u64::try_from(items.len()).unwrap_or(u64::MAX).to_le_bytes());
        items.for_each(|item| self.add(item.as_bytes()));
    }

    pub(super) fn finish(self) -> Digest {
        self.0.finish()
    }

    fn with(mut self, field: &[u8]) -> Self {
        self.add(field);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_apart_where_fields_begin() {
        let digest = |fields: &[&str]| {
            let mut frames = Frames::new("test 1");
            for field in fields {
                frames.add(field.as_bytes());
            }
            frames.finish()
        };
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["ab"]), digest(&["ab", ""]));
    }
}
