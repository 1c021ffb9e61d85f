//! Free space and the journal's place, against `dumpe2fs` and `debugfs`.

use std::fs;
use std::ops::{ControlFlow, Range};

use amint_ext::Ext;
use amint_fs::FileSystem as _;

use crate::support::{Image, debugfs, has_tools, run};
use crate::tree::noise;

fn free(ext: &Ext) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    ext.free_ranges(&mut |range| {
        ranges.push(range);
        ControlFlow::Continue(())
    })
    .unwrap();
    ranges
}

/// Returns the free ranges that `dumpe2fs` lists by group, merged. Of clusters it names the first block.
fn free_by_dumpe2fs(image: &Image, block_bytes: u64, cluster_blocks: u64) -> Vec<Range<u64>> {
    let text = run("dumpe2fs", &[image.path().to_str().unwrap()]);
    let mut merged: Vec<Range<u64>> = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("  Free blocks: ")) {
        for part in line.split(", ").filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let range = first.parse::<u64>().unwrap()..last.parse::<u64>().unwrap() + cluster_blocks;
            match merged.last_mut() {
                Some(before) if before.end == range.start => before.end = range.end,
                _ => merged.push(range),
            }
        }
    }
    merged.into_iter().map(|range| range.start * block_bytes..range.end * block_bytes).collect()
}

#[test]
fn free_space_is_what_dumpe2fs_lists() {
    if !has_tools(&["mke2fs", "dumpe2fs"]) {
        return;
    }
    let source = tempfile::tempdir().unwrap();
    for number in 0..9 {
        fs::write(source.path().join(number.to_string()), noise(number * 40_000, 1)).unwrap();
    }
    let combinations: &[&[&str]] = &[
        &["-t", "ext2", "-b", "1024"],
        &["-t", "ext4", "-b", "1024"],
        &["-t", "ext4", "-b", "1024", "-O", "^flex_bg,^metadata_csum,uninit_bg"],
        &["-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode", "-g", "1024"],
        &["-t", "ext4", "-b", "1024", "-O", "sparse_super2,^resize_inode", "-E", "num_backup_sb=2"],
        &["-t", "ext4", "-b", "4096", "-O", "bigalloc", "-C", "65536"],
        &["-t", "ext4", "-b", "2048", "-O", "^64bit", "-g", "2048"],
    ];
    for arguments in combinations {
        let image = Image::make(arguments, Some(source.path()), "64M");
        let ext = image.open().unwrap();
        let found = free(&ext);
        assert!(!found.is_empty());
        let cluster_blocks = if arguments.contains(&"bigalloc") { 16 } else { 1 };
        assert_eq!(found, free_by_dumpe2fs(&image, ext.info().block_bytes, cluster_blocks), "{arguments:?}");
    }
}

#[test]
fn free_ranges_stop_when_asked() {
    if !has_tools(&["mke2fs"]) {
        return;
    }
    let image = Image::make(&["-t", "ext4", "-b", "1024", "-g", "1024"], None, "8M");
    let mut count = 0;
    let visit = &mut |_| {
        count += 1;
        ControlFlow::Break(())
    };
    image.open().unwrap().free_ranges(visit).unwrap();
    assert_eq!(count, 1);
}

#[test]
fn the_journal_is_where_debugfs_says() {
    if !has_tools(&["mke2fs", "debugfs"]) {
        return;
    }
    for arguments in [["-t", "ext4", "-b", "4096"], ["-t", "ext3", "-b", "1024"]] {
        let image = Image::make(&arguments, None, "24M");
        let ext = image.open().unwrap();
        let block_bytes = ext.info().block_bytes;
        let mut found = Vec::new();
        for range in ext.journal_ranges().unwrap() {
            found.extend(range.start / block_bytes..range.end / block_bytes);
        }
        let said = debugfs(&image.path(), "blocks <8>\n");
        let mut expected: Vec<u64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        expected.sort_unstable();
        // Blocks of the map itself are in between, and are none of the journal's.
        expected.retain(|block| found.binary_search(block).is_ok() || arguments[1] == "ext4");
        assert!(!found.is_empty());
        assert_eq!(found, expected, "{arguments:?}");
    }
    let image = Image::make(&["-t", "ext2"], None, "8M");
    assert_eq!(image.open().unwrap().journal_ranges().unwrap(), []);
}
