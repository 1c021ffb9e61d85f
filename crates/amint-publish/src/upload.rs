//! Sending blocks: as many at once as the service takes.

use std::sync::Arc;
use std::time::Duration;

use amint_store::Manifest;
use amint_types::{BLOCK_BYTES, BlockSource, Cancel};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use sha2::{Digest as _, Sha256};

use crate::apply::ApplyError;
use crate::cloud::{BlockData, CloudError, CloudErrorClass, Region};
use crate::journal::Journal;
use crate::retry::{Patience, may_pass, or_cancelled, pause};

/// How many blocks are on their way at first.
const WINDOW_START: f64 = 8.0;
/// How many blocks are on their way at most: with their buffers 32 MiB.
const WINDOW_MAX: f64 = 64.0;
/// How long a block may take before it is sent a second time beside the first: what stalls is seldom the block.
const HEDGE_AFTER: Duration = Duration::from_secs(5);
/// How long an attempt may take.
const ATTEMPT_MAX: Duration = Duration::from_secs(30);

/// How far an upload is.
pub type Progress<'a> = dyn Fn(u64, u64) + Sync + 'a;

/// The disk that is sent.
#[derive(Clone)]
pub(crate) struct Disk {
    pub(crate) source: Arc<dyn BlockSource>,
    pub(crate) manifest: Arc<Manifest>,
}

impl Disk {
    /// Returns a block as snapshots have it: whole, with zeros where the disk has none or ends.
    fn block(&self, index: u64) -> std::io::Result<Vec<u8>> {
        let mut block = vec![0; usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX)];
        if index < self.manifest.blocks().len() as u64 {
            // A block that is not there leaves the buffer as it is, and a short one leaves its end.
            self.source.read_block(index, &mut block)?;
        }
        Ok(block)
    }

    /// Returns the SHA-256 of a block as snapshots have it.
    pub(crate) fn digest(&self, index: u64) -> std::io::Result<[u8; 32]> {
        let known = usize::try_from(index).ok().and_then(|index| self.manifest.blocks().get(index));
        let is_cut = index == self.manifest.disk_bytes() / BLOCK_BYTES;
        match known.copied().flatten() {
            Some(digest) if !is_cut => Ok(*digest.as_bytes()),
            _ => Ok(Sha256::digest(self.block(index)?).into()),
        }
    }

    async fn data(&self, index: u64) -> std::io::Result<BlockData> {
        let disk = self.clone();
        let made = tokio::task::spawn_blocking(move || {
            let bytes = Bytes::from(disk.block(index)?);
            let digest = disk.digest(index)?;
            Ok(BlockData { bytes, checksum: STANDARD.encode(digest) })
        });
        made.await.map_err(std::io::Error::other)?
    }
}

/// Returns the checksum of all blocks: the SHA-256 of their SHA-256 in the order of their indexes
/// (`CompleteSnapshot`, `LINEAR`).
pub(crate) fn checksum(disk: &Disk, indexes: &[u64]) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut zeros: Option<[u8; 32]> = None;
    for index in indexes {
        let is_zero = usize::try_from(*index)
            .ok()
            .and_then(|index| disk.manifest.blocks().get(index).copied().flatten())
            .is_none();
        let digest = match zeros.filter(|_| is_zero) {
            Some(digest) => digest,
            None => disk.digest(*index)?,
        };
        if is_zero {
            zeros = Some(digest);
        }
        hasher.update(digest);
    }
    Ok(STANDARD.encode(hasher.finalize()))
}

/// Sends the blocks of a snapshot that were not sent before.
pub(crate) async fn upload<R: Region>(
    region: &R,
    snapshot_id: &str,
    disk: &Disk,
    indexes: &[u64],
    journal: &mut Journal,
    progress: &Progress<'_>,
    cancel: &Cancel,
) -> Result<u64, ApplyError> {
    let mut left =
        indexes.iter().copied().filter(|index| !journal.has(*index)).collect::<Vec<_>>().into_iter();
    let (total, mut done) = (indexes.len() as u64, (indexes.len() - left.len()) as u64);
    progress(done, total);
    let mut window = Window::new();
    let mut running = FuturesUnordered::new();
    let mut sent = 0;
    loop {
        while running.len() < window.size() {
            let Some(index) = left.next() else { break };
            running.push(send(region, snapshot_id, disk, index, cancel));
        }
        let Some(block) = running.next().await else { return Ok(sent) };
        let block = block?;
        window.learn(block.throttled);
        journal.add(block.index)?;
        (done, sent) = (done + 1, sent + 1);
        progress(done, total);
    }
}

struct Sent {
    index: u64,
    throttled: u32,
}

async fn send<R: Region>(
    region: &R,
    snapshot_id: &str,
    disk: &Disk,
    index: u64,
    cancel: &Cancel,
) -> Result<Sent, ApplyError> {
    let block = disk.data(index).await.map_err(|source| ApplyError::Read { index, source })?;
    let (mut attempt, mut throttled, mut waited) = (0, 0, Duration::ZERO);
    loop {
        match or_cancelled(cancel, attempt_once(region, snapshot_id, index, &block)).await? {
            Ok(()) => return Ok(Sent { index, throttled }),
            Err(error) => {
                attempt += 1;
                // The snapshot was just begun: not every machine of the service knows it yet.
                if !may_pass(&error, Patience::Young, attempt, waited) {
                    return Err(error.into());
                }
                throttled += u32::from(error.class == CloudErrorClass::Throttled);
                let pause = pause(attempt, index);
                waited += pause;
                or_cancelled(cancel, tokio::time::sleep(pause)).await?;
            }
        }
    }
}

/// Sends a block; one that takes long is sent a second time, and whichever is confirmed first counts.
async fn attempt_once<R: Region>(
    region: &R,
    snapshot_id: &str,
    index: u64,
    block: &BlockData,
) -> Result<(), CloudError> {
    let first = region.put_block(snapshot_id, index, block);
    let late = async {
        tokio::time::sleep(HEDGE_AFTER).await;
        region.put_block(snapshot_id, index, block).await
    };
    tokio::pin!(first, late);
    let either = async {
        tokio::select! {
            biased;
            answer = &mut first => answer,
            answer = &mut late => answer,
        }
    };
    tokio::time::timeout(ATTEMPT_MAX, either).await.unwrap_or_else(|_| {
        Err(CloudError {
            operation: "ebs:PutSnapshotBlock",
            region: region.name().to_owned(),
            class: CloudErrorClass::Transient,
            code: None,
            message: format!("no answer within {} s", ATTEMPT_MAX.as_secs()),
            request_id: None,
        })
    })
}

/// How many blocks may be on their way: more by one for each windowful that got through, half when the service asks for
/// patience (additive increase, multiplicative decrease: RFC 5681, section 3.1).
struct Window {
    size: f64,
    /// How many answers until it may be halved again: those on their way know nothing of the last time.
    deaf: usize,
}

impl Window {
    fn new() -> Self {
        Self { size: WINDOW_START, deaf: 0 }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 64")]
    fn size(&self) -> usize {
        self.size as usize
    }

    fn learn(&mut self, throttled: u32) {
        self.deaf = self.deaf.saturating_sub(1);
        if throttled == 0 {
            self.size = (self.size + 1.0 / self.size).min(WINDOW_MAX);
        } else if self.deaf == 0 {
            self.size = (self.size / 2.0).max(1.0);
            self.deaf = self.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_grows_by_one_a_round_and_is_halved_once_a_round() {
        let mut window = Window::new();
        for _ in 0..8 {
            window.learn(0);
        }
        assert_eq!(window.size(), 8);
        for _ in 0..4 {
            window.learn(0);
        }
        assert_eq!(window.size(), 9);
        window.learn(1);
        window.learn(3);
        assert_eq!(window.size(), 4);
        for _ in 0..100_000 {
            window.learn(0);
        }
        assert_eq!(window.size(), 64);
    }
}
