//! Reparse points: what stands in place of a file's own meaning ([MS-FSCC] section 2.1.2).

use crate::bytes::{index_u16, le_u32, slice, utf16};

const SYMBOLIC_LINK: u32 = 0xa000_000c;
const MOUNT_POINT: u32 = 0xa000_0003;
/// Special files of the Windows subsystem for Linux.
const LX_SYMBOLIC_LINK: u32 = 0xa000_001d;
const AF_UNIX: u32 = 0x8000_0023;
const LX_FIFO: u32 = 0x8000_0024;
const LX_CHARACTER: u32 = 0x8000_0025;
const LX_BLOCK: u32 = 0x8000_0026;
/// Content that is kept elsewhere or in another form.
const WOF: u32 = 0x8000_0017;
const DEDUP: u32 = 0x8000_0013;
const HSM: u32 = 0xc000_0004;
const HSM_2: u32 = 0x8000_0006;
const SIS: u32 = 0x8000_0007;
const WIM: u32 = 0x8000_0008;
const CLOUD: u32 = 0x9000_001a;
/// Bits in which the tags of clouds differ.
const CLOUD_MASK: u32 = 0xffff_0fff;
/// Where the data of a reparse point begins.
const DATA_AT: usize = 8;

/// What a reparse point means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reparse {
    /// A link, with its target in the form of Linux.
    Link(Vec<u8>),
    Socket,
    Pipe,
    CharDevice,
    BlockDevice,
    /// The content is not where it seems to be.
    Elsewhere(&'static str),
    /// Nothing that changes how the file is read.
    Other,
}

impl Reparse {
    /// Parses the attribute's content; none when it makes no sense.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let tag = le_u32(bytes, 0)?;
        let data = slice(bytes, DATA_AT, index_u16(bytes, 4)?)?;
        Some(match tag {
            SYMBOLIC_LINK => Self::Link(target(&substitute(data, 12)?, le_u32(data, 8)? & 1 != 0)),
            MOUNT_POINT => Self::Link(target(&substitute(data, 8)?, false)),
            // Its version, then the target as Linux wrote it.
            LX_SYMBOLIC_LINK => Self::Link(data.get(4..)?.to_vec()),
            AF_UNIX => Self::Socket,
            LX_FIFO => Self::Pipe,
            LX_CHARACTER => Self::CharDevice,
            LX_BLOCK => Self::BlockDevice,
            WOF => Self::Elsewhere("the compression of `compact /exe`"),
            DEDUP => Self::Elsewhere("deduplication"),
            HSM | HSM_2 | SIS | WIM => Self::Elsewhere("a store outside of the file"),
            tag if tag & CLOUD_MASK == CLOUD => Self::Elsewhere("a cloud's store"),
            _ => Self::Other,
        })
    }
}

/// Returns the name that the system follows; names stand from `names_at` on.
fn substitute(data: &[u8], names_at: usize) -> Option<String> {
    let (offset, length) = (index_u16(data, 0)?, index_u16(data, 2)?);
    Some(utf16(slice(data, names_at + offset, length)?))
}

/// Turns a path of Windows into one of Linux.
///
/// An absolute path to drive `C:` becomes absolute in this file system: it is the drive of the system, and links of a
/// system's own folders name it. Other drives become folders of the root, `/D:/…`, where nothing is.
fn target(path: &str, is_relative: bool) -> Vec<u8> {
    let path = path.trim_end_matches('\0');
    if is_relative {
        return path.replace('\\', "/").into_bytes();
    }
    let path = [r"\??\", r"\\?\"].iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or(path);
    let inside = match path.get(..2) {
        Some(drive) if drive.eq_ignore_ascii_case("c:") => path.get(2..).unwrap_or_default(),
        _ => path,
    };
    format!("/{}", inside.trim_start_matches('\\').replace('\\', "/")).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Reparse, target};

    #[test]
    fn paths_of_windows_become_paths_of_linux() {
        let cases = [
            (r"\??\C:\Users\Default", false, "/Users/Default"),
            (r"\??\c:\", false, "/"),
            (r"\??\D:\data", false, "/D:/data"),
            (r"\??\Volume{1b3b1146}\x", false, "/Volume{1b3b1146}/x"),
            (r"..\lib\a.dll", true, "../lib/a.dll"),
        ];
        for (windows, is_relative, linux) in cases {
            assert_eq!(String::from_utf8(target(windows, is_relative)).unwrap(), linux);
        }
    }

    #[test]
    fn content_that_is_elsewhere_is_told() {
        let wof = [0x17, 0, 0, 0x80, 0, 0, 0, 0];
        assert!(matches!(Reparse::parse(&wof), Some(Reparse::Elsewhere(_))));
        let cloud = [0x1a, 0x60, 0, 0x90, 0, 0, 0, 0];
        assert!(matches!(Reparse::parse(&cloud), Some(Reparse::Elsewhere(_))));
        assert_eq!(Reparse::parse(&[0x0c, 0, 0, 0xa0, 200, 0, 0, 0]), None);
    }

    #[test]
    fn special_files_of_linux_are_told() {
        assert_eq!(Reparse::parse(&[0x23, 0, 0, 0x80, 0, 0, 0, 0]), Some(Reparse::Socket));
        assert_eq!(Reparse::parse(&[0x24, 0, 0, 0x80, 0, 0, 0, 0]), Some(Reparse::Pipe));
        assert_eq!(Reparse::parse(&[0x1b, 0, 0, 0x80, 0, 0, 0, 0]), Some(Reparse::Other));
    }
}
