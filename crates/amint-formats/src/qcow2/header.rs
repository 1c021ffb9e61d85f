//! The header and its extensions.

use amint_types::ReadAt;

use crate::bytes::{Part, be_u32, be_u64, index};
use crate::{Format, FormatError};

const FORMAT: Format = Format::Qcow2;
/// Bytes of the header of version 2.
const V2_BYTES: u32 = 72;
/// Bytes of the shortest header of version 3.
const V3_BYTES_MIN: u32 = 104;
/// Clusters have 512 bytes to 2 MiB.
const CLUSTER_BITS: std::ops::RangeInclusive<u32> = 9..=21;
/// Smallest clusters that can be divided into 32 parts of whole sectors.
const SUBCLUSTER_CLUSTER_BITS_MIN: u32 = 14;
/// Bytes of the header and its extensions that are looked at.
const AREA_BYTES_MAX: u64 = 64 << 10;
/// Longest name of a backing file, by the specification.
const BACKING_NAME_BYTES_MAX: u32 = 1023;
/// Largest disk: the 56 bits that the tables can address are more than any disk.
const DISK_BYTES_MAX: u64 = 1 << 56;

const DIRTY: u64 = 1;
const CORRUPT: u64 = 1 << 1;
const EXTERNAL_DATA: u64 = 1 << 2;
const COMPRESSION_TYPE: u64 = 1 << 3;
const EXTENDED_L2: u64 = 1 << 4;
const KNOWN: u64 = DIRTY | CORRUPT | EXTERNAL_DATA | COMPRESSION_TYPE | EXTENDED_L2;

/// Extension: the format of the backing file.
const EXTENSION_BACKING_FORMAT: u32 = 0xe279_2aca;
const EXTENSION_END: u32 = 0;

/// How clusters are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Deflate,
    Zstd,
}

/// The file that has what this one has not.
#[derive(Clone, Debug)]
pub(super) struct BackingName {
    pub(super) name: String,
    pub(super) format: Option<String>,
}

/// What the header says.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) version: u32,
    pub(super) cluster_bits: u32,
    pub(super) disk_bytes: u64,
    pub(super) l1_entries: u32,
    pub(super) l1_offset: u64,
    pub(super) compression: Compression,
    pub(super) has_subclusters: bool,
    pub(super) backing: Option<BackingName>,
    snapshots: u32,
    features: u64,
}

/// The fields as they stand in the file.
#[derive(Debug)]
struct Fields {
    version: u32,
    backing_offset: u64,
    backing_bytes: u32,
    cluster_bits: u32,
    disk_bytes: u64,
    encryption: u32,
    l1_entries: u32,
    l1_offset: u64,
    snapshots: u32,
    features: u64,
    header_bytes: u32,
    compression: u8,
}

impl Fields {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let version = be_u32(bytes, 4)?;
        let is_new = version >= 3;
        let header_bytes = if is_new { be_u32(bytes, 100)? } else { V2_BYTES };
        Some(Self {
            version,
            backing_offset: be_u64(bytes, 8)?,
            backing_bytes: be_u32(bytes, 16)?,
            cluster_bits: be_u32(bytes, 20)?,
            disk_bytes: be_u64(bytes, 24)?,
            encryption: be_u32(bytes, 32)?,
            l1_entries: be_u32(bytes, 36)?,
            l1_offset: be_u64(bytes, 40)?,
            snapshots: be_u32(bytes, 60)?,
            features: if is_new { be_u64(bytes, 72)? } else { 0 },
            header_bytes,
            compression: if header_bytes > V3_BYTES_MIN { *bytes.get(104)? } else { 0 },
        })
    }
}

impl Header {
    /// Reads and checks the header.
    pub(super) fn read(file: &dyn ReadAt) -> Result<Self, FormatError> {
        let bytes = file.size_bytes().min(AREA_BYTES_MAX);
        let area = Part { format: FORMAT, what: "the header", offset: 0, bytes }.read(file)?;
        let fields = Fields::parse(&area).ok_or_else(|| FORMAT.damaged("the header is cut off"))?;
        fields.check()?;
        let compression = match fields.compression {
            0 => Compression::Deflate,
            1 => Compression::Zstd,
            other => return Err(FORMAT.unsupported(format!("compression type {other}"))),
        };
        let backing = fields.backing(file, &area)?;
        Ok(Self {
            version: fields.version,
            cluster_bits: fields.cluster_bits,
            disk_bytes: fields.disk_bytes,
            l1_entries: fields.l1_entries,
            l1_offset: fields.l1_offset,
            compression,
            has_subclusters: fields.features & EXTENDED_L2 != 0,
            backing,
            snapshots: fields.snapshots,
            features: fields.features,
        })
    }

    pub(super) fn cluster_bytes(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// Bytes of an entry of a second-level table.
    pub(super) fn l2_entry_bytes(&self) -> u64 {
        if self.has_subclusters { 16 } else { 8 }
    }

    /// Bytes of disk that one second-level table maps.
    pub(super) fn l2_span_bytes(&self) -> u64 {
        (self.cluster_bytes() / self.l2_entry_bytes()) << self.cluster_bits
    }

    /// Tells what the user should know.
    pub(super) fn note(&self, notes: &mut Vec<String>) {
        if self.features & CORRUPT != 0 {
            notes.push("the qcow2 image is marked as corrupt by the program that wrote it".to_owned());
        }
        if self.features & DIRTY != 0 {
            notes.push("the qcow2 image was not closed; its reference counts may be old, which reading does not mind".to_owned());
        }
        if self.snapshots > 0 {
            notes.push(format!(
                "the qcow2 image has {} internal snapshots, which are not looked at",
                self.snapshots
            ));
        }
    }
}

impl Fields {
    fn check(&self) -> Result<(), FormatError> {
        if !matches!(self.version, 2 | 3) {
            return Err(FORMAT.unsupported(format!("version {} of the format", self.version)));
        }
        if !CLUSTER_BITS.contains(&self.cluster_bits) {
            return Err(FORMAT.damaged(format!(
                "clusters of 2^{} bytes; the format knows 512 bytes to 2 MiB",
                self.cluster_bits
            )));
        }
        if self.version == 3 && self.header_bytes < V3_BYTES_MIN {
            return Err(FORMAT
                .damaged(format!("the header has {} bytes, less than {V3_BYTES_MIN}", self.header_bytes)));
        }
        match self.encryption {
            0 => {}
            1 => return Err(FORMAT.unsupported("encryption (AES)")),
            2 => return Err(FORMAT.unsupported("encryption (LUKS)")),
            other => return Err(FORMAT.unsupported(format!("encryption method {other}"))),
        }
        if self.features & EXTERNAL_DATA != 0 {
            return Err(FORMAT.unsupported("an external data file"));
        }
        if self.features & !KNOWN != 0 {
            return Err(FORMAT.unsupported(format!("the unknown features {:#x}", self.features & !KNOWN)));
        }
        if (self.features & COMPRESSION_TYPE != 0) != (self.compression != 0) {
            return Err(FORMAT.damaged("the header contradicts itself about the compression type"));
        }
        if self.features & EXTENDED_L2 != 0 && self.cluster_bits < SUBCLUSTER_CLUSTER_BITS_MIN {
            return Err(FORMAT.damaged("subclusters in clusters of less than 16 KiB"));
        }
        if self.disk_bytes > DISK_BYTES_MAX {
            return Err(FORMAT.limit(format!("a disk of {} bytes, more than 2^56", self.disk_bytes)));
        }
        Ok(())
    }

    /// Finds the name of the backing file and its format.
    fn backing(&self, file: &dyn ReadAt, area: &[u8]) -> Result<Option<BackingName>, FormatError> {
        if self.backing_offset == 0 {
            return Ok(None);
        }
        if self.backing_bytes > BACKING_NAME_BYTES_MAX {
            return Err(FORMAT.damaged(format!(
                "the name of the backing file has {} bytes, more than {BACKING_NAME_BYTES_MAX}",
                self.backing_bytes
            )));
        }
        let name = Part {
            format: FORMAT,
            what: "the name of the backing file",
            offset: self.backing_offset,
            bytes: self.backing_bytes.into(),
        };
        let name = String::from_utf8(name.read(file)?)
            .map_err(|_| FORMAT.damaged("the name of the backing file is no UTF-8"))?;
        Ok(Some(BackingName { name, format: self.backing_format(area) }))
    }

    /// Finds the extension that tells the format of the backing file.
    fn backing_format(&self, area: &[u8]) -> Option<String> {
        let mut at = index(self.header_bytes.into());
        loop {
            let (kind, bytes) = (be_u32(area, at)?, be_u32(area, at.checked_add(4)?)?);
            let start = at.checked_add(8)?;
            let end = start.checked_add(index(bytes.into()))?;
            match kind {
                EXTENSION_END => return None,
                EXTENSION_BACKING_FORMAT => {
                    return String::from_utf8(area.get(start..end)?.to_vec()).ok();
                }
                // Extensions are at least 8 bytes long: the loop comes to the end of the area.
                _ => at = end.checked_next_multiple_of(8)?,
            }
        }
    }
}
