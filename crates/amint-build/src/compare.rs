//! Names what differs between two builds of the same recipe.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use amint_types::{BLOCK_BYTES, BlockSource, Cancel, Digest, DigestWriter};

/// Most differences that are named.
const NAMED_MAX: usize = 50;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: a path in the image, or `block N`.
    pub place: String,
    /// What differs, as a lower-case fragment.
    pub what: String,
}

/// Compares two trees by content, type, mode, owner and link target; times are the file system's business.
pub fn compare_trees(first: &Path, second: &Path, cancel: &Cancel) -> io::Result<Vec<Difference>> {
    let mut differences = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        if cancel.is_cancelled() || differences.len() >= NAMED_MAX {
            break;
        }
        let left = list(&first.join(&folder))?;
        let right = list(&second.join(&folder))?;
        for (name, metadata) in &left {
            let path = folder.join(name);
            let place = || format!("/{}", path.display());
            let Some(other) = right.get(name) else {
                differences.push(Difference { place: place(), what: "only in the first build".to_owned() });
                continue;
            };
            if let Some(what) = compare_entry(first, second, &path, metadata, other)? {
                differences.push(Difference { place: place(), what });
            } else if metadata.is_dir() {
                folders.push(path);
            }
        }
        for name in right.keys().filter(|name| !left.contains_key(*name)) {
            let place = format!("/{}", folder.join(name).display());
            differences.push(Difference { place, what: "only in the second build".to_owned() });
        }
    }
    differences.sort_by(|left, right| left.place.cmp(&right.place));
    Ok(differences)
}

type Listing = BTreeMap<std::ffi::OsString, fs::Metadata>;

fn list(folder: &Path) -> io::Result<Listing> {
    fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.file_name(), entry.metadata()?))
        })
        .collect()
}

fn compare_entry(
    first: &Path,
    second: &Path,
    path: &Path,
    left: &fs::Metadata,
    right: &fs::Metadata,
) -> io::Result<Option<String>> {
    if left.file_type() != right.file_type() {
        return Ok(Some("of another type".to_owned()));
    }
    if left.mode() != right.mode() {
        return Ok(Some(format!("mode {:o} and {:o}", left.mode() & 0o7777, right.mode() & 0o7777)));
    }
    if (left.uid(), left.gid()) != (right.uid(), right.gid()) {
        return Ok(Some("of another owner".to_owned()));
    }
    if left.is_symlink() {
        let targets = (fs::read_link(first.join(path))?, fs::read_link(second.join(path))?);
        if targets.0 != targets.1 {
            return Ok(Some(format!("links to {} and {}", targets.0.display(), targets.1.display())));
        }
    }
    if left.is_file() && digest(&first.join(path))? != digest(&second.join(path))? {
        return Ok(Some(format!("other content ({} and {} bytes)", left.len(), right.len())));
    }
    Ok(None)
}

fn digest(path: &Path) -> io::Result<Digest> {
    let mut file = fs::File::open(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    let mut writer = DigestWriter::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(writer.finish());
        }
        writer.update(&buffer[..count]);
    }
}

/// Compares two disks block by block; `name_of` tells what lies at a byte offset.
pub fn compare_disks(
    first: &dyn BlockSource,
    second: &dyn BlockSource,
    name_of: &dyn Fn(u64) -> String,
) -> io::Result<Vec<Difference>> {
    if first.disk_bytes() != second.disk_bytes() {
        let what = format!("{} and {} bytes", first.disk_bytes(), second.disk_bytes());
        return Ok(vec![Difference { place: "the disk".to_owned(), what }]);
    }
    let size = usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX);
    let (mut left, mut right) = (vec![0; size], vec![0; size]);
    let mut differences = Vec::new();
    for index in 0..first.block_count() {
        let left_count = first.read_block(index, &mut left)?;
        let right_count = second.read_block(index, &mut right)?;
        let same = match (left_count, right_count) {
            (Some(left_count), Some(right_count)) => left[..left_count] == right[..right_count],
            (None, None) => true,
            _ => false,
        };
        if !same {
            let place = format!("block {index}");
            differences.push(Difference { place, what: format!("in {}", name_of(index * BLOCK_BYTES)) });
            if differences.len() >= NAMED_MAX {
                break;
            }
        }
    }
    Ok(differences)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn tree(content: &str, mode: u32, target: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        let file = folder.path().join("etc/motd");
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        symlink(target, folder.path().join("link")).unwrap();
        folder
    }

    #[test]
    fn names_each_file_that_differs_and_how() {
        let first = tree("one", 0o644, "a");
        let second = tree("two", 0o644, "b");
        fs::write(second.path().join("extra"), "").unwrap();
        let differences = compare_trees(first.path(), second.path(), &Cancel::new()).unwrap();
        let places: Vec<_> = differences.iter().map(|difference| difference.place.as_str()).collect();
        assert_eq!(places, ["/etc/motd", "/extra", "/link"]);
        assert_eq!(differences[1].what, "only in the second build");
        let same = tree("one", 0o644, "a");
        assert_eq!(compare_trees(first.path(), same.path(), &Cancel::new()).unwrap(), []);
        let mode = tree("one", 0o600, "a");
        assert!(
            compare_trees(first.path(), mode.path(), &Cancel::new()).unwrap()[0].what.contains("644 and 600")
        );
    }
}
