//! Who gets which file.

use std::collections::HashMap;

use amint_fs::Kind;

use super::{Analyzer, File, Want};
use crate::index::{EntryId, Index};

/// How many times the size of a file system its files may have together where they are read whole. One file may have
/// that size once; where content may be compressed, both may be more. Beyond lie holes, which would be read for days.
const STREAM_RATIO: u64 = 4;
const STREAM_RATIO_COMPRESSED: u64 = 64;
/// File systems that compress.
const COMPRESSING: [&str; 3] = ["btrfs", "ntfs", "squashfs"];
/// What is taken for the size of a file system that tells none.
const FILE_SYSTEM_BYTES: u64 = 4 << 40;

/// Files and who wants them, in the order of the disk.
pub(super) fn wanted(index: &Index, analyzers: &[&dyn Analyzer]) -> Vec<(EntryId, u32)> {
    let mut masks = HashMap::new();
    let mut ids = Vec::new();
    for (id, entry) in index.iter().filter(|(_, entry)| entry.kind == Kind::File) {
        let path = index.path(id);
        let file = File { id, path: &path, entry };
        let mask = analyzers
            .iter()
            .enumerate()
            .filter(|(_, analyzer)| analyzer.wants(&file).is_some())
            .fold(0_u32, |mask, (number, _)| mask | 1 << number);
        if mask != 0 {
            masks.insert(id, mask);
            ids.push(id);
        }
    }
    index.sort_by_position(&mut ids);
    ids.into_iter().map(|id| (id, masks.get(&id).copied().unwrap_or(0))).collect()
}

/// Takes away from those who read whole files what no honest file system can hold, and returns what was taken.
pub(super) fn refuse_holes(
    index: &Index,
    analyzers: &[&dyn Analyzer],
    files: &mut [(EntryId, u32)],
) -> Vec<(EntryId, u32)> {
    let mut sums = vec![0_u64; index.mounts().len()];
    let mut refused = Vec::new();
    for (id, mask) in files {
        let entry = index.entry(*id);
        let path = index.path(*id);
        let file = File { id: *id, path: &path, entry };
        let streaming = analyzers
            .iter()
            .enumerate()
            .filter(|(number, _)| *mask & (1 << number) != 0)
            .filter(|(_, analyzer)| matches!(analyzer.wants(&file), Some(Want::Stream | Want::Whole)))
            .fold(0_u32, |streaming, (number, _)| streaming | 1 << number);
        let place = usize::from(entry.mount_number());
        let (Some(mount), Some(sum)) = (index.mounts().get(place), sums.get_mut(place)) else { continue };
        if streaming == 0 {
            continue;
        }
        let info = mount.file_system.info();
        let bytes = if info.size_bytes == 0 { FILE_SYSTEM_BYTES } else { info.size_bytes };
        let is_compressing = COMPRESSING.contains(&info.kind);
        let (one, all) = if is_compressing {
            (STREAM_RATIO_COMPRESSED, STREAM_RATIO_COMPRESSED)
        } else {
            (1, STREAM_RATIO)
        };
        let total = sum.saturating_add(entry.bytes);
        if entry.bytes > bytes.saturating_mul(one) || total > bytes.saturating_mul(all) {
            refused.push((*id, streaming));
            *mask &= !streaming;
        } else {
            *sum = total;
        }
    }
    refused
}
