//! Advisories of the repositories of rpm packages that an image is set up to use.
//!
//! The file of advisories is checked against the SHA-256 of the repository's description. The description's own
//! signature is not checked: what a repository says is as good as the connection to it.

use std::fs::File;
use std::io::{self, Read as _};

use amint_packages::repositories::{Manager, Repository};
use amint_types::{DigestWriter, EventSink};
use amint_vuln::{Builder, ImporterKind, Input};
use jiff::Timestamp;

use crate::download::{DOWNLOAD_BYTES_MAX, DownloadError, Downloaded, Downloads};
use crate::error::FeedError;
use crate::installed::Installed;
use crate::repomd::{REPOMD_BYTES_MAX, read_repomd};

/// Largest list of mirrors.
const LIST_BYTES_MAX: u64 = 1024 * 1024;

/// What repositories gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateCounts {
    /// Repositories with advisories.
    pub repositories: usize,
    /// Repositories that publish none.
    pub without: usize,
}

/// Fetches the advisories of the enabled repositories of rpm packages; `now` dates what tells no day itself.
///
/// # Errors
/// Fails when a repository with an address cannot be reached, or when its advisories are not what it describes.
pub fn add_updates(
    builder: &mut Builder,
    installed: &Installed,
    downloads: &Downloads,
    now: Timestamp,
    sink: &dyn EventSink,
) -> Result<UpdateCounts, FeedError> {
    let mut counts = UpdateCounts::default();
    let is_of_rpm = |repository: &&Repository| {
        repository.is_enabled && matches!(repository.manager, Manager::Dnf | Manager::Zypper)
    };
    for repository in installed.repositories.iter().filter(is_of_rpm) {
        let id = repository.id.as_deref().unwrap_or("repository");
        // The name tells how far the source can be trusted.
        let name = format!("{}/{id} (signature not checked)", installed.ecosystem);
        let failed = |source| FeedError::Download { name: name.clone(), source };
        let Some(base) = base_address(repository, downloads).map_err(failed)? else {
            let text = format!("the repository `{id}` has no plain address: its advisories are not fetched");
            sink.warn(&text, None);
            continue;
        };
        let base = base.trim_end_matches('/');
        let description =
            downloads.fetch(&format!("{base}/repodata/repomd.xml"), REPOMD_BYTES_MAX).map_err(failed)?;
        let text = read_all(&description, REPOMD_BYTES_MAX).map_err(failed)?;
        let file = read_repomd(&text).map_err(|source| FeedError::Repomd { name: name.clone(), source })?;
        let Some(file) = file else {
            counts.without += 1;
            continue;
        };
        let updates =
            downloads.fetch(&format!("{base}/{}", file.path), DOWNLOAD_BYTES_MAX).map_err(failed)?;
        check(&updates, &file.sha256, &name)?;
        let kind = ImporterKind::UpdateInfo { ecosystem: installed.ecosystem.clone(), repository: None };
        let date = file.date.or(description.date).unwrap_or(now);
        builder.add(&name, date, &kind, Input::File(updates.path().to_owned()))?;
        counts.repositories += 1;
    }
    Ok(counts)
}

/// Finds an address with all variables filled in.
fn base_address(repository: &Repository, downloads: &Downloads) -> Result<Option<String>, DownloadError> {
    let is_plain = |uri: &&str| {
        ["http://", "https://", "file:"].iter().any(|start| uri.starts_with(start)) && !uri.contains('$')
    };
    if let Some(uri) = repository.uris.iter().map(String::as_str).find(is_plain) {
        return Ok(Some(uri.to_owned()));
    }
    let Some(list) = repository.mirror_list.as_deref().filter(is_plain) else { return Ok(None) };
    let list = downloads.fetch(list, LIST_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&read_all(&list, LIST_BYTES_MAX)?).into_owned();
    Ok(text.lines().map(str::trim).find(is_plain).map(str::to_owned))
}

fn read_all(file: &Downloaded, bytes_max: u64) -> Result<Vec<u8>, DownloadError> {
    let failed = |source| DownloadError::File { path: file.path().to_owned(), source };
    let mut bytes = Vec::new();
    File::open(file.path()).map_err(failed)?.take(bytes_max).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn check(file: &Downloaded, sha256: &amint_types::Digest, name: &str) -> Result<(), FeedError> {
    let failed = |source| FeedError::Index { name: name.to_owned(), source };
    let mut digest = DigestWriter::new();
    io::copy(&mut File::open(file.path()).map_err(failed)?, &mut digest).map_err(failed)?;
    if digest.finish() == *sha256 {
        return Ok(());
    }
    let text = "it is not the file that its repository describes";
    Err(failed(io::Error::new(io::ErrorKind::InvalidData, text)))
}
