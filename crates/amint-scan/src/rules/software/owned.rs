//! Which files packages brought.

use std::collections::HashSet;
use std::path::Path;

use amint_packages::apk::read_installed;
use amint_packages::dpkg::owned_paths;
use amint_packages::rpm::read_database;

use crate::{CheckError, Context};

const DPKG: &str = "/var/lib/dpkg/info";
const APK: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];
const RPM_FOLDERS: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
const RPM_NAMES: [&str; 3] = ["rpmdb.sqlite", "Packages.db", "Packages"];
/// The largest database that is read; one of 2,000 packages takes some 100 MB.
const DATABASE_BYTES_MAX: u64 = 1 << 30;

/// The paths that packages own.
pub(super) struct Owned {
    paths: HashSet<String>,
}

impl Owned {
    /// Reads the databases of dpkg, rpm and apk.
    pub(super) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut owned = Self { paths: HashSet::new() };
        for entry in cx.list(DPKG)? {
            let name = entry.name.to_string_lossy();
            if name.ends_with(".list") {
                let list = cx.read(&Path::new(DPKG).join(&entry.name))?.unwrap_or_default();
                for path in owned_paths(&list) {
                    owned.add(&String::from_utf8_lossy(path));
                }
            }
        }
        for path in APK {
            if let Some(bytes) = large(cx, path)? {
                for package in &read_installed(&bytes).packages {
                    package.files.iter().for_each(|(path, _)| owned.add(&path));
                }
            }
        }
        for folder in RPM_FOLDERS {
            for name in RPM_NAMES {
                let path = format!("{folder}/{name}");
                let Some(bytes) = large(cx, &path)? else { continue };
                let log = large(cx, &format!("{path}-wal"))?;
                let database = read_database(&bytes, log.as_deref()).map_err(|error| {
                    CheckError::Malformed { path: path.clone().into(), line: 1, what: error.to_string() }
                })?;
                for package in &database.packages {
                    package.files.iter().for_each(|(path, _)| owned.add(&path));
                }
            }
        }
        Ok(owned)
    }

    fn add(&mut self, path: &str) {
        self.paths.insert(plain(path));
    }

    /// Tells whether there is any database at all.
    pub(super) fn is_known(&self) -> bool {
        !self.paths.is_empty()
    }

    /// Tells whether a package owns a path.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.paths.contains(&plain(&path.to_string_lossy()))
    }
}

/// Writes a path as it stands where `/bin`, `/sbin` and `/lib*` are links into `/usr`.
fn plain(path: &str) -> String {
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let is_merged = ["/bin/", "/sbin/", "/lib/", "/lib64/", "/lib32/", "/libx32/"]
        .iter()
        .any(|start| path.starts_with(start));
    let path = if is_merged { format!("/usr{path}") } else { path };
    // Fedora and others made one of the two folders.
    path.replacen("/usr/sbin/", "/usr/bin/", 1)
}

fn large(cx: &Context<'_>, path: &str) -> Result<Option<Vec<u8>>, CheckError> {
    let Some(metadata) = cx.metadata_following(path)?.filter(amint_disk::tree::Metadata::is_file) else {
        return Ok(None);
    };
    if metadata.bytes == 0 {
        return Ok(None);
    }
    let bytes = cx.tree().read(path.as_ref(), DATABASE_BYTES_MAX)?;
    cx.note_read(path.as_ref());
    Ok(Some(bytes))
}
