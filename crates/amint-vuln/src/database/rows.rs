//! How records, facts and notes lie in values. Each begins with the number of its source.

use amint_types::Severity;

use super::DatabaseError;
use super::codec::{Decoder, Encoder, damaged};
use crate::ecosystem::Ecosystem;
use crate::record::{Exploitation, Facts, Flags, Range, RangeEnd, Record, SupportNote};

/// Encodes what follows the source of a record; ecosystem and package stand in the key.
pub(crate) fn encode_record(record: &Record) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.text(&record.id);
    encoder.texts(&record.vulnerabilities);
    encoder.texts(&record.aliases);
    encoder.length(record.ranges.len());
    for range in &record.ranges {
        encoder.optional_text(range.introduced.as_deref());
        match &range.end {
            RangeEnd::Open => encoder.number(0),
            RangeEnd::Fixed(version) => {
                encoder.number(1);
                encoder.text(version);
            }
            RangeEnd::LastAffected(version) => {
                encoder.number(2);
                encoder.text(version);
            }
        }
    }
    encoder.texts(&record.versions);
    encoder.number(severity_number(record.severity));
    encoder.number(u64::from(record.flags.bits()));
    encoder.optional_text(record.module.as_deref());
    encoder.optional_text(record.repository.as_deref());
    encoder.bytes
}

pub(super) fn decode_record(
    decoder: &mut Decoder<'_>,
    ecosystem: &Ecosystem,
    package: &str,
) -> Result<Record, DatabaseError> {
    let mut record = Record::new(ecosystem.clone(), package, decoder.text()?);
    record.vulnerabilities = decoder.texts()?;
    record.aliases = decoder.texts()?;
    for _ in 0..decoder.length()? {
        let introduced = decoder.optional_text()?;
        let end = match decoder.number()? {
            0 => RangeEnd::Open,
            1 => RangeEnd::Fixed(decoder.text()?),
            2 => RangeEnd::LastAffected(decoder.text()?),
            _ => return Err(damaged()),
        };
        record.ranges.push(Range { introduced, end });
    }
    record.versions = decoder.texts()?;
    record.severity = severity(decoder.number()?)?;
    record.flags = Flags::from_bits(decoder.narrow()?);
    record.module = decoder.optional_text()?;
    record.repository = decoder.optional_text()?;
    Ok(record)
}

/// Encodes what follows the source of facts.
pub(crate) fn encode_facts(facts: &Facts) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.optional_text(facts.title.as_deref());
    encoder.number(severity_number(facts.severity));
    encoder.optional_number(facts.cvss_tenths.map(u64::from));
    encoder.texts(&facts.aliases);
    encoder.number(u64::from(facts.is_listed_exploited) + 2 * u64::from(facts.is_used_for_ransom));
    encoder.number(match facts.exploitation {
        None => 0,
        Some(Exploitation::None) => 1,
        Some(Exploitation::ProofOfConcept) => 2,
        Some(Exploitation::Active) => 3,
    });
    encoder.optional_number(facts.epss_millionths.map(u64::from));
    encoder.bytes
}

pub(super) fn decode_facts(decoder: &mut Decoder<'_>) -> Result<Facts, DatabaseError> {
    let title = decoder.optional_text()?;
    let severity = severity(decoder.number()?)?;
    let narrow = |number: Option<u64>| number.map(u8::try_from).transpose().map_err(|_| damaged());
    let cvss_tenths = narrow(decoder.optional_number()?)?;
    let aliases = decoder.texts()?;
    let exploited = decoder.number()?;
    let exploitation = match decoder.number()? {
        0 => None,
        1 => Some(Exploitation::None),
        2 => Some(Exploitation::ProofOfConcept),
        3 => Some(Exploitation::Active),
        _ => return Err(damaged()),
    };
    let epss = decoder.optional_number()?.map(u32::try_from).transpose().map_err(|_| damaged())?;
    Ok(Facts {
        title,
        severity,
        cvss_tenths,
        aliases,
        is_listed_exploited: exploited & 1 != 0,
        is_used_for_ransom: exploited & 2 != 0,
        exploitation,
        epss_millionths: epss,
    })
}

/// Encodes a row that is one text.
pub(crate) fn encode_text(text: &str) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.text(text);
    encoder.bytes
}

pub(super) fn decode_text(decoder: &mut Decoder<'_>) -> Result<String, DatabaseError> {
    decoder.text()
}

/// Encodes what follows the source of a note on support.
pub(crate) fn encode_support(note: &SupportNote) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.text(&note.package);
    encoder.number(u64::from(note.has_ended));
    encoder.optional_text(note.date.as_deref());
    encoder.optional_text(note.last_version.as_deref());
    encoder.text(&note.text);
    encoder.bytes
}

pub(super) fn decode_support(decoder: &mut Decoder<'_>) -> Result<SupportNote, DatabaseError> {
    Ok(SupportNote {
        package: decoder.text()?,
        has_ended: decoder.number()? != 0,
        date: decoder.optional_text()?,
        last_version: decoder.optional_text()?,
        text: decoder.text()?,
    })
}

fn severity_number(severity: Option<Severity>) -> u64 {
    match severity {
        None => 0,
        Some(Severity::Info) => 1,
        Some(Severity::Low) => 2,
        Some(Severity::Medium) => 3,
        Some(Severity::High) => 4,
        Some(_) => 5,
    }
}

fn severity(number: u64) -> Result<Option<Severity>, DatabaseError> {
    Ok(match number {
        0 => None,
        1 => Some(Severity::Info),
        2 => Some(Severity::Low),
        3 => Some(Severity::Medium),
        4 => Some(Severity::High),
        5 => Some(Severity::Critical),
        _ => return Err(damaged()),
    })
}
