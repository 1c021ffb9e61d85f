//! Where a package keeps the changelog of its source (Debian policy, section 12.7).

use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::Deb;

/// What a package has as its changelog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageChangelog<T> {
    /// What was made of its changelog.
    Found(T),
    /// Its documentation is that of this other package.
    In(String),
    /// It has none.
    Missing,
}

/// Looks for the changelog in the file of a package, and lets `read` make something of its text.
///
/// # Errors
/// Fails when the file is no package, cannot be unpacked, or when `read` fails.
pub fn read_changelog<T>(
    file: &Path,
    package: &str,
    read: impl FnOnce(&mut dyn BufRead) -> io::Result<T>,
) -> io::Result<PackageChangelog<T>> {
    let deb = Deb::open(file).map_err(io::Error::other)?;
    let mut archive = deb.data().map_err(io::Error::other)?;
    let folder = format!("./usr/share/doc/{package}");
    let candidates = ["changelog.Debian.gz", "changelog.gz"].map(|name| format!("{folder}/{name}"));
    let named = |name: Option<&str>| {
        let name = name.filter(|name| !name.is_empty() && *name != "..");
        name.map_or(PackageChangelog::Missing, |name| PackageChangelog::In(name.to_owned()))
    };
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let is_folder = path == folder;
        if !is_folder && !candidates.contains(&path) {
            continue;
        }
        if entry.header().entry_type().is_symlink() {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            let target = String::from_utf8_lossy(&target).into_owned();
            // A folder leads to another folder, a file to a file in another folder.
            return Ok(named(target.rsplit('/').nth(usize::from(!is_folder))));
        }
        if !is_folder {
            let mut text = BufReader::new(flate2::read::MultiGzDecoder::new(&mut entry));
            return read(&mut text).map(PackageChangelog::Found);
        }
    }
    Ok(PackageChangelog::Missing)
}
