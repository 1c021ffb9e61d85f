//! Sections and segments of ELF files (System V ABI, "Object Files").

use amint_types::ReadAt;

use crate::LanguageError;

/// How many headers are read.
const HEADERS_MAX: u64 = 4096;
/// The largest table of names.
const NAMES_BYTES_MAX: u64 = 1 << 20;

/// Where something lies in a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: Vec<u8>,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// A piece of the file that is loaded into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) address: u64,
    pub(crate) offset: u64,
    pub(crate) file_bytes: u64,
    pub(crate) is_writable: bool,
}

/// An ELF file, as far as its headers go.
pub(crate) struct Elf<'a> {
    content: &'a dyn ReadAt,
    is_64: bool,
    is_big: bool,
    header: [u8; 64],
}

impl<'a> Elf<'a> {
    /// Looks at the header; none for what is no ELF file.
    pub(crate) fn open(content: &'a dyn ReadAt) -> Result<Option<Self>, LanguageError> {
        let mut header = [0; 64];
        if content.size_bytes() < 64 {
            return Ok(None);
        }
        content.read_exact_at(0, &mut header)?;
        let is_elf =
            header.starts_with(b"\x7fELF") && matches!(header[4], 1 | 2) && matches!(header[5], 1 | 2);
        Ok(is_elf.then_some(Self { content, is_64: header[4] == 2, is_big: header[5] == 2, header }))
    }

    pub(crate) fn content(&self) -> &'a dyn ReadAt {
        self.content
    }

    /// A number of `width` bytes in the file's own order; zero beyond the end.
    pub(crate) fn number(&self, bytes: &[u8], at: usize, width: usize) -> u64 {
        number(bytes, at, width, self.is_big)
    }

    fn table(&self, offset: u64, entry_bytes: u64, count: u64) -> Result<Vec<Vec<u8>>, LanguageError> {
        let wanted = if self.is_64 { 32 } else { 20 };
        if count == 0 || offset == 0 || entry_bytes < wanted || entry_bytes > 256 || count > HEADERS_MAX {
            return Ok(Vec::new());
        }
        let bytes = entry_bytes * count;
        let fits = offset.checked_add(bytes).is_some_and(|end| end <= self.content.size_bytes());
        if !fits {
            return Err(LanguageError::malformed("program", &"its headers lie beyond its end"));
        }
        let mut table = vec![0; usize::try_from(bytes).unwrap_or(0)];
        self.content.read_exact_at(offset, &mut table)?;
        Ok(table.chunks_exact(usize::try_from(entry_bytes).unwrap_or(1)).map(<[u8]>::to_vec).collect())
    }

    /// Reads the sections that lie in the file.
    pub(crate) fn sections(&self) -> Result<Vec<Section>, LanguageError> {
        let field = |at64, width64, at32, width32| {
            if self.is_64 {
                self.number(&self.header, at64, width64)
            } else {
                self.number(&self.header, at32, width32)
            }
        };
        let table = self.table(field(40, 8, 32, 4), field(58, 2, 46, 2), field(60, 2, 48, 2))?;
        let place = |entry: &[u8]| {
            if self.is_64 {
                (self.number(entry, 24, 8), self.number(entry, 32, 8))
            } else {
                (self.number(entry, 16, 4), self.number(entry, 20, 4))
            }
        };
        let names_at = usize::try_from(field(62, 2, 50, 2)).unwrap_or(usize::MAX);
        let Some((offset, bytes)) = table.get(names_at).map(|entry| place(entry)) else {
            return Ok(Vec::new());
        };
        if bytes > NAMES_BYTES_MAX
            || offset.checked_add(bytes).is_none_or(|end| end > self.content.size_bytes())
        {
            return Ok(Vec::new());
        }
        let mut names = vec![0; usize::try_from(bytes).unwrap_or(0)];
        self.content.read_exact_at(offset, &mut names)?;
        // SHT_NOBITS: nothing of it is in the file.
        let in_file = table.iter().filter(|entry| self.number(entry, 4, 4) != 8);
        Ok(in_file
            .map(|entry| {
                let start = usize::try_from(self.number(entry, 0, 4)).unwrap_or(usize::MAX);
                let name = names.get(start..).unwrap_or_default();
                let name = name.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
                let (offset, bytes) = place(entry);
                Section { name, offset, bytes }
            })
            .collect())
    }

    /// Reads the segments that are loaded.
    pub(crate) fn segments(&self) -> Result<Vec<Segment>, LanguageError> {
        let field = |at64, width64, at32, width32| {
            if self.is_64 {
                self.number(&self.header, at64, width64)
            } else {
                self.number(&self.header, at32, width32)
            }
        };
        let table = self.table(field(32, 8, 28, 4), field(54, 2, 42, 2), field(56, 2, 44, 2))?;
        // PT_LOAD
        let loaded = table.iter().filter(|entry| self.number(entry, 0, 4) == 1);
        Ok(loaded
            .map(|entry| {
                let (offset, address, file_bytes, flags) = if self.is_64 {
                    (
                        self.number(entry, 8, 8),
                        self.number(entry, 16, 8),
                        self.number(entry, 32, 8),
                        self.number(entry, 4, 4),
                    )
                } else {
                    (
                        self.number(entry, 4, 4),
                        self.number(entry, 8, 4),
                        self.number(entry, 16, 4),
                        self.number(entry, 24, 4),
                    )
                };
                Segment { address, offset, file_bytes, is_writable: flags & 2 != 0 }
            })
            .collect())
    }

    /// Reads what is loaded at an address.
    pub(crate) fn at_address(&self, address: u64, bytes: usize) -> Result<Option<Vec<u8>>, LanguageError> {
        for segment in self.segments()? {
            let Some(within) = address.checked_sub(segment.address) else { continue };
            let fits = within.checked_add(bytes as u64).is_some_and(|end| end <= segment.file_bytes);
            if let (true, Some(offset)) = (fits, segment.offset.checked_add(within)) {
                let mut buffer = vec![0; bytes];
                self.content.read_exact_at(offset, &mut buffer)?;
                return Ok(Some(buffer));
            }
        }
        Ok(None)
    }
}

/// A number of at most eight bytes; zero beyond the end.
pub(crate) fn number(bytes: &[u8], at: usize, width: usize, is_big: bool) -> u64 {
    let Some(field) = at.checked_add(width).and_then(|end| bytes.get(at..end)) else { return 0 };
    let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if is_big { field.iter().fold(0, add) } else { field.iter().rev().fold(0, add) }
}
