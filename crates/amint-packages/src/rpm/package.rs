//! One installed package, and the keys that rpm keeps as if they were packages.

use amint_types::scan::{PackageKind, ScannedPackage};

use crate::bytes::cut;
use crate::purl::{Distribution, package_url};

use super::files::RpmFiles;
use super::header::{Header, HeaderError, tag};
use super::signature;

/// The name under which rpm keeps the keys that it trusts.
const KEY_NAME: &str = "gpg-pubkey";

/// Longest text that is kept; licences of the largest packages have some thousand bytes.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// A header does not describe a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RpmError {
    /// The bytes are no header.
    #[error("could not read a header")]
    Header(#[from] HeaderError),
    /// A tag that every package has is not there.
    #[error("a header has no {0}")]
    Missing(&'static str),
}

/// An installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpmPackage {
    /// Its name.
    pub name: String,
    /// Its epoch, where it has one.
    pub epoch: Option<u32>,
    /// Its version.
    pub version: String,
    /// Its release.
    pub release: String,
    /// Its architecture: `x86_64`, `noarch`.
    pub architecture: Option<String>,
    /// The file of its source package: `openssl-3.0.8-1.amzn2023.src.rpm`.
    pub source_file: Option<String>,
    /// Who sells or distributes it: `Amazon Linux`.
    pub vendor: Option<String>,
    /// The distribution that it was built for.
    pub distribution: Option<String>,
    /// Who built it.
    pub packager: Option<String>,
    /// Its licence expression.
    pub license: Option<String>,
    /// One line about it.
    pub summary: Option<String>,
    /// The module stream that it belongs to: `nodejs:18:8090020240101:a75119d5`.
    pub module: Option<String>,
    /// When it was installed, in seconds since 1970.
    pub installed_at: Option<u64>,
    /// When it was built, in seconds since 1970.
    pub built_at: Option<u64>,
    /// How much its files take, in bytes.
    pub size_bytes: Option<u64>,
    /// The key that signed it, as 16 hexadecimal digits; the signature itself is not verified.
    pub key_id: Option<String>,
    /// Its files.
    pub files: RpmFiles,
}

/// A key that rpm trusts (`gpg-pubkey`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RpmKey {
    /// The end of the key's id, 8 hexadecimal digits (rpm 6: the whole fingerprint).
    pub version: String,
    /// When the key was made, in hexadecimal digits.
    pub release: String,
    /// Whose key it is: `Amazon Linux <amazon-linux@amazon.com> public key`.
    pub summary: Option<String>,
    /// The key, base64 of its binary form.
    pub key: Option<String>,
}

/// What a header describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Package(Box<RpmPackage>),
    Key(RpmKey),
}

impl Record {
    /// Reads a header; `files_room` is how many files may be kept.
    pub(super) fn read(blob: &[u8], files_room: usize) -> Result<Self, RpmError> {
        let header = Header::parse(blob)?;
        let name = header.text(tag::NAME).ok_or(RpmError::Missing("name"))?;
        if name == KEY_NAME {
            return Ok(Self::Key(RpmKey::read(&header)?));
        }
        Ok(Self::Package(Box::new(RpmPackage::read(&header, files_room)?)))
    }
}

/// Returns text that tells something: rpm writes `(none)` for nothing.
fn told(header: &Header<'_>, tag: u32) -> Option<String> {
    let text = header.text(tag).filter(|text| !text.is_empty() && text != "(none)")?;
    Some(cut(&text, TEXT_BYTES_MAX).to_owned())
}

impl RpmKey {
    fn read(header: &Header<'_>) -> Result<Self, RpmError> {
        Ok(Self {
            version: told(header, tag::VERSION).ok_or(RpmError::Missing("version"))?,
            release: told(header, tag::RELEASE).ok_or(RpmError::Missing("release"))?,
            summary: told(header, tag::SUMMARY),
            key: told(header, tag::PUBKEYS),
        })
    }
}

impl RpmPackage {
    /// Reads a package out of a header; at most `files_room` of its files are kept.
    pub fn read(header: &Header<'_>, files_room: usize) -> Result<Self, RpmError> {
        let needed = |tag, what| told(header, tag).ok_or(RpmError::Missing(what));
        let key_id = [tag::RSAHEADER, tag::DSAHEADER, tag::SIGPGP, tag::SIGGPG]
            .into_iter()
            .find_map(|tag| signature::key_id(header.bytes(tag)?))
            .or_else(|| key_id_of_text(header));
        Ok(Self {
            name: needed(tag::NAME, "name")?,
            epoch: header.number(tag::EPOCH).and_then(|epoch| u32::try_from(epoch).ok()),
            version: needed(tag::VERSION, "version")?,
            release: needed(tag::RELEASE, "release")?,
            architecture: told(header, tag::ARCH),
            source_file: told(header, tag::SOURCERPM),
            vendor: told(header, tag::VENDOR),
            distribution: told(header, tag::DISTRIBUTION),
            packager: told(header, tag::PACKAGER),
            license: told(header, tag::LICENSE),
            summary: told(header, tag::SUMMARY),
            module: told(header, tag::MODULARITYLABEL),
            installed_at: header.number(tag::INSTALLTIME),
            built_at: header.number(tag::BUILDTIME),
            size_bytes: header.number(tag::LONGSIZE).or_else(|| header.number(tag::SIZE)),
            key_id,
            files: RpmFiles::read(header, files_room),
        })
    }

    /// Returns version and release: `3.0.8-1.amzn2023`.
    pub fn version_release(&self) -> String {
        format!("{}-{}", self.version, self.release)
    }

    /// Returns epoch, version and release, with the epoch 0 where there is none: `0:3.0.8-1.amzn2023`.
    pub fn full_version(&self) -> String {
        format!("{}:{}-{}", self.epoch.unwrap_or(0), self.version, self.release)
    }

    /// Returns name and version of the source package, out of the name of its file.
    pub fn source(&self) -> Option<(&str, &str)> {
        let stem = self.source_file.as_deref()?.strip_suffix(".rpm")?;
        let stem = stem.strip_suffix(".src").or_else(|| stem.strip_suffix(".nosrc"))?;
        let release_at = stem.rfind('-')?;
        let version_at = stem.get(..release_at)?.rfind('-')?;
        let (name, version) = (stem.get(..version_at)?, stem.get(version_at + 1..)?);
        (!name.is_empty()).then_some((name, version))
    }

    /// Returns its package URL.
    pub fn package_url(&self, distribution: &Distribution) -> String {
        let epoch = self.epoch.map(|epoch| epoch.to_string()).unwrap_or_default();
        let distro = distribution.qualifier().unwrap_or_default();
        let qualifiers = [
            ("arch", self.architecture.as_deref().unwrap_or_default()),
            ("distro", &distro),
            ("epoch", &epoch),
            ("upstream", self.source_file.as_deref().unwrap_or_default()),
        ];
        let namespace = distribution.namespace();
        package_url(PackageKind::Rpm, &namespace, &self.name, &self.version_release(), &qualifiers)
    }

    /// Makes the entry of a report; `path` is the database inside the image.
    pub fn scanned(&self, distribution: &Distribution, path: &str) -> ScannedPackage {
        let source = self.source();
        let is_other_version = |version: &&str| *version != self.version_release();
        ScannedPackage {
            kind: PackageKind::Rpm,
            name: self.name.clone(),
            version: self.full_version(),
            architecture: self.architecture.clone(),
            source: source.map(|(name, _)| name.to_owned()),
            source_version: source
                .map(|(_, version)| version)
                .filter(is_other_version)
                .map(ToOwned::to_owned),
            module: self.module.clone(),
            vendor: self.vendor.clone(),
            repository: None,
            licenses: self.license.clone().into_iter().collect(),
            path: path.to_owned(),
            owner: None,
            purl: self.package_url(distribution),
            has_code: None,
        }
    }
}

/// Reads the key out of the signatures of rpm 6, which are base64.
fn key_id_of_text(header: &Header<'_>) -> Option<String> {
    use base64::Engine as _;
    /// Signatures are some hundred bytes; those of post-quantum algorithms some ten thousand.
    const SIGNATURE_BYTES_MAX: usize = 256 * 1024;
    header.texts(tag::OPENPGP).take(16).filter(|text| text.len() <= SIGNATURE_BYTES_MAX).find_map(|text| {
        let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        signature::key_id(&base64::engine::general_purpose::STANDARD.decode(text).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::super::header::testing::header;
    use super::*;

    fn package(source: &str) -> RpmPackage {
        let source = format!("{source}\0");
        let blob = header(&[
            (tag::NAME, 6, 1, b"openssl-libs\0"),
            (tag::VERSION, 6, 1, b"3.0.8\0"),
            (tag::RELEASE, 6, 1, b"1.amzn2023\0"),
            (tag::EPOCH, 4, 1, &[0, 0, 0, 1]),
            (tag::ARCH, 6, 1, b"x86_64\0"),
            (tag::SOURCERPM, 6, 1, source.as_bytes()),
            (tag::VENDOR, 6, 1, b"(none)\0"),
            (tag::BASENAMES, 8, 3, b"a\0b\0c\0"),
            (tag::DIRNAMES, 8, 1, b"/etc/\0"),
            (tag::DIRINDEXES, 4, 3, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]),
            (tag::FILEFLAGS, 4, 3, &[0, 0, 0, 17, 0, 0, 0, 64, 0, 0, 0, 0]),
            (tag::FILEDIGESTS, 8, 3, b"900150983cd24fb0d6963f7d28e17f72\0\0\0"),
        ]);
        let Record::Package(package) = Record::read(&blob, 100).unwrap() else { panic!("a key") };
        *package
    }

    #[test]
    fn tells_versions_source_and_url() {
        let found = package("openssl-3.0.8-1.amzn2023.src.rpm");
        assert_eq!(found.full_version(), "1:3.0.8-1.amzn2023");
        assert_eq!(found.source(), Some(("openssl", "3.0.8-1.amzn2023")));
        assert_eq!(
            found.package_url(&Distribution::new("amzn", "2023")),
            "pkg:rpm/amzn/openssl-libs@3.0.8-1.amzn2023?arch=x86_64&distro=amzn-2023&epoch=1\
             &upstream=openssl-3.0.8-1.amzn2023.src.rpm"
        );
        let scanned = found.scanned(&Distribution::default(), "/db");
        assert_eq!((scanned.source.as_deref(), scanned.source_version), (Some("openssl"), None));
        assert_eq!(scanned.vendor, None);
        for odd in ["", "x.rpm", "-1-1.src.rpm", "a-1.src.rpm"] {
            assert_eq!(package(odd).source(), None, "{odd}");
        }
    }

    #[test]
    fn tells_files_and_counts_those_that_make_no_sense() {
        let files = package("").files;
        assert_eq!((files.len(), files.lost_count), (2, 1));
        let owned: Vec<_> = files.owned().collect();
        assert_eq!(owned[0].path, "/etc/a");
        assert!(owned[0].is_configuration && owned[0].digest.is_some() && !owned[0].may_differ);
        assert!(owned[1].may_differ && owned[1].may_be_missing);
    }
}
