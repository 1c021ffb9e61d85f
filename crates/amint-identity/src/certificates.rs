//! The certificates that are trusted.
//!
//! A list is a text: `[FORM REGION...]`, then one certificate in PEM, and so on; lines that begin with `#` are
//! comments. A folder may hold such lists (`*.pem`), or plain certificates at `rsa2048/REGION.pem`,
//! `pkcs7/REGION.pem` and `signature/REGION.pem`.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use crate::armour::decode_pem;
use crate::certificate::Certificate;
use crate::form::Form;

const EMBEDDED: &str = include_str!("../data/certificates.pem");

/// How long a list may be; the one that came with this crate has 110 KiB.
const LIST_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// How many certificates may be trusted at once.
const CERTIFICATES_MAX: usize = 10_000;
const END: &str = "-----END CERTIFICATE-----";

/// Why certificates could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificatesError {
    /// A file or folder could not be read.
    #[error("certificates cannot be read from {path}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A list does not have the right form.
    #[error("line {line} of the certificates is wrong: {what}")]
    Form {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A folder, or a list, holds no certificate.
    #[error("no certificates are there")]
    Empty,
    /// There are more certificates than could be of use.
    #[error("there are more than 10000 certificates, or the list is longer than 4 MiB")]
    TooMany,
}

/// Where a certificate came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// It came with this crate: one of EC2's.
    Embedded,
    /// The caller gave it.
    Given,
}

/// What is known about a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateInfo {
    /// The form of signature that its key makes.
    pub form: Form,
    /// The regions that use it.
    pub regions: Vec<String>,
    /// The serial number, in hexadecimal digits.
    pub serial: String,
    /// From when it is valid.
    pub not_before: SystemTime,
    /// Until when it is valid. EC2 goes on using keys of expired certificates.
    pub not_after: SystemTime,
    /// `rsa` or `dsa`, with the length of the key in bits.
    pub key: (&'static str, usize),
    /// Where it came from.
    pub origin: Origin,
}

/// One trusted certificate.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) form: Form,
    pub(crate) regions: Vec<String>,
    pub(crate) certificate: Certificate,
    origin: Origin,
}

impl Entry {
    pub(crate) fn is_of(&self, region: &str) -> bool {
        self.regions.iter().any(|known| known == region)
    }

    pub(crate) fn info(&self) -> CertificateInfo {
        let key = match self.certificate.key() {
            Ok(key @ crate::key::PublicKey::Rsa(_)) => ("rsa", key.bits()),
            Ok(key) => ("dsa", key.bits()),
            Err(_) => ("unusable", 0),
        };
        CertificateInfo {
            form: self.form,
            regions: self.regions.clone(),
            serial: self.certificate.serial_text(),
            not_before: self.certificate.not_before,
            not_after: self.certificate.not_after,
            key,
            origin: self.origin,
        }
    }
}

/// A set of trusted certificates.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    entries: Vec<Arc<Entry>>,
}

impl Certificates {
    /// Returns the certificates of EC2 that came with this crate.
    pub fn embedded() -> &'static Self {
        Self::embedded_shared()
    }

    pub(crate) fn embedded_shared() -> &'static Arc<Self> {
        static CERTIFICATES: OnceLock<Arc<Certificates>> = OnceLock::new();
        // A test reads the list; should it be damaged all the same, nothing is trusted.
        CERTIFICATES.get_or_init(|| Arc::new(parse(EMBEDDED, Origin::Embedded).unwrap_or_default()))
    }

    /// Reads a list of certificates.
    pub fn parse(list: &str) -> Result<Self, CertificatesError> {
        parse(list, Origin::Given)
    }

    /// Reads certificates from a list, or from a folder.
    pub fn read(path: &Path) -> Result<Self, CertificatesError> {
        let metadata = fs::metadata(path).map_err(|source| read_error(path, source))?;
        if !metadata.is_dir() {
            return Self::parse(&read_text(path)?);
        }
        let mut all = Self::default();
        for file in pem_files(path)? {
            all = all.and(Self::parse(&read_text(&file)?)?);
        }
        for form in Form::ALL {
            let folder = path.join(form.as_str());
            let files = if folder.is_dir() { pem_files(&folder)? } else { Vec::new() };
            for file in files {
                let region = file.file_stem().unwrap_or_default().to_string_lossy();
                all = all.and(Self::parse(&format!("[{form} {region}]\n{}", read_text(&file)?))?);
            }
        }
        match all.entries.len() {
            0 => Err(CertificatesError::Empty),
            1..=CERTIFICATES_MAX => Ok(all),
            _ => Err(CertificatesError::TooMany),
        }
    }

    /// Adds the certificates of `other`.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self
    }

    /// Tells what is known about each certificate.
    pub fn iter(&self) -> impl Iterator<Item = CertificateInfo> {
        self.entries.iter().map(|entry| entry.info())
    }

    pub(crate) fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }
}

fn read_error(path: &Path, source: io::Error) -> CertificatesError {
    CertificatesError::Read { path: path.to_owned(), source }
}

fn read_text(path: &Path) -> Result<String, CertificatesError> {
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|file| file.take(LIST_BYTES_MAX + 1).read_to_string(&mut text))
        .map_err(|source| read_error(path, source))?;
    Ok(text)
}

/// Lists the `*.pem` files of a folder, by name.
fn pem_files(folder: &Path) -> Result<Vec<PathBuf>, CertificatesError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| read_error(folder, source))? {
        let path = entry.map_err(|source| read_error(folder, source))?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            files.push(path);
        }
        if files.len() > CERTIFICATES_MAX {
            return Err(CertificatesError::TooMany);
        }
    }
    files.sort();
    Ok(files)
}

fn parse(list: &str, origin: Origin) -> Result<Certificates, CertificatesError> {
    if list.len() as u64 > LIST_BYTES_MAX {
        return Err(CertificatesError::TooMany);
    }
    let mut certificates = Certificates::default();
    let mut heading: Option<(Form, Vec<String>)> = None;
    let mut pem = String::new();
    for (number, text) in list.lines().enumerate() {
        let wrong = |what| CertificatesError::Form { line: number.saturating_add(1), what };
        let text = text.trim_end();
        if pem.is_empty() && (text.is_empty() || text.starts_with('#')) {
            continue;
        }
        if let Some(text) = text.strip_prefix('[') {
            let text = text.strip_suffix(']').ok_or(wrong("a heading without `]`"))?;
            heading = Some(parse_heading(text).ok_or(wrong("a heading that is no `[FORM REGION...]`"))?);
            continue;
        }
        pem.push_str(text);
        pem.push('\n');
        if text != END {
            continue;
        }
        let (form, regions) = heading.take().ok_or(wrong("a certificate without a heading"))?;
        let der = decode_pem(pem.as_bytes(), &["CERTIFICATE"]).map_err(|error| wrong(error.0))?;
        let certificate = Certificate::parse(&der).map_err(|error| wrong(error.0))?;
        certificates.entries.push(Arc::new(Entry { form, regions, certificate, origin }));
        pem.clear();
        if certificates.entries.len() > CERTIFICATES_MAX {
            return Err(CertificatesError::TooMany);
        }
    }
    let line = list.lines().count();
    if heading.is_some() || !pem.is_empty() {
        return Err(CertificatesError::Form { line, what: "the last certificate is not whole" });
    }
    if certificates.entries.is_empty() { Err(CertificatesError::Empty) } else { Ok(certificates) }
}

fn parse_heading(text: &str) -> Option<(Form, Vec<String>)> {
    let mut words = text.split_ascii_whitespace();
    let form = words.next()?.parse().ok()?;
    let regions: Vec<String> = words.map(str::to_owned).collect();
    (!regions.is_empty()).then_some((form, regions))
}
