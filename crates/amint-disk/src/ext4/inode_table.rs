//! Fills the inode table from the plan.

use super::attributes;
use super::checksum;
use super::directory::DirectoryPlan;
use super::extents;
use super::inode::{FLAG_EXTENTS, FLAG_INDEX, InodeRecord};
use super::model::{FIRST_INODE, Inode, Kind, LOST_AND_FOUND, ROOT, ROOT_INODE, Tree};
use super::plan::{INLINE_TARGET_BYTES_MAX, Placement};
use super::resize_inode;
use super::write::Image;

/// Number of the journal's inode.
pub(super) const JOURNAL_NUMBER: u32 = 8;
/// Most links of a directory; above, the count says 1 (`dir_nlink`).
const DIRECTORY_LINKS_MAX: usize = 65000;
const MODE_FILE_OF_ROOT: u16 = 0o10_0600;

/// Builds the inode of a number; zero when it is reserved and not in use.
pub(super) fn build(image: &Image<'_>, number: u32) -> [u8; 256] {
    let seed = checksum::inode_seed(image.seed, number);
    let record = match number {
        ROOT_INODE => tree_inode(image, ROOT, seed),
        resize_inode::NUMBER => InodeRecord {
            bytes: resize_inode::FILE_BYTES,
            blocks: resize_inode::block_count(&image.plan.geometry),
            body: resize_inode::pointers(&image.plan),
            ..system_file(image)
        },
        JOURNAL_NUMBER => InodeRecord {
            bytes: image.plan.journal_blocks * super::bytes::BLOCK_BYTES,
            blocks: image.plan.block_count(&image.plan.journal),
            flags: FLAG_EXTENTS,
            body: journal_body(image),
            ..system_file(image)
        },
        FIRST_INODE.. => tree_inode(image, LOST_AND_FOUND + (number - FIRST_INODE) as usize, seed),
        _ => return [0; 256],
    };
    record.encode(seed)
}

/// Builds the part of the journal's inode that the superblock has a copy of.
pub(super) fn journal_body(image: &Image<'_>) -> [u8; 60] {
    let seed = checksum::inode_seed(image.seed, JOURNAL_NUMBER);
    extents::build(image.plan.extents(&image.plan.journal), &image.plan.journal.nodes, seed).0
}

fn system_file(image: &Image<'_>) -> InodeRecord {
    InodeRecord {
        mode: MODE_FILE_OF_ROOT,
        owner: 0,
        group: 0,
        bytes: 0,
        links: 1,
        blocks: 0,
        flags: 0,
        body: [0; 60],
        attribute_block: 0,
        attributes: [0; attributes::INLINE_BYTES],
        mtime_seconds: image.options.epoch,
        epoch_seconds: image.options.epoch,
    }
}

fn tree_inode(image: &Image<'_>, index: usize, seed: u32) -> InodeRecord {
    let inode = &image.content.tree.inodes[index];
    let placement = &image.plan.placements[index];
    let attribute_plan = image.content.attributes.get(&index);
    let (bytes, flags, body) = body(image, index, placement, seed);
    InodeRecord {
        mode: inode.kind.mode_bits() | inode.permissions,
        owner: inode.owner,
        group: inode.group,
        bytes,
        links: links(&image.content.tree, inode),
        blocks: image.plan.block_count(placement),
        flags,
        body,
        attribute_block: placement.attribute_block.unwrap_or_default(),
        attributes: attribute_plan
            .map_or([0; attributes::INLINE_BYTES], |plan| attributes::build_inline(&inode.attributes, plan)),
        mtime_seconds: inode.mtime_seconds.min(image.options.epoch),
        epoch_seconds: image.options.epoch,
    }
}

/// Returns length, flags and the sixty bytes that mean something else for each kind of file.
fn body(image: &Image<'_>, index: usize, placement: &Placement, seed: u32) -> (u64, u32, [u8; 60]) {
    let extents = || extents::build(image.plan.extents(placement), &placement.nodes, seed).0;
    match &image.content.tree.inodes[index].kind {
        Kind::Directory { .. } => {
            let plan = &image.content.directories[&index];
            let bytes = u64::from(plan.blocks()) * super::bytes::BLOCK_BYTES;
            let index_flag = if matches!(plan, DirectoryPlan::Indexed { .. }) { FLAG_INDEX } else { 0 };
            (bytes, FLAG_EXTENTS | index_flag, extents())
        }
        Kind::File { bytes, .. } => (*bytes, FLAG_EXTENTS, extents()),
        Kind::Symlink { target } if target.len() > INLINE_TARGET_BYTES_MAX => {
            (target.len() as u64, FLAG_EXTENTS, extents())
        }
        Kind::Symlink { target } => {
            let mut body = [0; 60];
            body[..target.len()].copy_from_slice(target);
            (target.len() as u64, 0, body)
        }
        Kind::CharacterDevice { major, minor } | Kind::BlockDevice { major, minor } => {
            (0, 0, device_body(*major, *minor))
        }
        Kind::Fifo => (0, 0, [0; 60]),
    }
}

/// Stores a device number: 16 bits in the first word, or 32 bits in the second.
fn device_body(major: u32, minor: u32) -> [u8; 60] {
    let mut body = [0; 60];
    if major < 256 && minor < 256 {
        super::bytes::put_u32(&mut body, 0, major << 8 | minor);
    } else {
        super::bytes::put_u32(&mut body, 4, (minor & 0xff) | major << 8 | (minor & !0xff) << 12);
    }
    body
}

fn links(tree: &Tree, inode: &Inode) -> u16 {
    let Kind::Directory { children } = &inode.kind else {
        return u16::try_from(inode.links).expect("the scan limits the number of links");
    };
    let below = children.iter().filter(|child| tree.inodes[child.inode].kind.is_directory()).count();
    let links = below + 2;
    if links > DIRECTORY_LINKS_MAX { 1 } else { u16::try_from(links).expect("limited above") }
}
