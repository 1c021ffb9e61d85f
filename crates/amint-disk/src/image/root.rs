//! The root file system on its partition.

use std::fs::File;
use std::ops::Range;
use std::path::Path;

use amint_types::Cancel;

use super::spec::DiskSpec;
use super::{ImageError, ids};
use crate::ext4::{self, Ext4Error, Ext4Options};

/// Returns the bytes that a file system with the tree needs at least.
pub(super) fn minimum_bytes(tree: &Path) -> Result<u64, ImageError> {
    ext4::minimum_bytes(tree).map_err(ImageError::Root)
}

/// Writes the file system to its partition and returns how many bytes it uses.
pub(super) fn write(
    tree: &Path,
    output: Output<'_>,
    partition: &Range<u64>,
    spec: &DiskSpec,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<u64, ImageError> {
    let options = Ext4Options {
        bytes: partition.end - partition.start,
        uuid: spec.root_uuid,
        label: spec.root_label.clone(),
        hash_seed: ids::root_hash_seed(&spec.seed),
        epoch: spec.epoch,
    };
    ext4::write_tree(tree, output.file, partition.start, &options, progress, cancel)
        .map(|summary| summary.used_bytes)
        .map_err(|error| match error {
            // An interruption stays one and a full disk names the output, whichever engine met it.
            Ext4Error::Cancelled(cancelled) => ImageError::Cancelled(cancelled),
            Ext4Error::Write { source, .. } => ImageError::write("the root file system", output.path)(source),
            error => ImageError::Root(error),
        })
}

/// The disk being written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output<'a> {
    pub(super) file: &'a File,
    /// The name it will have.
    pub(super) path: &'a Path,
}
