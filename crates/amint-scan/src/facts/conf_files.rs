//! Files of folders that stand above each other: `/etc/X.d` hides `/usr/lib/X.d`, name by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use amint_disk::tree::FileKind;

use crate::{CheckError, Context};

/// Lists the files named `*.conf` of some folders, most important first, in the order in which they are read: by name.
///
/// A file hides those of its name in later folders, and so does a link to `/dev/null`, which is left out itself
/// (sysctl.d(5), modprobe.d(5)).
pub(crate) fn conf_files(cx: &Context<'_>, folders: &[&str]) -> Result<Vec<PathBuf>, CheckError> {
    let mut files: BTreeMap<Vec<u8>, PathBuf> = BTreeMap::new();
    for folder in folders {
        for entry in cx.list(folder)? {
            let name = entry.name.as_encoded_bytes();
            let is_read = name.ends_with(b".conf") && !name.starts_with(b".");
            if is_read && matches!(entry.kind, FileKind::File | FileKind::Link) {
                let path = Path::new(folder).join(&entry.name);
                files.entry(name.to_vec()).or_insert(path);
            }
        }
    }
    let mut found = Vec::new();
    for path in files.into_values() {
        if cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file()) {
            found.push(path);
        }
    }
    Ok(found)
}
