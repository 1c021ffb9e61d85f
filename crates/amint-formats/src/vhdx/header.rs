//! The two headers, of which the newer one counts.

use amint_types::ReadAt;

use super::{FORMAT, Guid, is_sum_right};
use crate::FormatError;
use crate::bytes::{Part, array, le_u16, le_u32, le_u64};

const HEADER_OFFSETS: [u64; 2] = [64 << 10, 128 << 10];
const HEADER_BYTES: u64 = 4096;

/// What the header says.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// Where the log is, if it has anything that may have to be played back.
    pub(super) log: Option<LogPlace>,
}

/// Where the log is.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogPlace {
    /// Entries of others are old.
    pub(super) id: Guid,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// The fields of one header that matter.
#[derive(Clone, Debug)]
struct Fields {
    sequence: u64,
    log: LogPlace,
    log_version: u16,
    version: u16,
}

impl Fields {
    fn parse(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"head") || !is_sum_right(bytes) {
            return None;
        }
        let log =
            LogPlace { id: array(bytes, 48)?, bytes: le_u32(bytes, 68)?.into(), offset: le_u64(bytes, 72)? };
        Some(Self {
            sequence: le_u64(bytes, 8)?,
            log,
            log_version: le_u16(bytes, 64)?,
            version: le_u16(bytes, 66)?,
        })
    }
}

/// Reads the header that counts.
pub(super) fn read(file: &dyn ReadAt) -> Result<Header, FormatError> {
    let mut newest: Option<Fields> = None;
    for offset in HEADER_OFFSETS {
        let bytes = Part { format: FORMAT, what: "a header", offset, bytes: HEADER_BYTES }.read(file)?;
        if let Some(fields) = Fields::parse(&bytes)
            && newest.as_ref().is_none_or(|newest| fields.sequence > newest.sequence)
        {
            newest = Some(fields);
        }
    }
    let newest = newest.ok_or_else(|| FORMAT.damaged("neither of the two headers has the right checksum"))?;
    if newest.version != 1 {
        return Err(FORMAT.unsupported(format!("version {} of the format", newest.version)));
    }
    if newest.log.id == [0; 16] {
        return Ok(Header { log: None });
    }
    if newest.log_version != 0 {
        return Err(FORMAT.unsupported(format!("version {} of the log", newest.log_version)));
    }
    Ok(Header { log: Some(newest.log) })
}
