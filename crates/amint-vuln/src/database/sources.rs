//! Sources of advisories and their dates.

use jiff::Timestamp;

use super::DatabaseError;
use super::codec::{Decoder, Encoder, damaged};
use super::format::SOURCES_MAX;

/// One source of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// Its name: `debian/tracker`, `kev`.
    pub name: String,
    /// The kind of importer that read it: `osv`, `updateinfo`.
    pub kind: String,
    /// When its publisher made it.
    pub date: Timestamp,
    /// How many records, facts and other entries it gave.
    pub record_count: u64,
    /// What it has records on, in the stored form: `debian:12`.
    pub ecosystems: Vec<String>,
}

pub(super) fn encode(sources: &[SourceInfo], encoder: &mut Encoder) {
    encoder.length(sources.len());
    for source in sources {
        encoder.text(&source.name);
        encoder.text(&source.kind);
        encoder.bytes.extend(source.date.as_second().to_le_bytes());
        encoder.number(source.record_count);
        encoder.texts(&source.ecosystems);
    }
}

pub(super) fn decode(decoder: &mut Decoder<'_>) -> Result<Vec<SourceInfo>, DatabaseError> {
    let count = decoder.length()?;
    if count > SOURCES_MAX {
        return Err(DatabaseError::TooLarge("it has too many sources"));
    }
    let mut sources = Vec::with_capacity(count);
    for _ in 0..count {
        let (name, kind) = (decoder.text()?, decoder.text()?);
        let seconds = decoder.take(8)?.try_into().map_err(|_| damaged())?;
        let date = Timestamp::from_second(i64::from_le_bytes(seconds)).map_err(|_| damaged())?;
        let record_count = decoder.number()?;
        sources.push(SourceInfo { name, kind, date, record_count, ecosystems: decoder.texts()? });
    }
    Ok(sources)
}
