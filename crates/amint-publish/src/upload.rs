//! Sending blocks: as many at once as the service takes.

use std::sync::Arc;
use std::time::Duration;

use amint_store::{ImageReader, Manifest};
use amint_types::{BLOCK_BYTES, BlockSource, Cancel};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::apply::ApplyError;
use crate::buffers::Buffers;
use crate::cloud::{BlockData, CloudError, CloudErrorClass, Region};
use crate::journal::Journal;
use crate::retry::{Patience, may_pass, or_cancelled, pause};
use crate::window::{Pace, Window};

/// How long an attempt may take.
const ATTEMPT_MAX: Duration = Duration::from_secs(30);

/// How far an upload is.
pub type Progress<'a> = dyn Fn(u64, u64) + Sync + 'a;

/// The disk that is sent.
#[derive(Clone)]
pub(crate) struct Disk {
    pub(crate) image: Arc<ImageReader>,
    pub(crate) buffers: Buffers,
}

impl Disk {
    fn manifest(&self) -> &Manifest {
        self.image.manifest()
    }

    /// Reads a block as snapshots have it: whole, with zeros where the disk has none or ends. `block` is zeros.
    fn read(&self, index: u64, block: &mut [u8]) -> std::io::Result<()> {
        if index < self.manifest().blocks().len() as u64 {
            // A block that is not there leaves the buffer as it is, and a short one leaves its end.
            self.image.read_block(index, block)?;
        }
        Ok(())
    }

    /// Returns the SHA-256 of a block as snapshots have it, where the store knows it: not that of zeros, nor that of a
    /// block that is cut.
    fn known_digest(&self, index: u64) -> Option<[u8; 32]> {
        let known = usize::try_from(index).ok().and_then(|index| self.manifest().blocks().get(index));
        let is_cut = index == self.manifest().disk_bytes() / BLOCK_BYTES;
        known.copied().flatten().filter(|_| !is_cut).map(|digest| *digest.as_bytes())
    }

    /// Returns the SHA-256 of a block as snapshots have it.
    fn digest(&self, index: u64) -> std::io::Result<[u8; 32]> {
        if let Some(digest) = self.known_digest(index) {
            return Ok(digest);
        }
        let mut block = vec![0; usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX)];
        self.read(index, &mut block)?;
        Ok(Sha256::digest(&block).into())
    }

    async fn data(&self, index: u64) -> std::io::Result<BlockData> {
        let closed = || std::io::Error::other("there is no memory for blocks any more");
        let mut buffer = self.buffers.take().await.ok_or_else(closed)?;
        let _reader = self.buffers.reader().await.ok_or_else(closed)?;
        let disk = self.clone();
        let made = tokio::task::spawn_blocking(move || {
            disk.read(index, buffer.bytes_mut())?;
            let digest = disk.known_digest(index).unwrap_or_else(|| Sha256::digest(buffer.as_ref()).into());
            Ok(BlockData { bytes: Bytes::from_owner(buffer), checksum: STANDARD.encode(digest) })
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
            .and_then(|index| disk.manifest().blocks().get(index).copied().flatten())
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
    let (mut window, pace) = (Window::new(), Pace::default());
    let mut running = FuturesUnordered::new();
    let mut sent = 0;
    loop {
        while running.len() < window.size() {
            let Some(index) = left.next() else { break };
            running.push(send((region, snapshot_id), disk, index, &pace, cancel));
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
    target: (&R, &str),
    disk: &Disk,
    index: u64,
    pace: &Pace,
    cancel: &Cancel,
) -> Result<Sent, ApplyError> {
    let block = disk.data(index).await.map_err(|source| ApplyError::Read { index, source })?;
    let (mut attempt, mut throttled, mut waited) = (0, 0, Duration::ZERO);
    loop {
        match or_cancelled(cancel, attempt_once(target, index, &block, pace)).await? {
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
    (region, snapshot_id): (&R, &str),
    index: u64,
    block: &BlockData,
    pace: &Pace,
) -> Result<(), CloudError> {
    let put = async || {
        let started = Instant::now();
        let answer = region.put_block(snapshot_id, index, block).await;
        if answer.is_ok() {
            pace.learn(started.elapsed());
        }
        answer
    };
    let both = async {
        let first = put();
        tokio::pin!(first);
        if let Ok(answer) = tokio::time::timeout(pace.patience(), &mut first).await {
            return answer;
        }
        if !pace.may_repeat() {
            return first.await;
        }
        let second = put();
        tokio::pin!(second);
        // One failure says nothing while the other is on its way.
        tokio::select! {
            biased;
            answer = &mut first => match answer {
                Ok(()) => Ok(()),
                Err(_) => second.await,
            },
            answer = &mut second => match answer {
                Ok(()) => Ok(()),
                Err(_) => first.await,
            },
        }
    };
    tokio::time::timeout(ATTEMPT_MAX, both).await.unwrap_or_else(|_| {
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

#[cfg(test)]
mod tests {
    use amint_types::Cancel;

    use super::*;
    use crate::testing::{Fake, Faults, stored};

    /// Of forty blocks one is never answered: it is sent again long before the attempt is given up.
    #[tokio::test(start_paused = true)]
    async fn a_block_that_stalls_is_sent_a_second_time() {
        let content: Vec<u8> = (1..=40).collect();
        let (folder, store, record) = stored(&content);
        let region = Fake::new(Faults { stall_at: Some(35), ..Faults::default() });
        let snapshot = region.start_for_test().await;
        let disk = Disk { image: Arc::new(store.reader(&record).unwrap()), buffers: Buffers::default() };
        let mut journal = Journal::open(&folder.path().join("publish"), &snapshot).unwrap();
        let indexes: Vec<u64> = (0..40).collect();
        let started = Instant::now();
        let sent =
            upload(&region, &snapshot, &disk, &indexes, &mut journal, &|_, _| {}, &Cancel::new()).await;
        assert_eq!(sent.unwrap(), 40);
        assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
        assert_eq!(region.puts(), 40);
    }
}
