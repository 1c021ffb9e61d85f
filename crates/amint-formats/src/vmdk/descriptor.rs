//! The descriptor: text that names the kind of disk and its extents.

use amint_types::ReadAt;

use super::{DESCRIPTOR_BYTES_MAX, FORMAT};
use crate::FormatError;
use crate::bytes::Part;

/// Extents of one disk at most: 2 TiB in pieces of 1 GiB.
const EXTENTS_MAX: usize = 2048;
/// The id that stands for "no parent".
const NO_PARENT: &str = "ffffffff";

/// How an extent holds its part of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExtentKind {
    /// Byte by byte.
    Flat,
    /// As a sparse extent.
    Sparse,
    /// Not at all: it is zero.
    Zero,
}

/// One line of the description of extents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) sectors: u64,
    pub(super) kind: ExtentKind,
    pub(super) file: String,
    /// Where the part begins in its file; only flat extents say so.
    pub(super) offset_sectors: u64,
}

/// What the descriptor says.
#[derive(Clone, Debug)]
pub(super) struct Descriptor {
    create_type: String,
    parent: Option<String>,
    pub(super) extents: Vec<Extent>,
}

impl Descriptor {
    /// Reads the text of `bytes` from `offset` on; NUL bytes may fill it up.
    pub(super) fn read(file: &dyn ReadAt, offset: u64, bytes: u64) -> Result<Self, FormatError> {
        if bytes > DESCRIPTOR_BYTES_MAX {
            return Err(
                FORMAT.limit(format!("a descriptor of {bytes} bytes, more than {DESCRIPTOR_BYTES_MAX}"))
            );
        }
        let text = Part { format: FORMAT, what: "the descriptor", offset, bytes }.read(file)?;
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        if !text.trim_start().starts_with('#') {
            return Err(FORMAT.damaged(format!("no descriptor is at byte {offset}")));
        }
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, FormatError> {
        let mut descriptor = Self { create_type: String::new(), parent: None, extents: Vec::new() };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(extent) = extent(line)? {
                if descriptor.extents.len() == EXTENTS_MAX {
                    return Err(FORMAT.limit(format!("more than {EXTENTS_MAX} extents")));
                }
                descriptor.extents.push(extent);
            } else if let Some((key, value)) = line.split_once('=') {
                let value = value.trim().trim_matches('"');
                match key.trim().to_ascii_lowercase().as_str() {
                    "createtype" => value.clone_into(&mut descriptor.create_type),
                    "parentcid" => descriptor.parent = Some(value.to_ascii_lowercase()),
                    _ => {}
                }
            }
        }
        Ok(descriptor)
    }

    /// Checks that the disk is of a kind that is whole in itself and can be read.
    pub(super) fn check_kind(&self) -> Result<(), FormatError> {
        if self.parent.as_deref().is_some_and(|parent| parent != NO_PARENT) {
            return Err(FORMAT.unsupported("a parent disk: it is a snapshot and holds only differences"));
        }
        match self.create_type.to_ascii_lowercase().as_str() {
            "monolithicsparse"
            | "monolithicflat"
            | "streamoptimized"
            | "twogbmaxextentsparse"
            | "twogbmaxextentflat"
            | "vmfs"
            | "vmfspreallocated"
            | "vmfseagerzeroedthick"
            | "vmfsthin" => Ok(()),
            "" => Err(FORMAT.damaged("the descriptor does not tell the kind of disk (createType)")),
            _ => Err(FORMAT.unsupported(format!("the kind of disk `{}`", self.create_type))),
        }
    }
}

/// Reads a line of the description of extents: `RW 4192256 SPARSE "disk-s001.vmdk"`.
fn extent(line: &str) -> Result<Option<Extent>, FormatError> {
    let broken = || FORMAT.damaged(format!("the descriptor has the line `{}`", excerpt(line)));
    let (access, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    if !matches!(access, "RW" | "RDONLY" | "NOACCESS") {
        return Ok(None);
    }
    let (sectors, rest) = rest.trim_start().split_once(char::is_whitespace).ok_or_else(broken)?;
    let sectors = sectors.parse().map_err(|_| broken())?;
    let rest = rest.trim_start();
    let (kind, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let kind = match kind {
        "FLAT" | "VMFS" => ExtentKind::Flat,
        "SPARSE" => ExtentKind::Sparse,
        "ZERO" => ExtentKind::Zero,
        other => return Err(FORMAT.unsupported(format!("an extent of the kind `{}`", excerpt(other)))),
    };
    if kind == ExtentKind::Zero {
        return Ok(Some(Extent { sectors, kind, file: String::new(), offset_sectors: 0 }));
    }
    let (file, rest) =
        rest.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"')).ok_or_else(broken)?;
    let offset_sectors = match rest.split_whitespace().next() {
        Some(offset) if kind == ExtentKind::Flat => offset.parse().map_err(|_| broken())?,
        _ => 0,
    };
    Ok(Some(Extent { sectors, kind, file: file.to_owned(), offset_sectors }))
}

/// Returns enough of a text to recognise it.
fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_vmware_writes() {
        let text = "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n\
                    createType=\"twoGbMaxExtentFlat\"\n\n# Extent description\n\
                    RW 4192256 FLAT \"a disk-f001.vmdk\" 0\r\nRW 12 ZERO\nRDONLY 128 FLAT \"x\" 63\n\
                    ddb.adapterType = \"lsilogic\"\n";
        let descriptor = Descriptor::parse(text).unwrap();
        descriptor.check_kind().unwrap();
        let flat = |sectors, file: &str, offset_sectors| Extent {
            sectors,
            kind: ExtentKind::Flat,
            file: file.to_owned(),
            offset_sectors,
        };
        let zero = Extent { sectors: 12, kind: ExtentKind::Zero, file: String::new(), offset_sectors: 0 };
        assert_eq!(descriptor.extents, [flat(4_192_256, "a disk-f001.vmdk", 0), zero, flat(128, "x", 63)]);
    }

    #[test]
    fn refuses_by_name_what_it_cannot_read() {
        let refusal = |text: &str| {
            let checked = Descriptor::parse(text).and_then(|descriptor| descriptor.check_kind());
            checked.unwrap_err().to_string()
        };
        assert!(refusal("createType=\"vmfsSparse\"\n").contains("`vmfsSparse`"));
        assert!(refusal("createType=\"monolithicSparse\"\nparentCID=1234abcd\n").contains("a parent disk"));
        assert!(refusal("RW 5 SESPARSE \"x\"\n").contains("`SESPARSE`"));
        assert!(refusal("RW five FLAT \"x\"\n").contains("`RW five FLAT \"x\"`"));
        assert!(refusal("RW 5 FLAT x\n").contains("damaged"));
        assert!(refusal("version=1\n").contains("createType"));
    }

    proptest::proptest! {
        #[test]
        fn lines_of_any_kind_do_no_harm(text in "(RW|RDONLY| |FLAT|SPARSE|ZERO|\"|é|9{1,30}|=|\n|parentCID){0,30}") {
            let _ = Descriptor::parse(&text);
        }
    }
}
