//! The files of a package.

use std::borrow::Cow;

use crate::OwnedFile;
use crate::bytes::text;
use crate::content::{ContentDigest, DigestAlgorithm};

use super::header::{Header, tag};

/// Most files of one package that are kept; the largest packages of distributions have some 100,000.
pub const FILES_MAX: usize = 1_000_000;
/// Longest path that is made of a folder and a name: that of Linux.
const PATH_BYTES_MAX: usize = 4096;

/// What a package says about a file (rpm's `rpmfileAttrs`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileFlags(u32);

impl FileFlags {
    /// Takes the bits as they stand in a header.
    pub fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Returns the bits.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// `%config`: meant to be changed.
    pub fn is_configuration(self) -> bool {
        self.0 & 1 != 0
    }

    /// `%doc`.
    pub fn is_documentation(self) -> bool {
        self.0 & 2 != 0
    }

    /// `%config(missingok)` or `%missingok`: may be missing.
    pub fn may_be_missing(self) -> bool {
        self.0 & 8 != 0
    }

    /// `%config(noreplace)`: kept when the package is updated.
    pub fn is_kept(self) -> bool {
        self.0 & 16 != 0
    }

    /// `%ghost`: owned, but not brought by the package.
    pub fn is_ghost(self) -> bool {
        self.0 & 64 != 0
    }

    /// `%license`.
    pub fn is_license(self) -> bool {
        self.0 & 128 != 0
    }
}

/// What became of a file at installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileState {
    /// Installed.
    Normal,
    /// Another package's file is in its place.
    Replaced,
    /// Left out: documentation or translations that nobody wanted.
    NotInstalled,
    /// On a file system shared over the network.
    Shared,
    /// Belongs to another architecture than the installed one.
    WrongArchitecture,
    /// Not told.
    Unknown,
}

impl FileState {
    fn from_number(number: u64) -> Self {
        match number {
            0 => Self::Normal,
            1 => Self::Replaced,
            2 => Self::NotInstalled,
            3 => Self::Shared,
            4 => Self::WrongArchitecture,
            _ => Self::Unknown,
        }
    }
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpmFile {
    /// Which of the package's folders it is in.
    folder: u32,
    name: Box<str>,
    /// Digest of its content; none for all but regular files.
    pub digest: Option<ContentDigest>,
    /// Type and permission bits.
    pub mode: Option<u16>,
    /// Size in bytes.
    pub size_bytes: Option<u64>,
    /// What the package says about it.
    pub flags: FileFlags,
    /// What became of it.
    pub state: FileState,
}

/// The files of a package, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RpmFiles {
    /// Each beginning and ending with `/`.
    folders: Vec<Box<str>>,
    files: Vec<RpmFile>,
    /// How many could not be kept or made sense of.
    pub lost_count: u64,
}

impl RpmFiles {
    /// Returns how many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns all files with their paths.
    pub fn iter(&self) -> impl Iterator<Item = (String, &RpmFile)> {
        self.files.iter().map(|file| {
            let folder = usize::try_from(file.folder).ok().and_then(|index| self.folders.get(index));
            (format!("{}{}", folder.map_or("", |folder| &**folder), file.name), file)
        })
    }

    /// Returns all files in the words that all databases share.
    pub fn owned(&self) -> impl Iterator<Item = OwnedFile> {
        self.iter().map(|(path, file)| {
            let is_there = file.state == FileState::Normal || file.state == FileState::Unknown;
            OwnedFile {
                path,
                digest: file.digest,
                size_bytes: file.size_bytes,
                mode: file.mode.map(u32::from),
                is_configuration: file.flags.is_configuration(),
                may_be_missing: !is_there || file.flags.is_ghost() || file.flags.may_be_missing(),
                may_differ: !is_there || file.flags.is_ghost(),
            }
        })
    }

    /// Reads the files of a header; `room` is how many more may be kept.
    pub(super) fn read(header: &Header<'_>, room: usize) -> Self {
        let limit = FILES_MAX.min(room);
        let mut files = Self::default();
        let algorithm =
            header.number(tag::FILEDIGESTALGO).map_or(Some(DigestAlgorithm::Md5), DigestAlgorithm::from_pgp);
        let mut digests = header.texts(tag::FILEDIGESTS);
        let mut modes = header.numbers(tag::FILEMODES);
        let mut sizes = header.numbers(tag::FILESIZES);
        let mut long_sizes = header.numbers(tag::LONGFILESIZES);
        let mut flags = header.numbers(tag::FILEFLAGS);
        let mut states = header.numbers(tag::FILESTATES);
        for (folder, name) in files.read_names(header) {
            let file = RpmFile {
                folder,
                name: Box::default(),
                digest: digests.next().and_then(|digits| ContentDigest::from_hex(algorithm?, digits)),
                mode: modes.next().and_then(|mode| u16::try_from(mode).ok()),
                size_bytes: long_sizes.next().or(sizes.next()),
                flags: FileFlags(flags.next().and_then(|bits| u32::try_from(bits).ok()).unwrap_or_default()),
                state: states.next().map_or(FileState::Unknown, FileState::from_number),
            };
            let folder_bytes = usize::try_from(folder)
                .ok()
                .and_then(|index| files.folders.get(index))
                .map(|folder| folder.len());
            let is_sound = folder_bytes.is_some_and(|bytes| bytes + name.len() <= PATH_BYTES_MAX);
            if is_sound && files.files.len() < limit {
                files.files.push(RpmFile { name: name.into(), ..file });
            } else {
                files.lost_count += 1;
            }
        }
        files
    }

    /// Reads the folders, and returns which of them each file is in and its name.
    fn read_names<'a>(&mut self, header: &Header<'a>) -> Box<dyn Iterator<Item = (u32, Cow<'a, str>)> + 'a> {
        if header.texts(tag::BASENAMES).next().is_none() {
            // Before rpm 4 whole paths were kept.
            self.folders.push(Box::default());
            return Box::new(header.texts(tag::OLDFILENAMES).map(|path| (0, text(path))));
        }
        self.folders.extend(header.texts(tag::DIRNAMES).take(FILES_MAX).map(|folder| text(folder).into()));
        let mut indexes = header.numbers(tag::DIRINDEXES);
        Box::new(header.texts(tag::BASENAMES).map(move |name| {
            (indexes.next().and_then(|index| u32::try_from(index).ok()).unwrap_or(u32::MAX), text(name))
        }))
    }
}
