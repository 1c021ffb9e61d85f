//! A large file of a tree as a source that is read at any place.

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use amint_disk::tree::FileTree;
use amint_types::ReadAt;

/// How many times its own size may be read of a file: archives whose entries lie in wild order are hostile.
const READINGS_MAX: u64 = 16;

/// A file that is opened again where reading goes back.
pub(crate) struct TreeSource<'a> {
    tree: &'a dyn FileTree,
    path: &'a Path,
    bytes: u64,
    state: Mutex<State<'a>>,
}

struct State<'a> {
    reader: Option<Box<dyn Read + Send + 'a>>,
    at: u64,
    read_bytes: u64,
}

impl<'a> TreeSource<'a> {
    /// Takes a file of a size.
    pub(crate) fn open(tree: &'a dyn FileTree, path: &'a Path, bytes: u64) -> Self {
        Self { tree, path, bytes, state: Mutex::new(State { reader: None, at: 0, read_bytes: 0 }) }
    }
}

impl ReadAt for TreeSource<'_> {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if offset.saturating_add(buffer.len() as u64) > self.bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if state.reader.is_none() || state.at > offset {
            state.reader = Some(self.tree.open(self.path).map_err(io::Error::other)?);
            state.at = 0;
        }
        let passed = offset - state.at;
        state.read_bytes = state.read_bytes.saturating_add(passed).saturating_add(buffer.len() as u64);
        if state.read_bytes > self.bytes.saturating_mul(READINGS_MAX) {
            return Err(io::Error::other("its parts lie in too wild an order"));
        }
        let Some(reader) = state.reader.as_mut() else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        let result =
            io::copy(&mut reader.take(passed), &mut io::sink()).and_then(|_| reader.read_exact(buffer));
        state.at = offset + buffer.len() as u64;
        if result.is_err() {
            state.reader = None;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn a_file_is_read_at_any_place_and_not_without_end() {
        let fixture = Fixture::new().file("/a", "0123456789");
        let tree = fixture.tree();
        let source = TreeSource::open(&tree, Path::new("/a"), 10);
        let mut two = [0; 2];
        for (offset, expected) in [(4, b"45"), (2, b"23"), (8, b"89")] {
            source.read_exact_at(offset, &mut two).unwrap();
            assert_eq!(&two, expected);
        }
        assert!(source.read_exact_at(9, &mut two).is_err());
        let readings = (0..100).take_while(|_| source.read_exact_at(8, &mut two).is_ok()).count();
        assert!((1..100).contains(&readings), "{readings}");
    }
}
