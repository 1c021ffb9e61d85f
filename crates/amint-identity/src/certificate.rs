//! Reading a certificate (RFC 5280): whose it is, from when to when, and its key.
//!
//! The certificate is pinned, so its own signature and its extensions mean nothing here.

use std::sync::OnceLock;
use std::time::SystemTime;

use crate::ber::{self, BerError, Element, Reader};
use crate::key::PublicKey;
use crate::time;

/// How long a certificate may be; EC2's are below 1.5 KiB.
const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// The tag of the version, which old certificates leave out.
const VERSION: u8 = 0xa0;

/// A certificate.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// The issuer's name, in DER.
    pub(crate) issuer: Vec<u8>,
    /// The serial number, as its bytes in DER.
    pub(crate) serial: Vec<u8>,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
    key_info: Vec<u8>,
    /// Made on first use: checking a DSA key takes long, and of many certificates one is used.
    key: OnceLock<Result<PublicKey, BerError>>,
}

impl Certificate {
    pub(crate) fn parse(der: &[u8]) -> Result<Self, BerError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(BerError("it is too long"));
        }
        let mut outer = Reader::new(der);
        let mut certificate = outer.enter(ber::SEQUENCE)?;
        outer.end()?;
        let mut fields = certificate.enter(ber::SEQUENCE)?;
        fields.optional(VERSION)?;
        let serial = fields.take(ber::INTEGER)?.content.to_vec();
        fields.take(ber::SEQUENCE)?;
        let issuer = fields.take(ber::SEQUENCE)?.raw.to_vec();
        let mut validity = fields.enter(ber::SEQUENCE)?;
        let (not_before, not_after) = (instant(&validity.any()?)?, instant(&validity.any()?)?);
        validity.end()?;
        fields.take(ber::SEQUENCE)?;
        let key_info = fields.take(ber::SEQUENCE)?.content.to_vec();
        Ok(Self { issuer, serial, not_before, not_after, key_info, key: OnceLock::new() })
    }

    pub(crate) fn key(&self) -> Result<&PublicKey, BerError> {
        let key = self.key.get_or_init(|| PublicKey::parse(&mut Reader::new(&self.key_info)));
        key.as_ref().map_err(|error| *error)
    }

    /// Returns the serial number in upper-case hexadecimal digits, without a leading zero byte.
    pub(crate) fn serial_text(&self) -> String {
        hex(&self.serial)
    }
}

/// Writes a number's bytes in upper-case hexadecimal digits, without a leading zero byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let bytes = if bytes.len() > 1 { bytes.strip_prefix(&[0]).unwrap_or(bytes) } else { bytes };
    bytes.iter().take(64).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

fn instant(element: &Element<'_>) -> Result<SystemTime, BerError> {
    let time = match element.tag {
        ber::UTC_TIME => time::utc_time(element.content),
        ber::GENERALIZED_TIME => time::generalized_time(element.content),
        _ => None,
    };
    time.ok_or(BerError("a time that is none"))
}
