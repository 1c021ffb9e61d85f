//! Layers: what each step of a build changed in the tree, kept by everything the step depends on.
//!
//! A step's key is a digest of the key before it and of all its own inputs, so a layer is found exactly when the same
//! steps ran on the same inputs before. Layers are written beside each other and renamed into place: a layer that is
//! there is whole. Its parts are checked by SHA-256 while they are read; a damaged layer is removed and its step runs.

mod chain;
mod manifest;
mod record;
mod restore;
mod save;
mod state;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use amint_types::{Cancel, Digest};

pub(crate) use chain::{Asked, Chain};
pub(crate) use state::{Changes, TreeState, path_of};

use manifest::{FORMAT, Manifest};

const MANIFEST: &str = "manifest.json";
/// How old a layer that is being written may be before it counts as left behind.
const ABANDONED: Duration = Duration::from_hours(24);
/// Largest manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 1024 * 1024;

/// A digest of everything that a step's result depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(Digest);

impl Key {
    /// Begins a chain.
    pub(crate) fn start(inputs: &[&[u8]]) -> Self {
        let mut bytes = format!("amint layer {FORMAT}\n").into_bytes();
        append(&mut bytes, inputs);
        Self(Digest::of(&bytes))
    }

    /// Returns the key of a step that follows.
    pub(crate) fn then(self, inputs: &[&[u8]]) -> Self {
        let mut bytes = self.0.to_string().into_bytes();
        append(&mut bytes, inputs);
        Self(Digest::of(&bytes))
    }
}

/// Each input with its length, so that no two lists of inputs are the same bytes.
fn append(bytes: &mut Vec<u8>, inputs: &[&[u8]]) {
    for input in inputs {
        bytes.extend_from_slice(format!("{}\n", input.len()).as_bytes());
        bytes.extend_from_slice(input);
    }
}

/// The layers of all builds.
#[derive(Clone, Debug)]
pub struct LayerCache {
    folder: PathBuf,
}

/// A layer that is there.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    folder: PathBuf,
    manifest: Manifest,
}

impl Layer {
    /// Returns what the step found out.
    pub(crate) fn note(&self) -> &str {
        &self.manifest.note
    }

    /// Returns how long the step took when it ran.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_millis(self.manifest.elapsed_ms)
    }

    /// Returns the size of the layer in the cache.
    pub(crate) fn bytes(&self) -> u64 {
        self.manifest.shards.iter().map(|shard| shard.bytes).sum()
    }

    /// Brings the layer's changes into a tree.
    pub(crate) fn restore(&self, tree: &Path, cancel: &Cancel) -> io::Result<()> {
        // The time of the last use decides which layers go first.
        let _ =
            fs::File::open(self.folder.join(MANIFEST)).and_then(|file| file.set_modified(SystemTime::now()));
        restore::restore(&self.folder, &self.manifest.shards, tree, cancel)
    }

    /// Removes a layer that turned out to be damaged.
    pub(crate) fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

/// A step whose layer is to be kept.
pub(crate) struct Step<'a> {
    pub(crate) key: Key,
    pub(crate) title: &'a str,
    pub(crate) note: String,
    pub(crate) elapsed: Duration,
}

impl LayerCache {
    /// Opens the cache in a folder, which is made when the first layer is kept.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Finds the layer of a step; one that cannot be read is none.
    pub(crate) fn find(&self, key: Key) -> Option<Layer> {
        let folder = self.folder.join(key.0.to_string().replace(':', "-"));
        let manifest = folder.join(MANIFEST);
        let is_small = manifest.metadata().is_ok_and(|metadata| metadata.len() <= MANIFEST_BYTES_MAX);
        let text = is_small.then(|| fs::read(&manifest).ok()).flatten()?;
        let manifest: Manifest = serde_json::from_slice(&text).ok()?;
        (manifest.format == FORMAT).then_some(Layer { folder, manifest })
    }

    /// Keeps what a step changed.
    pub(crate) fn save(
        &self,
        step: Step<'_>,
        tree: &Path,
        changes: &Changes,
        cancel: &Cancel,
    ) -> io::Result<u64> {
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let temporary = tempfile::Builder::new().prefix(".new-").tempdir_in(&self.folder)?;
        let shards = save::save(tree, changes, temporary.path(), cancel)?;
        let bytes = shards.iter().map(|shard| shard.bytes).sum();
        let elapsed_ms = u64::try_from(step.elapsed.as_millis()).unwrap_or(u64::MAX);
        let manifest =
            Manifest { format: FORMAT, title: step.title.to_owned(), note: step.note, elapsed_ms, shards };
        fs::write(temporary.path().join(MANIFEST), serde_json::to_vec(&manifest)?)?;
        let target = self.folder.join(step.key.0.to_string().replace(':', "-"));
        match fs::rename(temporary.path(), &target) {
            Ok(()) => {
                // It has another name now: there is nothing left to remove under the old one.
                let _ = temporary.keep();
                Ok(bytes)
            }
            // Another build was faster, with the same result.
            Err(error) if target.is_dir() && error.kind() != io::ErrorKind::StorageFull => Ok(bytes),
            Err(error) => Err(error),
        }
    }

    /// Removes layers, those first that were not used for longest, until all together are within a limit.
    pub fn evict(&self, bytes_max: u64) -> io::Result<u64> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut layers = Vec::new();
        for entry in entries {
            let folder = entry?.path();
            let bytes: u64 = fs::read_dir(&folder)?
                .filter_map(|file| file.ok()?.metadata().ok().map(|metadata| metadata.len()))
                .sum();
            let is_new = folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            let age = fs::metadata(&folder)?.modified()?.elapsed().unwrap_or_default();
            if is_new && age < ABANDONED {
                // Somebody is writing it.
                continue;
            }
            let used = fs::metadata(folder.join(MANIFEST)).or_else(|_| fs::metadata(&folder))?.modified()?;
            layers.push((used, folder, bytes));
        }
        layers.sort();
        let mut total: u64 = layers.iter().map(|(_, _, bytes)| bytes).sum();
        let mut freed = 0;
        for (_, folder, bytes) in layers {
            if total <= bytes_max {
                break;
            }
            fs::remove_dir_all(&folder)?;
            total -= bytes;
            freed += bytes;
        }
        Ok(freed)
    }
}

#[cfg(test)]
mod tests;
