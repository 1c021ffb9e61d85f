//! Lays committed transactions over the disk, in the order in which Linux replays them.

use std::collections::{BTreeMap, HashSet};

use amint_fs::FsError;
use amint_types::ReadAt;

use super::inode_item;
use super::transactions::{Item, Transaction};
use crate::fields::Fields;
use crate::overlay::Overlay;
use crate::superblock::Superblock;

/// Types of items.
const INODE: u16 = 0x123b;
const BUFFER: u16 = 0x123c;
const NEW_INODES: u16 = 0x123f;
/// Quotas, and the old list of unlinked inodes: nothing that is read here.
const IGNORED: [u16; 3] = [0x1238, 0x123d, 0x123e];
/// Announced changes: code of the announcement, code of its end, and its name.
const INTENTS: [(u16, u16, &str); 8] = [
    (0x1236, 0x1237, "extents to be freed"),
    (0x1240, 0x1241, "owners of blocks"),
    (0x1242, 0x1243, "counts of shared blocks"),
    (0x1244, 0x1245, "mappings of files"),
    (0x1246, 0x1247, "attributes"),
    (0x1248, 0x1249, "exchanged ranges of files"),
    (0x124a, 0x124b, "realtime extents to be freed"),
    (0x124c, 0x124d, "realtime owners of blocks"),
];

/// Flags of a buffer.
const IS_INODES: u16 = 1;
const IS_CANCELLED: u16 = 1 << 1;
const IS_QUOTA: u16 = 1 << 2 | 1 << 3 | 1 << 4;
/// Bytes that one bit of the map of a buffer stands for.
const CHUNK_BYTES: usize = 128;
/// Where the map of a buffer begins.
const MAP_OFFSET: usize = 20;
/// How many words the map may have: buffers of 64 KiB, and room.
const MAP_WORDS_MAX: usize = 64;
/// Bytes of an inode buffer at most.
const NEW_INODES_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A replay in progress.
pub(super) struct Replay<'a> {
    pub(super) source: &'a dyn ReadAt,
    pub(super) superblock: &'a Superblock,
    pub(super) overlay: Overlay,
    pub(super) has_moved_owners: bool,
    /// Buffers that were given up, by sector and count of sectors: how often that is still to come.
    cancelled: BTreeMap<(u64, u64), u32>,
    /// Announced changes that are not finished: by index into the list of intents.
    open: BTreeMap<usize, HashSet<u64>>,
    unknown: HashSet<u16>,
}

/// What the first region of a buffer says.
struct BufferHead<'a> {
    flags: u16,
    sector: u64,
    sectors: u64,
    map: &'a [u8],
}

impl<'a> BufferHead<'a> {
    fn parse(item: &'a Item) -> Result<Self, FsError> {
        let fields = Fields(item.regions.first().map(Vec::as_slice).unwrap_or_default());
        let words = usize::try_from(fields.u32_le(16)?).unwrap_or(usize::MAX).min(MAP_WORDS_MAX);
        Ok(Self {
            flags: fields.u16_le(4)?,
            sector: fields.u64_le(8)?,
            sectors: u64::from(fields.u16_le(6)?),
            map: fields.slice(MAP_OFFSET, words * 4)?,
        })
    }

    fn key(&self) -> (u64, u64) {
        (self.sector, self.sectors)
    }

    /// Tells whether a bit of the map is set.
    fn bit(&self, index: usize) -> bool {
        // Words are little-endian, so bytes and bits simply follow each other.
        self.map.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }
}

/// When an item comes within its transaction.
fn rank(item: &Item) -> u8 {
    match item.code() {
        BUFFER => match BufferHead::parse(item).map_or(0, |head| head.flags) {
            flags if flags & IS_CANCELLED != 0 => 3,
            flags if flags & IS_INODES != 0 => 2,
            _ => 0,
        },
        NEW_INODES => 0,
        _ => 1,
    }
}

impl<'a> Replay<'a> {
    pub(super) fn new(
        source: &'a dyn ReadAt,
        superblock: &'a Superblock,
        transactions: &[Transaction],
    ) -> Self {
        let mut cancelled = BTreeMap::new();
        for item in transactions.iter().flat_map(|transaction| &transaction.items) {
            if item.code() == BUFFER
                && let Ok(head) = BufferHead::parse(item)
                && head.flags & IS_CANCELLED != 0
            {
                *cancelled.entry(head.key()).or_insert(0) += 1;
            }
        }
        Self {
            source,
            superblock,
            overlay: Overlay::default(),
            has_moved_owners: false,
            cancelled,
            open: BTreeMap::new(),
            unknown: HashSet::new(),
        }
    }

    /// Lays one transaction over the disk.
    pub(super) fn apply(&mut self, transaction: &Transaction) -> Result<(), String> {
        let mut items: Vec<&Item> = transaction.items.iter().collect();
        items.sort_by_key(|item| rank(item));
        for item in items {
            let applied = match item.code() {
                BUFFER => self.buffer(item, transaction.lsn),
                INODE => inode_item::apply(self, item, transaction.lsn),
                NEW_INODES => self.new_inodes(item),
                code => self.other(code, item),
            };
            applied.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Says what was left unfinished or not understood.
    pub(super) fn open_notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let open = INTENTS.iter().enumerate().filter_map(|(index, (_, _, name))| {
            let count = self.open.get(&index).map_or(0, HashSet::len);
            (count > 0).then(|| format!("{name}: {count}"))
        });
        let open: Vec<String> = open.collect();
        if !open.is_empty() {
            notes.push(format!("the journal leaves changes unfinished ({})", open.join(", ")));
        }
        let mut unknown: Vec<u16> = self.unknown.iter().copied().collect();
        unknown.sort_unstable();
        for code in unknown {
            notes.push(format!("the journal holds items of the unknown type {code:#x}, which were left out"));
        }
        notes
    }

    /// Tells whether a buffer is given up later in the journal.
    pub(super) fn is_cancelled(&self, sector: u64, sectors: u64) -> bool {
        self.cancelled.contains_key(&(sector, sectors))
    }

    fn buffer(&mut self, item: &Item, lsn: u64) -> Result<(), FsError> {
        let head = BufferHead::parse(item)?;
        if self.is_cancelled(head.sector, head.sectors) {
            if head.flags & IS_CANCELLED != 0
                && let Some(count) = self.cancelled.get_mut(&head.key())
            {
                *count -= 1;
                if *count == 0 {
                    self.cancelled.remove(&head.key());
                }
            }
            return Ok(());
        }
        // Of inode buffers only the links between unlinked inodes are logged this way; nobody reads them here.
        if head.flags & (IS_INODES | IS_QUOTA | IS_CANCELLED) != 0 {
            return Ok(());
        }
        let start = head.sector.saturating_mul(512);
        let bytes = usize::try_from(head.sectors).unwrap_or(0) * 512;
        if start.saturating_add(bytes as u64) > self.superblock.size_bytes() {
            return Err(crate::fields::damaged("a buffer lies outside of the file system"));
        }
        if self.superblock.has_checksums && self.is_newer(start, bytes, lsn)? {
            return Ok(());
        }
        let mut bit = 0;
        let mut regions = item.regions.iter().skip(1);
        while bit < head.map.len() * 8 {
            if !head.bit(bit) {
                bit += 1;
                continue;
            }
            let run = (bit..head.map.len() * 8).take_while(|bit| head.bit(*bit)).count();
            let Some(region) = regions.next() else {
                return Err(crate::fields::damaged("a buffer has fewer regions than its map says"));
            };
            // A run may be split where the buffer was split in memory.
            let chunks = run.min(region.len() / CHUNK_BYTES);
            let place = bit * CHUNK_BYTES;
            if chunks == 0 || place + chunks * CHUNK_BYTES > bytes {
                return Err(crate::fields::damaged("a buffer has a map that does not fit it"));
            }
            let changed = Fields(region).slice(0, chunks * CHUNK_BYTES)?;
            self.overlay.write(self.source, start + place as u64, changed)?;
            bit += chunks;
        }
        Ok(())
    }

    /// Tells whether what is on the disk was written after a transaction, so that replaying it would take it back.
    fn is_newer(&self, start: u64, bytes: usize, lsn: u64) -> Result<bool, FsError> {
        let mut block = vec![0; bytes.min(512)];
        self.overlay.read(self.source, start, &mut block)?;
        let fields = Fields(&block);
        let Some((lsn_offset, uuid_offset)) = lsn_place(fields) else { return Ok(false) };
        let uuid = if uuid_offset == 0 { self.superblock.meta_uuid } else { fields.array(uuid_offset)? };
        let written = fields.u64(lsn_offset)?;
        let is_stamped = uuid == self.superblock.meta_uuid && written != 0 && written != u64::MAX;
        Ok(is_stamped && written >= lsn)
    }

    /// Makes fresh inodes: every one empty, with its number and the id of the file system.
    fn new_inodes(&mut self, item: &Item) -> Result<(), FsError> {
        let fields = Fields(item.regions.first().map(Vec::as_slice).unwrap_or_default());
        let (group, block, count) = (fields.u32(4)?, fields.u32(8)?, fields.u32(12)?);
        let (inode_bytes, blocks) = (fields.u32(16)?, fields.u32(20)?);
        let generation: [u8; 4] = fields.array(24)?;
        let start = self.superblock.ag_block_offset(group, u64::from(block), u64::from(blocks))?;
        let bytes = u64::from(blocks) * u64::from(self.superblock.block_bytes);
        let fits = inode_bytes == u32::from(self.superblock.inode_bytes)
            && u64::from(count) * u64::from(inode_bytes) == bytes
            && bytes <= NEW_INODES_BYTES_MAX;
        if !fits {
            return Err(crate::fields::damaged("new inodes do not fit their blocks"));
        }
        // Clusters of inodes are given up as a whole: what stands there now may be the content of a file.
        let sectors = start / 512..(start + bytes) / 512;
        if self.cancelled.range((sectors.start, 0)..(sectors.end, 0)).next().is_some() {
            return Ok(());
        }
        let first = (u64::from(group) << self.superblock.ag_blocks_log | u64::from(block))
            << self.superblock.inodes_per_block_log;
        for index in 0..u64::from(count) {
            let fresh = inode_item::fresh(self.superblock, first + index, generation);
            self.overlay.write(self.source, start + index * u64::from(inode_bytes), &fresh)?;
        }
        Ok(())
    }

    fn other(&mut self, code: u16, item: &Item) -> Result<(), FsError> {
        let fields = Fields(item.regions.first().map(Vec::as_slice).unwrap_or_default());
        for (index, (announced, done, _)) in INTENTS.iter().enumerate() {
            if code == *announced {
                self.open.entry(index).or_default().insert(fields.u64_le(8)?);
                return Ok(());
            }
            if code == *done {
                let id = fields.u64_le(8)?;
                self.open.entry(index).or_default().remove(&id);
                return Ok(());
            }
        }
        if !IGNORED.contains(&code) {
            self.unknown.insert(code);
        }
        Ok(())
    }
}

/// Returns where a block holds the number of its last change and the id of its file system, by its magic number.
/// An offset of 0 for the id says that there is none to compare.
fn lsn_place(fields: Fields<'_>) -> Option<(usize, usize)> {
    let first = fields.u32(0).ok()?;
    match &first.to_be_bytes() {
        b"AB3B" | b"AB3C" | b"RMB3" | b"R3FC" | b"FIB3" | b"IAB3" => Some((24, 32)),
        b"BMA3" => Some((32, 40)),
        b"XAGF" => Some((208, 64)),
        b"XAFL" => Some((24, 8)),
        b"XAGI" => Some((320, 296)),
        b"XSLM" | b"XARM" => Some((48, 16)),
        b"XDB3" | b"XDD3" | b"XDF3" => Some((16, 24)),
        b"XFSB" => Some((240, 0)),
        _ => match fields.u16(8).ok()? {
            0x3df1 | 0x3dff | 0x3bee | 0x3ebe => Some((24, 32)),
            _ => None,
        },
    }
}
