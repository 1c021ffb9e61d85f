//! A volume: layers over blocks of the store.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use amint_store::{ImageReader, Store, StoreError};
use amint_types::{BLOCK_BYTES, BlockSource, Digest};

use super::layer::{Layer, PAGE_BYTES, PAGES_OF_BLOCK, numbers};

/// How many blocks of the store are remembered: they are verified as a whole, and guests read them page by page.
const BLOCKS_REMEMBERED: usize = 96;

/// An open volume.
#[derive(Debug)]
pub(crate) struct Disk {
    store: Store,
    id: String,
    folder: PathBuf,
    bytes: u64,
    content: Mutex<Content>,
    /// Held while a snapshot is written: one after the other.
    snapshot: Mutex<()>,
}

#[derive(Debug)]
struct Content {
    base: Option<Base>,
    /// From the lowest to the one that is written.
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Base {
    reader: ImageReader,
    remembered: VecDeque<(u64, Option<Arc<[u8]>>)>,
}

/// A moment of a volume.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The last layer that was written by then.
    layer: u64,
}

impl Disk {
    /// Opens a volume with what lies in its folder; the store has its base pinned under its id, if it has one.
    pub(super) fn open(store: &Store, id: &str, folder: PathBuf, bytes: u64) -> io::Result<Self> {
        let mut layers = Vec::new();
        for number in numbers(&folder)? {
            layers.push(Layer::open(&folder, number)?);
        }
        if layers.is_empty() {
            layers.push(Layer::open(&folder, 0)?);
        }
        let base = open_base(store, id)?;
        Ok(Self {
            store: store.clone(),
            id: id.to_owned(),
            folder,
            bytes,
            content: Mutex::new(Content { base, layers }),
            snapshot: Mutex::default(),
        })
    }

    /// Returns the id of the volume.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Returns the size of the volume.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, offset: u64, length: u64) -> io::Result<()> {
        match offset.checked_add(length) {
            Some(end) if end <= self.bytes => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "beyond the end of the volume")),
        }
    }

    /// Reads bytes.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.check(offset, buffer.len() as u64)?;
        self.content().read(offset, buffer)
    }

    /// Writes bytes. They are durable after [`flush`](Self::flush).
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.check(offset, bytes.len() as u64)?;
        self.content().write(offset, bytes)
    }

    /// Makes bytes zero.
    pub(crate) fn zero(&self, offset: u64, length: u64) -> io::Result<()> {
        self.check(offset, length)?;
        self.content().zero(offset, length)
    }

    /// Makes everything that was written durable.
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.content().top()?.flush()
    }

    /// Remembers how the volume is now: what is written from now on goes to another layer.
    pub(crate) fn freeze(&self) -> io::Result<Moment> {
        let mut content = self.content();
        let top = content.top()?;
        top.flush()?;
        let layer = top.number;
        let next = Layer::open(&self.folder, layer + 1)?;
        content.layers.push(next);
        Ok(Moment { layer })
    }

    /// Puts what changed until a moment into the store, upon what the volume lies on, as the disk that `snapshot_id`
    /// pins. The volume lies upon that disk afterwards, and its layers until then are gone.
    pub(crate) fn store_moment(&self, moment: Moment, snapshot_id: &str) -> Result<Digest, StoreError> {
        let _one = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |source| StoreError::Source { index: 0, source };
        let writer = self.store.writer(snapshot_id)?;
        let (base, blocks) = {
            let content = self.content();
            let base = content.base.as_ref().map(|base| base.reader.manifest().digest());
            let frozen = content.layers.iter().filter(|layer| layer.number <= moment.layer);
            (base, frozen.flat_map(Layer::blocks).collect::<BTreeSet<u64>>())
        };
        let mut block = vec![0; block_bytes()];
        for index in blocks {
            // The guest goes on between two blocks.
            self.content().read_block(index, Some(moment.layer), &mut block).map_err(failed)?;
            writer.put(index, &block)?;
        }
        let digest = writer.finish(base, self.bytes, snapshot_id)?;
        self.store.pin(&self.id, digest)?;
        let base = open_base(&self.store, &self.id).map_err(failed)?;
        let mut content = self.content();
        content.base = base;
        let (frozen, layers) =
            std::mem::take(&mut content.layers).into_iter().partition(|layer| layer.number <= moment.layer);
        content.layers = layers;
        drop(content);
        let frozen: Vec<Layer> = frozen;
        for layer in frozen {
            // What stays says the same as the base.
            let _ = layer.remove();
        }
        Ok(digest)
    }
}

fn block_bytes() -> usize {
    usize::try_from(BLOCK_BYTES).expect("a block fits into memory")
}

fn open_base(store: &Store, id: &str) -> io::Result<Option<Base>> {
    let pins = store.pins().map_err(io::Error::other)?;
    if pins.iter().all(|(name, _)| name != id) {
        return Ok(None);
    }
    let label = id.parse().map_err(|_| io::Error::other("the id of the volume is none"))?;
    let reader = store.pinned(id, label).map_err(io::Error::other)?;
    Ok(Some(Base { reader, remembered: VecDeque::new() }))
}

impl Base {
    /// Returns a block; none when it is zero or beyond the end.
    fn block(&mut self, index: u64) -> io::Result<Option<Arc<[u8]>>> {
        if let Some(at) = self.remembered.iter().position(|(known, _)| *known == index)
            && let Some(entry) = self.remembered.remove(at)
        {
            self.remembered.push_back(entry.clone());
            return Ok(entry.1);
        }
        let count = self.reader.manifest().blocks().len() as u64;
        let mut buffer = vec![0; block_bytes()];
        let read = if index < count { self.reader.read_block(index, &mut buffer)? } else { None };
        let block: Option<Arc<[u8]>> = read.map(|_| buffer.into());
        if self.remembered.len() >= BLOCKS_REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back((index, block.clone()));
        Ok(block)
    }
}

impl Content {
    fn top(&mut self) -> io::Result<&mut Layer> {
        self.layers.last_mut().ok_or_else(|| io::Error::other("the volume has no layer"))
    }

    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        while done < buffer.len() {
            let at = offset + done as u64;
            let within = at % BLOCK_BYTES;
            let length = usize::try_from(BLOCK_BYTES - within).unwrap_or(usize::MAX).min(buffer.len() - done);
            self.read_within(at / BLOCK_BYTES, within, None, &mut buffer[done..done + length])?;
            done += length;
        }
        Ok(())
    }

    /// Reads a whole block, as it was when `last_layer` was written.
    fn read_block(&mut self, index: u64, last_layer: Option<u64>, block: &mut [u8]) -> io::Result<()> {
        self.read_within(index, 0, last_layer, block)
    }

    /// Reads bytes of one block, run by run: pages of one source that lie side by side.
    fn read_within(
        &mut self,
        index: u64,
        start: u64,
        last_layer: Option<u64>,
        buffer: &mut [u8],
    ) -> io::Result<()> {
        let end = start + buffer.len() as u64;
        let is_seen = |layer: &&Layer| last_layer.is_none_or(|last| layer.number <= last);
        let masks: Vec<(usize, u128)> = (0..)
            .zip(self.layers.iter().take_while(is_seen))
            .map(|(at, layer)| (at, layer.mask(index)))
            .filter(|(_, mask)| *mask != 0)
            .collect();
        let source =
            |page: u64| masks.iter().rev().find(|(_, mask)| mask & (1 << page) != 0).map(|(at, _)| *at);
        let mut at = start;
        while at < end {
            let from = source(at / PAGE_BYTES);
            let mut page = at / PAGE_BYTES + 1;
            while page < PAGES_OF_BLOCK && page * PAGE_BYTES < end && source(page) == from {
                page += 1;
            }
            let run_end = (page * PAGE_BYTES).min(end);
            let range = |position: u64| usize::try_from(position - start).unwrap_or(usize::MAX);
            let target = &mut buffer[range(at)..range(run_end)];
            match from {
                Some(layer) => self.layers[layer].read(index * BLOCK_BYTES + at, target)?,
                None => self.read_base(index, at, target)?,
            }
            at = run_end;
        }
        Ok(())
    }

    fn read_base(&mut self, index: u64, within: u64, target: &mut [u8]) -> io::Result<()> {
        let block = match &mut self.base {
            Some(base) => base.block(index)?,
            None => None,
        };
        let within = usize::try_from(within).unwrap_or(usize::MAX);
        match block {
            Some(block) => target.copy_from_slice(&block[within..within + target.len()]),
            None => target.fill(0),
        }
        Ok(())
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let end = offset + bytes.len() as u64;
        let (first, last) = (offset / PAGE_BYTES * PAGE_BYTES, end.next_multiple_of(PAGE_BYTES));
        if (first, last) == (offset, end) {
            return self.top()?.write(offset, bytes);
        }
        // Pages that are written in part keep the rest of what they were.
        let mut pages = vec![0; usize::try_from(last - first).unwrap_or(usize::MAX)];
        let page = usize::try_from(PAGE_BYTES).unwrap_or(usize::MAX);
        self.read(first, &mut pages[..page])?;
        let tail = pages.len() - page;
        self.read(last - PAGE_BYTES, &mut pages[tail..])?;
        let start = usize::try_from(offset - first).unwrap_or(usize::MAX);
        pages[start..start + bytes.len()].copy_from_slice(bytes);
        self.top()?.write(first, &pages)
    }

    fn zero(&mut self, offset: u64, length: u64) -> io::Result<()> {
        let end = offset + length;
        let (first, last) = (offset.next_multiple_of(PAGE_BYTES), end / PAGE_BYTES * PAGE_BYTES);
        let zeros = [0; 4096];
        let piece = |length: u64| &zeros[..usize::try_from(length).unwrap_or(0).min(zeros.len())];
        if first > last {
            return self.write(offset, piece(length));
        }
        self.write(offset, piece(first - offset))?;
        if first < last {
            self.top()?.zero(first, last - first)?;
        }
        self.write(last, piece(end - last))
    }
}

#[cfg(test)]
mod tests {
    use amint_store::PutRequest;
    use amint_types::{Architecture, Cancel};
    use proptest::prelude::*;

    use super::*;
    use crate::volumes::Volumes;

    struct Bytes(Vec<u8>);

    impl BlockSource for Bytes {
        fn disk_bytes(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
            let start = usize::try_from(index).unwrap() * block_bytes();
            let end = self.0.len().min(start + block_bytes());
            buffer[..end - start].copy_from_slice(&self.0[start..end]);
            Ok(Some(end - start))
        }
    }

    const VOLUME: &str = "vol-00000000";

    struct Scene {
        folder: tempfile::TempDir,
        store: Store,
        volumes: Volumes,
        bytes: u64,
    }

    impl Scene {
        /// A volume of four blocks upon an image of two and a half.
        fn new() -> (Self, Vec<u8>) {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(&folder.path().join("store")).unwrap();
            let mut base = vec![0; 2 * block_bytes() + block_bytes() / 2];
            for (index, byte) in base.iter_mut().enumerate().skip(block_bytes()) {
                *byte = u8::try_from(index % 251).unwrap();
            }
            let request = PutRequest {
                name: "base".parse().unwrap(),
                version: "1".parse().unwrap(),
                architecture: Architecture::X86_64,
                created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
                documents: Vec::new(),
            };
            let image = store.put(&request, &Bytes(base.clone()), &|_, _| {}, &Cancel::new()).unwrap();
            store.pin(VOLUME, image.record.digest).unwrap();
            base.resize(4 * block_bytes(), 0);
            let volumes = Volumes::new(folder.path().join("volumes"));
            (Self { folder, store, volumes, bytes: base.len() as u64 }, base)
        }

        fn disk(&self) -> Arc<Disk> {
            self.volumes.open(&self.store, VOLUME, self.bytes).unwrap()
        }
    }

    fn whole(disk: &Disk) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(disk.bytes()).unwrap()];
        disk.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_snapshot_is_of_its_moment_and_holds_new_blocks_only_where_something_changed() {
        let (scene, mut expected) = Scene::new();
        let disk = scene.disk();
        assert!(whole(&disk) == expected);
        disk.write(700_000, b"early").unwrap();
        expected[700_000..700_005].copy_from_slice(b"early");
        let at_moment = expected.clone();
        let moment = disk.freeze().unwrap();
        disk.write(700_003, b"late").unwrap();
        expected[700_003..700_007].copy_from_slice(b"late");
        let digest = disk.store_moment(moment, "snap-00000000").unwrap();
        assert!(whole(&disk) == expected, "what came later stays");
        let reader = scene.store.pinned("snap-00000000", "snap-00000000".parse().unwrap()).unwrap();
        let mut block = vec![0; block_bytes()];
        for index in 0..4_u64 {
            let place = usize::try_from(index).unwrap() * block_bytes();
            let read = reader.read_block(index, &mut block).unwrap();
            let is_zero = at_moment[place..place + block_bytes()].iter().all(|byte| *byte == 0);
            assert_eq!(read.is_none(), is_zero, "{index}");
            assert!(is_zero || block == at_moment[place..place + block_bytes()], "{index}");
        }
        let base = scene.store.images(false).unwrap()[0].digest;
        let (base, new) = (scene.store.manifest(base).unwrap(), scene.store.manifest(digest).unwrap());
        assert_eq!(base.blocks()[0], new.blocks()[0]);
        assert_ne!(base.blocks()[1], new.blocks()[1]);
        // A collection leaves what the volume lies on, though its image is gone.
        scene.store.remove(&"base:1".parse().unwrap()).unwrap();
        scene.store.gc(false, &Cancel::new()).unwrap();
        disk.flush().unwrap();
        drop(disk);
        assert!(whole(&scene.disk()) == expected, "it reads back after a restart");
        let left = std::fs::read_dir(scene.folder.path().join("volumes").join(VOLUME)).unwrap().count();
        assert_eq!(left, 2, "one layer is left");
    }

    #[test]
    fn what_was_not_flushed_may_be_lost_and_nothing_else() {
        let (scene, mut expected) = Scene::new();
        let disk = scene.disk();
        disk.write(4096, &[1; 4096]).unwrap();
        disk.flush().unwrap();
        expected[4096..8192].fill(1);
        disk.write(1 << 20, &[2; 100]).unwrap();
        drop(disk);
        assert!(whole(&scene.disk()) == expected);
    }

    #[test]
    fn nothing_beyond_the_end_is_read_or_written() {
        let (scene, _) = Scene::new();
        let disk = scene.disk();
        assert!(disk.read(scene.bytes - 1, &mut [0; 2]).is_err());
        assert!(disk.write(scene.bytes, &[0]).is_err());
        assert!(disk.zero(u64::MAX, 2).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_volume_reads_as_a_plain_file_would(
            steps in proptest::collection::vec((0_u8..4, 0_u64..2_000_000, 1_usize..40_000, any::<u8>()), 1..20),
        ) {
            let (scene, mut expected) = Scene::new();
            let mut disk = scene.disk();
            for (number, (kind, offset, length, fill)) in steps.into_iter().enumerate() {
                let place = usize::try_from(offset).unwrap();
                match kind {
                    0 | 1 => {
                        disk.write(offset, &vec![fill; length]).unwrap();
                        expected[place..place + length].fill(fill);
                    }
                    2 => {
                        disk.zero(offset, length as u64).unwrap();
                        expected[place..place + length].fill(0);
                    }
                    _ => {
                        let moment = disk.freeze().unwrap();
                        if fill % 2 == 0 {
                            disk.store_moment(moment, &format!("snap-{number:08}")).unwrap();
                        }
                        disk.flush().unwrap();
                        drop(disk);
                        disk = scene.disk();
                    }
                }
            }
            prop_assert!(whole(&disk) == expected);
        }
    }
}
