//! Inodes in the journal: a core in the order of the machine, and forks.

use amint_fs::FsError;

use super::apply::Replay;
use super::transactions::Item;
use crate::fields::{Fields, damaged};
use crate::inode::{CORE_BYTES_2, CORE_BYTES_3, CRC_OFFSET, HAS_BIG_COUNTS, HAS_BIG_TIME, MAGIC};
use crate::superblock::Superblock;

/// Which parts of the inode were logged.
const DATA: [u32; 3] = [0x002, 0x004, 0x008];
const DEVICE: u32 = 0x010;
const ATTRIBUTES: [u32; 3] = [0x040, 0x080, 0x100];
const OWNERS: u32 = 0x200 | 0x400;
/// Bytes of the first region on machines that align 64-bit numbers, and on those that do not.
const HEAD_BYTES: usize = 56;
const HEAD_BYTES_PACKED: usize = 52;
/// What the count of flushes goes round at (version 2).
const FLUSHES_MAX: u16 = 0xffff;

/// What the first region says.
struct Head {
    fields: u32,
    attribute_bytes: u16,
    data_bytes: u16,
    number: u64,
    device: u32,
    sector: u64,
    sectors: u64,
}

impl Head {
    fn parse(region: &[u8]) -> Result<Self, FsError> {
        let fields = Fields(region);
        let start = match region.len() {
            HEAD_BYTES => 16,
            HEAD_BYTES_PACKED => 12,
            _ => return Err(damaged("an inode in the journal has a wrong head")),
        };
        Ok(Self {
            fields: fields.u32_le(4)?,
            attribute_bytes: fields.u16_le(8)?,
            data_bytes: fields.u16_le(10)?,
            number: fields.u64_le(start)?,
            device: fields.u32_le(start + 8)?,
            sector: fields.u64_le(start + 24)?,
            sectors: u64::from(fields.u32_le(start + 32)?),
        })
    }
}

/// Lays one inode over the disk.
pub(super) fn apply(replay: &mut Replay<'_>, item: &Item, lsn: u64) -> Result<(), FsError> {
    let region = |index: usize| item.regions.get(index).map(Vec::as_slice);
    let head = Head::parse(region(0).unwrap_or_default())?;
    if replay.is_cancelled(head.sector, head.sectors) {
        return Ok(());
    }
    let offset = replay.superblock.inode_offset(head.number)?;
    let mut inode = vec![0; usize::from(replay.superblock.inode_bytes)];
    replay.overlay.read(replay.source, offset, &mut inode)?;
    if Fields(&inode).u16(0)? != MAGIC {
        return Err(damaged(format!("the journal changes inode {}, which is not there", head.number)));
    }
    let core = region(1).ok_or_else(|| damaged("an inode in the journal has no core"))?;
    if is_newer(&inode, core, lsn)? {
        return Ok(());
    }
    replay.has_moved_owners |= head.fields & OWNERS != 0;
    let start = write_core(&mut inode, core, lsn)?;
    let split = match usize::from(Fields(&inode).u8(82)?) {
        0 => inode.len(),
        units => start + units * 8,
    };
    if split > inode.len() {
        return Err(damaged("an inode in the journal has attributes outside of it"));
    }
    let mut next = 2;
    for (bits, bytes, fork) in
        [(DATA, head.data_bytes, start..split), (ATTRIBUTES, head.attribute_bytes, split..inode.len())]
    {
        if !bits.iter().any(|bit| head.fields & bit != 0) {
            continue;
        }
        let content = region(next).unwrap_or_default();
        next += 1;
        let content = Fields(content).slice(0, usize::from(bytes).min(content.len()))?;
        let room = inode.get_mut(fork).unwrap_or_default();
        if head.fields & bits[2] != 0 {
            write_root(room, content, if start == CORE_BYTES_3 { 72 } else { 24 })?;
        } else {
            let to = room.get_mut(..content.len());
            to.ok_or_else(|| damaged("an inode in the journal is larger than its place"))?
                .copy_from_slice(content);
        }
    }
    if head.fields & DEVICE != 0 {
        let to = inode.get_mut(start..start + 4).ok_or_else(|| damaged("an inode has no room"))?;
        to.copy_from_slice(&head.device.to_be_bytes());
    }
    replay.overlay.write(replay.source, offset, &inode)
}

/// Tells whether the inode on the disk is newer than the one in the journal.
fn is_newer(inode: &[u8], core: &[u8], lsn: u64) -> Result<bool, FsError> {
    let disk = Fields(inode);
    if disk.u8(4)? >= 3 {
        let written = disk.u64(112)?;
        return Ok(written != 0 && written != u64::MAX && written > lsn);
    }
    let (logged, written) = (Fields(core).u16_le(30)?, disk.u16(30)?);
    let has_gone_round = written == FLUSHES_MAX && logged < FLUSHES_MAX >> 1;
    Ok(logged < written && !has_gone_round)
}

/// Writes the core of the journal in the order of the disk and returns where the forks begin.
fn write_core(inode: &mut [u8], core: &[u8], lsn: u64) -> Result<usize, FsError> {
    let from = Fields(core);
    if from.u16_le(0)? != MAGIC {
        return Err(damaged("an inode in the journal has a wrong core"));
    }
    let is_3 = from.u8(4)? >= 3;
    let start = if is_3 { CORE_BYTES_3 } else { CORE_BYTES_2 };
    let flags2 = if is_3 { from.u64_le(120)? } else { 0 };
    let mut to = inode.get(..start).map(<[u8]>::to_vec).ok_or_else(|| damaged("an inode is too small"))?;
    let has_big_counts = flags2 & HAS_BIG_COUNTS != 0;
    let has_big_time = flags2 & HAS_BIG_TIME != 0;
    // Pairs of offset and width of the numbers; what lies between are bytes.
    let mut numbers: Vec<(usize, usize)> =
        vec![(0, 2), (2, 2), (8, 4), (12, 4), (16, 4), (20, 2), (22, 2), (56, 8), (64, 8), (72, 4), (84, 4)];
    numbers.extend([(88, 2), (90, 2), (92, 4)]);
    numbers.extend(if has_big_counts { [(24, 8), (76, 4)] } else { [(76, 4), (80, 2)] });
    let mut times = vec![32, 40, 48];
    if is_3 {
        numbers.extend([(104, 8), (120, 8), (128, 4), (152, 8)]);
        times.push(144);
    } else {
        numbers.push((30, 2));
    }
    for time in times {
        if has_big_time { numbers.push((time, 8)) } else { numbers.extend([(time, 4), (time + 4, 4)]) }
    }
    // Version, format, and the place and format of the attributes.
    numbers.extend([(4, 1), (5, 1), (82, 1), (83, 1)]);
    for (offset, width) in numbers {
        let swapped: Vec<u8> = from.slice(offset, width)?.iter().rev().copied().collect();
        to.get_mut(offset..offset + width).unwrap_or_default().copy_from_slice(&swapped);
    }
    if !is_3 || !has_big_counts {
        // What was the count of links of version 1 is never logged.
        to[6..8].fill(0);
    }
    if is_3 {
        to[112..120].copy_from_slice(&lsn.to_be_bytes());
        to[160..176].copy_from_slice(from.slice(160, 16)?);
    }
    inode.get_mut(..start).unwrap_or_default().copy_from_slice(&to);
    Ok(start)
}

/// Turns the root of a tree of extents as it is in memory (a whole block's header, keys, pointers) into the short form
/// of the inode.
fn write_root(room: &mut [u8], content: &[u8], header: usize) -> Result<(), FsError> {
    let from = Fields(content);
    let count = usize::from(from.u16(6)?);
    let rooms = content.len().saturating_sub(header) / 16;
    let places = room.len().saturating_sub(4) / 16;
    if count > rooms || count > places {
        return Err(damaged("an inode in the journal has an overfull tree of extents"));
    }
    let keys = from.slice(header, count * 8)?;
    let pointers = from.slice(header + rooms * 8, count * 8)?;
    let mut short = vec![0; room.len()];
    short[..4].copy_from_slice(from.slice(4, 4)?);
    short[4..4 + keys.len()].copy_from_slice(keys);
    let place = 4 + places * 8;
    short[place..place + pointers.len()].copy_from_slice(pointers);
    room.copy_from_slice(&short);
    Ok(())
}

/// Makes an inode that was just given room and is not in use.
pub(super) fn fresh(superblock: &Superblock, number: u64, generation: [u8; 4]) -> Vec<u8> {
    let mut inode = vec![0; usize::from(superblock.inode_bytes)];
    inode[..2].copy_from_slice(&MAGIC.to_be_bytes());
    inode[92..96].copy_from_slice(&generation);
    inode[96..CRC_OFFSET].fill(0xff);
    if superblock.has_checksums {
        inode[4] = 3;
        inode[152..160].copy_from_slice(&number.to_be_bytes());
        inode[160..176].copy_from_slice(&superblock.meta_uuid);
    } else {
        inode[4] = 2;
    }
    inode
}
