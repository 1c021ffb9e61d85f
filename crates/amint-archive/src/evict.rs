//! Keeping the cache of packages small.

use std::collections::HashSet;
use std::fs;
use std::hash::BuildHasher;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use amint_types::Digest;

use crate::cache;

/// What was used this recently stays: another process may be about to read it.
const RECENT: Duration = Duration::from_hours(1);
/// A download that was left this long ago is not taken up again.
const ABANDONED: Duration = Duration::from_hours(7 * 24);

/// What [`evict_packages`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evicted {
    /// How many files were removed.
    pub files: u64,
    /// How many bytes they had.
    pub bytes: u64,
    /// How many bytes are left.
    pub bytes_left: u64,
}

/// Removes packages from a cache, the least recently used first, until it has at most `bytes_max` of them, and downloads
/// that broke off a week ago. Those in `keep` stay, and those that were used within the last hour.
pub fn evict_packages<S: BuildHasher>(
    cache: &Path,
    bytes_max: u64,
    keep: &HashSet<Digest, S>,
) -> io::Result<Evicted> {
    let now = SystemTime::now();
    let age = |used: SystemTime| now.duration_since(used).unwrap_or_default();
    let mut evicted = Evicted::default();
    let mut found = Vec::new();
    for folder in entries(&cache::packages(cache))? {
        found.extend(entries(&folder.path)?);
    }
    found.sort_by(|one, other| one.used.cmp(&other.used).then_with(|| one.path.cmp(&other.path)));
    evicted.bytes_left = found.iter().map(|file| file.bytes).sum();
    for file in found {
        if evicted.bytes_left <= bytes_max {
            break;
        }
        let is_kept = file.digest().is_some_and(|digest| keep.contains(&digest));
        if !is_kept && age(file.used) > RECENT {
            evicted.remove(&file)?;
            evicted.bytes_left -= file.bytes;
        }
    }
    for file in entries(&cache::partial(cache))? {
        // One that is locked is being downloaded, however old it looks. The lock is held until the file is gone, so
        // that nobody takes it up in between.
        let Ok(opened) = fs::File::open(&file.path) else { continue };
        if age(file.used) > ABANDONED && opened.try_lock().is_ok() {
            evicted.remove(&file)?;
        }
    }
    Ok(evicted)
}

impl Evicted {
    fn remove(&mut self, file: &Entry) -> io::Result<()> {
        match fs::remove_file(&file.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.files += 1;
        self.bytes += file.bytes;
        Ok(())
    }
}

struct Entry {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

impl Entry {
    fn digest(&self) -> Option<Digest> {
        self.path.file_stem()?.to_str()?.parse().ok()
    }
}

fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in listing {
        let entry = entry?;
        // What another process removed meanwhile is gone.
        let Ok(metadata) = entry.metadata() else { continue };
        found.push(Entry { path: entry.path(), bytes: metadata.len(), used: metadata.modified()? });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(cache: &Path, name: &str, hours: u64) -> Digest {
        let digest = Digest::of(name.as_bytes());
        let text = digest.to_string();
        let folder = cache::packages(cache).join(&text[..2]);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{text}.deb"));
        fs::write(&path, [0; 100]).unwrap();
        age(&path, hours);
        digest
    }

    fn age(path: &Path, hours: u64) {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(hours)).unwrap();
    }

    #[test]
    fn removes_the_least_recently_used_but_not_what_is_kept_or_recent() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path();
        let kept = put(cache, "kept", 50);
        put(cache, "oldest", 40);
        put(cache, "older", 30);
        put(cache, "old", 20);
        put(cache, "recent", 0);
        let keep = HashSet::from([kept]);
        let first = evict_packages(cache, 300, &keep).unwrap();
        assert_eq!(first, Evicted { files: 2, bytes: 200, bytes_left: 300 });
        let second = evict_packages(cache, 0, &keep).unwrap();
        assert_eq!(second, Evicted { files: 1, bytes: 100, bytes_left: 200 });
        assert_eq!(evict_packages(cache, 200, &keep).unwrap().files, 0);
    }

    #[test]
    fn removes_downloads_that_nobody_takes_up_again() {
        let folder = tempfile::tempdir().unwrap();
        let partial = cache::partial(folder.path());
        fs::create_dir_all(&partial).unwrap();
        for (name, hours) in [("a.partial", 8 * 24), ("b.partial", 2), ("c.partial", 8 * 24)] {
            fs::write(partial.join(name), [0; 10]).unwrap();
            age(&partial.join(name), hours);
        }
        let busy = fs::File::open(partial.join("c.partial")).unwrap();
        busy.lock().unwrap();
        assert_eq!(evict_packages(folder.path(), 0, &HashSet::new()).unwrap().files, 1);
        assert!(partial.join("b.partial").exists() && partial.join("c.partial").exists());
    }
}
