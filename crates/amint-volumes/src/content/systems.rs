//! The marks of file systems, containers and swap space, each with the numbers around it that must make sense.

use super::Content;
use crate::bytes::{array, be_u16, be_u32, has, le_u16, le_u32, le_u64, text_until_nul};

/// Largest and smallest block that any of them has.
const BLOCK_BYTES: std::ops::RangeInclusive<u32> = 512..=65536;
/// Page sizes of machines, at whose end swap space has its mark.
const PAGE_BYTES: [usize; 5] = [4096, 8192, 16384, 32768, 65536];
/// Marks that the kernel puts in place of the usual one when it saves memory there.
const HIBERNATED: [&[u8]; 4] = [b"S1SUSPEND\0", b"S2SUSPEND\0", b"ULSUSPEND\0", b"LINHIB0001"];
const BCACHE: [u8; 16] =
    [0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d, 0x81];

fn is_block_size(bytes: u32) -> bool {
    bytes.is_power_of_two() && BLOCK_BYTES.contains(&bytes)
}

/// Finds what wraps other content.
pub(super) fn container(head: &[u8], size_bytes: u64) -> Option<Content> {
    if let Some(luks) = luks(head) {
        return Some(luks);
    }
    let is_label =
        |sector: &usize| has(head, sector * 512, b"LABELONE") && has(head, sector * 512 + 24, b"LVM2 001");
    if (0..4).any(|sector| is_label(&sector)) {
        return Some(Content::LvmMember);
    }
    if has(head, 3, b"-FVE-FS-") && le_u16(head, 11).is_some_and(|bytes| is_block_size(bytes.into())) {
        return Some(Content::Bitlocker);
    }
    if has(head, 4096 + 24, &BCACHE) {
        return Some(Content::Bcache);
    }
    if is_zfs(head) && size_bytes >= 64 << 20 {
        return Some(Content::ZfsMember);
    }
    None
}

/// Finds a file system or swap space.
pub(super) fn file_system(head: &[u8], size_bytes: u64) -> Option<Content> {
    if is_xfs(head) {
        return Some(Content::Xfs);
    }
    if is_ext(head) {
        return Some(Content::Ext);
    }
    if is_btrfs(head) {
        return Some(Content::Btrfs);
    }
    if let Some(swap) = swap(head) {
        return Some(swap);
    }
    if has(head, 0, b"hsqs") && le_u16(head, 28) == Some(4) && (12..=20).contains(&le_u16(head, 22)?) {
        return Some(Content::Squashfs);
    }
    if le_u32(head, 1024) == Some(0xe0f5_e1e2)
        && head.get(1024 + 12).is_some_and(|bits| (9..=16).contains(bits))
    {
        return Some(Content::Erofs);
    }
    if le_u32(head, 1024) == Some(0xf2f5_2010)
        && le_u32(head, 1024 + 16).is_some_and(|bits| (12..=16).contains(&bits))
    {
        return Some(Content::F2fs);
    }
    if has(head, 32, b"NXSB") && le_u32(head, 36).is_some_and(|bytes| bytes >= 4096 && is_block_size(bytes)) {
        return Some(Content::Apfs);
    }
    if has(head, 32768, b"JFS1") && le_u32(head, 32768 + 24).is_some_and(is_block_size) {
        return Some(Content::Jfs);
    }
    let is_reiser =
        [&b"ReIsErFs"[..], b"ReIsEr2Fs", b"ReIsEr3Fs"].iter().any(|mark| has(head, 65536 + 52, mark));
    if is_reiser && le_u16(head, 65536 + 44).is_some_and(|bytes| is_block_size(bytes.into())) {
        return Some(Content::Reiserfs);
    }
    boot_sector(head, size_bytes).or_else(|| is_iso9660(head).then_some(Content::Iso9660))
}

/// LUKS, either version (on-disk format specifications 1.2.3 and 2).
fn luks(head: &[u8]) -> Option<Content> {
    let version = has(head, 0, b"LUKS\xba\xbe").then(|| be_u16(head, 6)).flatten()?;
    let uuid = text_until_nul(&array::<40>(head, 168)?);
    matches!(version, 1 | 2).then_some(Content::Luks { version, uuid })
}

/// ZFS has a ring of uberblocks in the second half of each label.
fn is_zfs(head: &[u8]) -> bool {
    const MAGIC: u64 = 0x00ba_b10c;
    (128 * 1024..256 * 1024).step_by(1024).any(|at| {
        let number = |at| {
            let bytes: [u8; 8] = array(head, at)?;
            Some((u64::from_le_bytes(bytes), u64::from_be_bytes(bytes)))
        };
        match (number(at), number(at + 8)) {
            (Some((MAGIC, _)), Some((version, _))) | (Some((_, MAGIC)), Some((_, version))) => {
                (1..=5000).contains(&version)
            }
            _ => false,
        }
    })
}

fn is_xfs(head: &[u8]) -> bool {
    let check = || {
        let blocks = u64::from_be_bytes(array(head, 8)?);
        let is_right = is_block_size(be_u32(head, 4)?)
            && blocks > 0
            && be_u32(head, 84)? > 0
            && be_u32(head, 88)? > 0
            && is_block_size(be_u16(head, 102)?.into());
        Some(is_right)
    };
    has(head, 0, b"XFSB") && check().unwrap_or(false)
}

fn is_ext(head: &[u8]) -> bool {
    let at = 1024;
    let check = || {
        let is_right = le_u16(head, at + 56)? == 0xef53
            && le_u32(head, at)? > 0
            && le_u32(head, at + 4)? > 0
            && le_u32(head, at + 24)? <= 6
            && le_u32(head, at + 32)? > 0
            && le_u32(head, at + 40)? > 0
            && le_u32(head, at + 76)? <= 1;
        Some(is_right)
    };
    check().unwrap_or(false)
}

fn is_btrfs(head: &[u8]) -> bool {
    let at = 65536;
    has(head, at + 64, b"_BHRfS_M")
        && le_u64(head, at + 48) == Some(65536)
        && le_u32(head, at + 144).is_some_and(is_block_size)
}

fn swap(head: &[u8]) -> Option<Content> {
    for page in PAGE_BYTES {
        let mark = head.get(page - 10..page)?;
        if mark == b"SWAPSPACE2" && le_u32(head, 1024) == Some(1) {
            return Some(Content::Swap { is_hibernated: false });
        }
        if mark == b"SWAP-SPACE" {
            return Some(Content::Swap { is_hibernated: false });
        }
        if HIBERNATED.contains(&mark) && le_u32(head, 1024) == Some(1) {
            return Some(Content::Swap { is_hibernated: true });
        }
    }
    None
}

fn is_iso9660(head: &[u8]) -> bool {
    has(head, 32769, b"CD001") && head.get(32768).is_some_and(|kind| matches!(kind, 0..=3 | 255))
}

/// Tells the systems apart that begin with a boot sector of the PC.
fn boot_sector(head: &[u8], size_bytes: u64) -> Option<Content> {
    if !has(head, 510, &[0x55, 0xaa]) {
        return None;
    }
    if has(head, 3, b"EXFAT   ") {
        let (sector_bits, cluster_bits) = (*head.get(108)?, *head.get(109)?);
        let is_right = (9..=12).contains(&sector_bits) && cluster_bits <= 25 - sector_bits.min(25);
        return is_right.then_some(Content::Exfat);
    }
    let sector_bytes = u32::from(le_u16(head, 11)?);
    if !is_block_size(sector_bytes) || sector_bytes > 4096 {
        return None;
    }
    if has(head, 3, b"NTFS    ") {
        return (le_u64(head, 40)? > 0).then_some(Content::Ntfs);
    }
    is_fat(head, sector_bytes, size_bytes)?.then_some(Content::Fat)
}

/// Checks the numbers of a FAT (Microsoft, FAT32 File System Specification 1.03).
fn is_fat(head: &[u8], sector_bytes: u32, size_bytes: u64) -> Option<bool> {
    let jumps = matches!(head, [0xeb, _, 0x90, ..] | [0xe9, ..]);
    let (cluster_sectors, reserved, copies) = (*head.get(13)?, le_u16(head, 14)?, *head.get(16)?);
    let sectors = match le_u16(head, 19)? {
        0 => le_u32(head, 32)?,
        count => u32::from(count),
    };
    let fat_sectors = match le_u16(head, 22)? {
        0 => le_u32(head, 36)?,
        count => u32::from(count),
    };
    let media = *head.get(21)?;
    let is_right = jumps
        && cluster_sectors.is_power_of_two()
        && reserved > 0
        && matches!(copies, 1 | 2)
        && (media == 0xf0 || media >= 0xf8)
        && fat_sectors > 0
        && u64::from(sectors) > u64::from(reserved) + u64::from(copies) * u64::from(fat_sectors)
        && u64::from(sectors) * u64::from(sector_bytes) <= size_bytes.saturating_add(u64::from(sector_bytes));
    Some(is_right)
}
