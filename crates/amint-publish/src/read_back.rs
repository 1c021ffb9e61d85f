//! Proof: the blocks of a snapshot are those of the store.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use amint_store::Manifest;
use amint_types::{BLOCK_BYTES, Cancel, Digest};
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde::Serialize;

use crate::apply::ApplyError;
use crate::cloud::{CloudErrorClass, Region};
use crate::retry::{Patience, again};
use crate::upload::Progress;
use crate::wanted::{DIGEST_TAG, made_otherwise};
use crate::window::Window;

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
    let mut unseen = Unseen::of(manifest);
    let mut total = unseen.count;
    let mut found = ReadBack::default();
    let mut different = BTreeSet::new();
    let mut window = Window::new();
    let mut reads = FuturesUnordered::new();
    let (mut listed, mut page) = (Vec::new().into_iter(), Page::First);
    loop {
        while reads.len() < window.size() {
            if let Some((index, token)) = listed.next() {
                // What the store has nothing of is read as well.
                total += u64::from(!unseen.see(index));
                reads.push(read_one((region, snapshot_id), index, token, manifest, cancel));
                continue;
            }
            // A page at a time: tokens of all blocks would need more memory than the blocks that are read.
            let next = match page {
                Page::First => None,
                Page::Next(token) => Some(token),
                Page::None => break,
            };
            let ask = || region.list_blocks(snapshot_id, next.as_deref());
            let answer = again(Patience::Settled, cancel, ask).await?;
            listed = answer.blocks.into_iter();
            page = answer.next.map_or(Page::None, Page::Next);
        }
        let Some(read) = reads.next().await else { break };
        let Read { index, is_same, throttled } = read?;
        window.learn(throttled);
        found.blocks += 1;
        if !is_same {
            found.different += 1;
            different.insert(index);
            if different.len() > TOLD_MAX {
                different.pop_last();
            }
        }
        progress(found.blocks, total);
    }
    found.first_different = different.into_iter().collect();
    found.missing = unseen.count;
    Ok(found)
}

/// Which page of the list comes next.
enum Page {
    First,
    Next(String),
    None,
}

/// The blocks that carry something in the store, and were not listed yet.
struct Unseen {
    blocks: Vec<bool>,
    count: u64,
}

impl Unseen {
    fn of(manifest: &Manifest) -> Self {
        let blocks: Vec<bool> = manifest.blocks().iter().map(Option::is_some).collect();
        let count = blocks.iter().filter(|is_used| **is_used).count() as u64;
        Self { blocks, count }
    }

    /// Crosses a block off, and tells whether it was there to be.
    fn see(&mut self, index: u64) -> bool {
        let block = usize::try_from(index).ok().and_then(|index| self.blocks.get_mut(index));
        let was = block.is_some_and(std::mem::take);
        self.count -= u64::from(was);
        was
    }
}

/// What came of a block.
struct Read {
    index: u64,
    is_same: bool,
    /// How often the service asked for patience.
    throttled: u32,
}

/// Reads a block, and tells whether it is that of the store.
async fn read_one<R: Region>(
    (region, snapshot_id): (&R, &str),
    index: u64,
    token: String,
    manifest: &Manifest,
    cancel: &Cancel,
) -> Result<Read, ApplyError> {
    let throttled = AtomicU32::new(0);
    let ask = async || {
        let answer = region.get_block(snapshot_id, index, &token).await;
        let is_throttled = answer.as_ref().is_err_and(|error| error.class == CloudErrorClass::Throttled);
        throttled.fetch_add(u32::from(is_throttled), Ordering::Relaxed);
        answer
    };
    let bytes = again(Patience::Settled, cancel, ask).await?;
    let wanted =
        usize::try_from(index).ok().and_then(|index| manifest.blocks().get(index).copied().flatten());
    let length = manifest.disk_bytes().saturating_sub(index.saturating_mul(BLOCK_BYTES)).min(BLOCK_BYTES);
    // Hashing in the one task that waits for all would keep the others from being read.
    let judged = tokio::task::spawn_blocking(move || is_same(&bytes, wanted, length)).await;
    let is_same = judged.map_err(|error| ApplyError::Read { index, source: std::io::Error::other(error) })?;
    Ok(Read { index, is_same, throttled: throttled.into_inner() })
}

/// Compares a block with what the store has in its place: `length` bytes, and zeros behind them.
fn is_same(bytes: &[u8], wanted: Option<Digest>, length: u64) -> bool {
    let (content, rest) = bytes.split_at(bytes.len().min(usize::try_from(length).unwrap_or(0)));
    let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let is_same = match wanted {
        Some(digest) => Digest::of(content) == digest && is_zero(rest),
        None => is_zero(bytes),
    };
    is_same && bytes.len() as u64 == BLOCK_BYTES
}
