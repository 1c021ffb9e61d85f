//! Collecting what no image needs.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use amint_types::{Cancel, Digest};
use serde::Serialize;
use serde_json::json;

use crate::error::StoreError;
use crate::layout::remove_file;
use crate::lock::exclusive;
use crate::operation::Outcome;
use crate::store::{Store, chain};
use crate::temporary::Litter;

/// What a collection removed, or would remove.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GcSummary {
    /// Images that had been removed or replaced.
    pub images_removed: u64,
    /// Manifests that no image has.
    pub manifests_removed: u64,
    /// Blocks that no image has.
    pub blocks_removed: u64,
    /// Bytes of those blocks and manifests.
    pub bytes_freed: u64,
    /// Work folders whose owner is gone.
    pub temporary_removed: u64,
    /// Work folders in use.
    pub temporary_live: u64,
    /// Work folders kept for a person.
    pub temporary_kept: u64,
    /// Work folders that could not be removed, each with the reason.
    pub unremovable: Vec<String>,
}

impl Store {
    /// Forgets images that were removed or replaced, and removes blocks, manifests and work folders that nothing
    /// needs. Waits until no process puts or reads; a dry run does so too, and counts what a collection would do.
    ///
    /// Stops with an error before anything is removed when a manifest cannot be read: what it needs is unknown then.
    pub fn gc(&self, dry_run: bool, cancel: &Cancel) -> Result<GcSummary, StoreError> {
        let inner = &*self.inner;
        let lock = exclusive(&inner.layout, inner.options.lock_wait, cancel)?;
        let live = self.live(cancel)?;
        let litter = Litter::find(&inner.layout, &lock)?;
        let collection = Collection { store: self, live, litter, dry_run, cancel };
        if dry_run {
            return collection.run();
        }
        let operation =
            self.begin("gc", "store", &json!({ "images_kept": collection.live.manifests.len() }))?;
        let summary = inner.log_failure(operation, collection.run())?;
        self.finish(operation, Outcome::Succeeded, &json!(summary))?;
        Ok(summary)
    }

    fn live(&self, cancel: &Cancel) -> Result<Live, StoreError> {
        let mut live = Live::default();
        for image in self.images(false)? {
            cancel.check()?;
            if live.manifests.insert(image.digest) {
                live.blocks.extend(self.manifest(image.digest)?.blocks().iter().flatten());
            }
        }
        for (_, manifest) in self.pins()? {
            cancel.check()?;
            if live.manifests.insert(manifest) {
                live.blocks.extend(self.manifest(manifest)?.blocks().iter().flatten());
            }
        }
        live.blocks.extend(self.blocks_on_their_way()?);
        Ok(live)
    }
}

/// What the images need.
#[derive(Default)]
struct Live {
    manifests: HashSet<Digest>,
    blocks: HashSet<Digest>,
}

struct Collection<'a> {
    store: &'a Store,
    live: Live,
    litter: Litter,
    dry_run: bool,
    cancel: &'a Cancel,
}

impl Collection<'_> {
    fn run(&self) -> Result<GcSummary, StoreError> {
        let inner = &*self.store.inner;
        let mut summary = GcSummary {
            temporary_live: self.litter.live,
            temporary_kept: self.litter.kept,
            ..GcSummary::default()
        };
        // The catalogue first: broken off after that, files are left that nobody trusts. The other way round, the
        // catalogue would vouch for blocks that are gone.
        summary.images_removed = inner.catalogue(|catalogue| {
            if self.dry_run {
                catalogue.count_gone()
            } else {
                catalogue.purge(&|block| self.live.blocks.contains(&block))
            }
        })?;
        for (file, name) in files(&inner.layout.manifests(), "")? {
            if !self.live.manifests.contains(&name) {
                summary.bytes_freed += self.remove(&file)?;
                summary.manifests_removed += 1;
            }
        }
        for folder in sorted(&inner.layout.blocks())? {
            let Some(prefix) = folder.file_name().and_then(|name| name.to_str()) else { continue };
            if prefix.len() != 2 || !folder.is_dir() {
                continue;
            }
            for (file, name) in files(&folder, prefix)? {
                if !self.live.blocks.contains(&name) {
                    summary.bytes_freed += self.remove(&file)?;
                    summary.blocks_removed += 1;
                }
            }
        }
        self.remove_litter(&mut summary)?;
        Ok(summary)
    }

    fn remove(&self, file: &Path) -> Result<u64, StoreError> {
        self.cancel.check()?;
        let bytes = fs::symlink_metadata(file).map_err(StoreError::io("read", file))?.len();
        if !self.dry_run {
            remove_file(file)?;
        }
        Ok(bytes)
    }

    fn remove_litter(&self, summary: &mut GcSummary) -> Result<(), StoreError> {
        for path in &self.litter.dead {
            self.cancel.check()?;
            // A tree that was made under other user ids is not ours to remove; the rest is freed all the same.
            match if self.dry_run { Ok(()) } else { Litter::remove(path) } {
                Ok(()) => summary.temporary_removed += 1,
                Err(error) => summary.unremovable.push(chain(&error)),
            }
        }
        Ok(())
    }
}

/// Returns the files of a folder whose names, after `prefix`, are digests; others are nobody's business here.
fn files(folder: &Path, prefix: &str) -> Result<Vec<(PathBuf, Digest)>, StoreError> {
    let digest = |path: &Path| format!("{prefix}{}", path.file_name()?.to_str()?).parse().ok();
    Ok(sorted(folder)?.into_iter().filter_map(|path| digest(&path).map(|digest| (path, digest))).collect())
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = || StoreError::io("read", folder);
    let entries = fs::read_dir(folder).map_err(failed())?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed())?;
    paths.sort();
    Ok(paths)
}
