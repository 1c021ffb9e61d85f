//! Proof: the blocks of a snapshot are those of the store.

use std::collections::BTreeMap;

use amint_store::Manifest;
use amint_types::{BLOCK_BYTES, Cancel, Digest};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;

use crate::apply::ApplyError;
use crate::cloud::Region;
use crate::retry::{Patience, again};
use crate::upload::Progress;
use crate::wanted::{DIGEST_TAG, made_otherwise};

/// How many blocks are read at once.
const READERS: usize = 16;
/// How many differing blocks are told by name.
const TOLD_MAX: usize = 20;

/// What reading a snapshot back found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReadBack {
    /// How many blocks were read.
    pub blocks: u64,
    /// How many differ.
    pub different: u64,
    /// The first of those.
    pub first_different: Vec<u64>,
    /// How many blocks carry something in the store, and are not in the snapshot.
    pub missing: u64,
}

impl ReadBack {
    /// Tells whether the snapshot has the very bytes.
    pub fn is_same(&self) -> bool {
        self.different == 0 && self.missing == 0
    }
}

/// An image of a region that amint published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Published {
    /// `ami-…`.
    pub image_id: String,
    /// Its name.
    pub name: String,
    /// Its snapshot.
    pub snapshot_id: String,
    /// The digest that its tag promises.
    pub digest: Option<Digest>,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// What it should be and is not: what every image of amint is, whatever it holds.
    pub differences: Vec<String>,
}

/// Looks for a published image by its id.
///
/// # Errors
/// Fails when the cloud refuses or fails.
pub async fn find_published<R: Region>(
    region: &R,
    image_id: &str,
    cancel: &Cancel,
) -> Result<Option<Published>, ApplyError> {
    let found = again(Patience::First, cancel, || region.image(image_id)).await?;
    let Some(image) = found else { return Ok(None) };
    let digest = image.tags.get(DIGEST_TAG).and_then(|text| text.parse().ok());
    let differences = made_otherwise(&image);
    Ok(Some(Published {
        image_id: image.id,
        name: image.name,
        snapshot_id: image.snapshot_id.unwrap_or_default(),
        digest,
        architecture: image.architecture,
        differences,
    }))
}

/// Reads all blocks of a snapshot and compares them with an image's.
///
/// # Errors
/// Fails when a block cannot be read: nothing is told of it then.
pub async fn read_back<R: Region>(
    region: &R,
    snapshot_id: &str,
    manifest: &Manifest,
    progress: &Progress<'_>,
    cancel: &Cancel,
) -> Result<ReadBack, ApplyError> {
    let mut tokens = BTreeMap::new();
    let mut page: Option<String> = None;
    loop {
        let ask = || region.list_blocks(snapshot_id, page.as_deref());
        let listed = again(Patience::Settled, cancel, ask).await?;
        tokens.extend(listed.blocks);
        page = listed.next;
        if page.is_none() {
            break;
        }
    }
    let total = tokens.len() as u64;
    let wanted = |index: u64| {
        usize::try_from(index).ok().and_then(|index| manifest.blocks().get(index).copied().flatten())
    };
    let used = manifest.blocks().iter().zip(0_u64..).filter(|(block, _)| block.is_some());
    let missing = used.filter(|(_, index)| !tokens.contains_key(index)).count() as u64;
    let mut found = ReadBack { missing, ..ReadBack::default() };
    let mut reads = stream::iter(tokens)
        .map(async |(index, token)| {
            let ask = || region.get_block(snapshot_id, index, &token);
            let bytes = again(Patience::Settled, cancel, ask).await?;
            let length = manifest.disk_bytes().saturating_sub(index * BLOCK_BYTES).min(BLOCK_BYTES);
            let (content, rest) = bytes.split_at(bytes.len().min(usize::try_from(length).unwrap_or(0)));
            let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
            let is_same = match wanted(index) {
                Some(digest) => Digest::of(content) == digest && is_zero(rest),
                None => is_zero(&bytes),
            };
            Ok::<_, ApplyError>((index, is_same && bytes.len() as u64 == BLOCK_BYTES))
        })
        .buffered(READERS);
    while let Some((index, is_same)) = reads.try_next().await? {
        found.blocks += 1;
        if !is_same {
            found.different += 1;
            if found.first_different.len() < TOLD_MAX {
                found.first_different.push(index);
            }
        }
        progress(found.blocks, total);
    }
    Ok(found)
}
