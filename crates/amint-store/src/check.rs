//! Reading everything, to find damage before it is needed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use amint_types::{Cancel, Digest, ImageRef};
use serde::Serialize;

use crate::error::StoreError;
use crate::parallel::{Progress, for_each};
use crate::reader::ImageReader;
use crate::store::{Store, chain};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The image that it harms: `NAME:VERSION`.
    pub image: String,
    /// The block's place on the disk; none when it is the manifest.
    pub block: Option<u64>,
    /// What is wrong, with the file's path.
    pub text: String,
}

/// What a check looked at and found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckSummary {
    /// Images, with those replaced.
    pub images: u64,
    /// Blocks that were read, each once.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong, by image and block.
    pub problems: Vec<Problem>,
}

impl CheckSummary {
    /// Tells whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Store {
    /// Reads every block of every image and compares it with its digest; `progress` is told bytes done and in all.
    ///
    /// Blocks found damaged lose their trust: the next put of the same bytes writes them anew.
    pub fn check(
        &self,
        progress: &(dyn Fn(u64, u64) + Sync),
        cancel: &Cancel,
    ) -> Result<CheckSummary, StoreError> {
        let lock = self.inner.lock_shared(cancel)?;
        let mut summary = CheckSummary::default();
        let mut images = Vec::new();
        for image in self.images(true)? {
            cancel.check()?;
            summary.images += 1;
            match self.manifest(image.digest) {
                Ok(manifest) => {
                    let lock = Arc::clone(&lock);
                    images.push(ImageReader::new(Arc::clone(&self.inner), image.reference(), manifest, lock));
                }
                Err(error) => summary.problems.push(problem(&image.reference(), None, &error)),
            }
        }
        let faults = verify(&images, &mut summary, progress, cancel)?;
        for image in &images {
            for (index, digest, _) in image.manifest().used() {
                if let Some(text) = faults.get(&digest) {
                    summary.problems.push(Problem {
                        image: image.image().to_string(),
                        block: Some(index),
                        text: text.clone(),
                    });
                }
            }
        }
        summary.problems.sort();
        summary.problems.dedup();
        Ok(summary)
    }
}

/// Reads each block once, however many images have it.
fn verify(
    images: &[ImageReader],
    summary: &mut CheckSummary,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<HashMap<Digest, String>, StoreError> {
    let mut known = HashSet::new();
    let mut blocks = Vec::new();
    for image in images {
        for (index, digest, bytes) in image.manifest().used() {
            if known.insert(digest) {
                blocks.push((image, index, digest, bytes));
                summary.bytes += bytes as u64;
            }
        }
    }
    summary.blocks = blocks.len() as u64;
    let done = Progress::new(summary.bytes, progress);
    let faults = for_each(summary.blocks, cancel, &|place, buffer| {
        let (image, index, digest, bytes) = blocks[usize::try_from(place).unwrap_or(usize::MAX)];
        let fault = image.verify(index, digest, &mut buffer[..bytes]).err();
        done.add(bytes as u64);
        Ok(fault.map(|error| {
            let fault: &dyn std::error::Error = &error.fault;
            (digest, format!("{}: {}", error.path.display(), chain(fault)))
        }))
    })?;
    Ok(faults.into_iter().map(|(_, fault)| fault).collect())
}

fn problem(image: &ImageRef, block: Option<u64>, error: &StoreError) -> Problem {
    Problem { image: image.to_string(), block, text: chain(error) }
}
