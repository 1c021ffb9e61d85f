//! The real archive, from the mirror that this host's apt uses.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use amint_archive::{ArchiveError, Client, ClientSettings, PackageFile, Proxies, Suite, package_location};
use amint_debian::control::Paragraphs;
use amint_types::{Cancel, Digest, NullSink};
use jiff::Timestamp;

use super::gpgv::{gpgv, has};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Finds the first mirror of Debian in apt's sources.
fn mirror() -> Option<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    files.extend(fs::read_dir("/etc/apt/sources.list.d").ok()?.flatten().map(|entry| entry.path()));
    let texts = files.iter().filter_map(|path| fs::read_to_string(path).ok());
    let words: Vec<String> =
        texts.flat_map(|text| text.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>()).collect();
    let is_mirror =
        |word: &&String| word.starts_with("http") && word.trim_end_matches('/').ends_with("/debian");
    words.iter().find(is_mirror).cloned()
}

/// Finds a Release in the cache by its digest.
fn release_of(releases: &Path, digest: &Digest) -> PathBuf {
    let mut paths = fs::read_dir(releases).unwrap().map(|entry| entry.unwrap().path().join("InRelease"));
    paths.find(|path| Digest::of(&fs::read(path).unwrap()) == *digest).unwrap()
}

#[test]
fn reads_the_real_archive() {
    let Some(uri) = mirror().filter(|_| Path::new(KEYRING).exists()) else {
        eprintln!("SKIPPED: apt knows no mirror of Debian here, or its keyring is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut settings = ClientSettings::new(folder.path().join("cache"), Timestamp::now());
    settings.proxies = Proxies::from_env();
    settings.retries = 1;
    let client = Client::new(settings).unwrap();
    let suite = |suite: &str| Suite {
        uri: uri.clone(),
        suite: suite.to_owned(),
        components: vec!["main".to_owned()],
        keyring: PathBuf::from(KEYRING),
    };
    let suites = [suite("trixie"), suite("trixie-updates")];
    let start = Instant::now();
    let found = match client.indexes(&suites, "amd64", "indexes", &NullSink, &Cancel::new()) {
        Ok(found) => found,
        Err(ArchiveError::Unreachable { .. } | ArchiveError::Status { .. }) => {
            eprintln!("SKIPPED: no mirror of Debian can be reached");
            return;
        }
        Err(error) => panic!("{error:?}"),
    };
    eprintln!("indexes of {} suites in {:?}", found.len(), start.elapsed());
    for suite in &found {
        assert!(!suite.signers.is_empty(), "{suite:?}");
        if has("gpgv") {
            let path = release_of(&folder.path().join("cache/releases"), &suite.release_sha256);
            assert_eq!(suite.signers, gpgv(Path::new(KEYRING), &path));
        }
    }
    assert_eq!(found[0].codename.as_deref(), Some("trixie"));
    let mut paragraphs = Paragraphs::new(found[0].indexes[0].open().unwrap());
    let package =
        paragraphs.find(|paragraph| paragraph.as_ref().unwrap().get("Package") == Some("base-files"));
    let package = package.unwrap().unwrap();
    let field = |name| package.get(name).unwrap();
    let wanted = PackageFile {
        name: "base-files".to_owned(),
        bytes: field("Size").parse().unwrap(),
        sha256: field("SHA256").parse().unwrap(),
        locations: vec![package_location(&uri, field("Filename")).unwrap()],
    };
    let paths = client.packages(&[wanted], "packages", &NullSink, &Cancel::new()).unwrap();
    assert!(fs::read(&paths[0]).unwrap().starts_with(b"!<arch>\n"));
}
