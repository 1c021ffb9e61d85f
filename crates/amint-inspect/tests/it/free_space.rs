//! Secrets where no file is, on file systems of the system's own tools: each is planted where that tool says that nothing lies.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use amint_types::Severity;
use amint_types::scan::{AnalyzerStatus, ScanDocument};

use crate::disk::ext4;
use crate::root::Root;
use crate::support::{has_tools, look, sh};

/// Builds a secret at run time, so that no scanner takes this file for a leak.
fn token() -> String {
    format!("glpat-{}", "Zx9Qv7Lm2Kp4Rt6Yw8Bn")
}

fn plant(path: &Path, offset: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(format!(" token={} ", token()).as_bytes(), offset).unwrap();
}

/// Runs a tool and returns what it says.
fn ask(folder: &Path, line: &str) -> String {
    let output = Command::new("sh")
        .args(["-ec", line])
        .current_dir(folder)
        .env("PATH", std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin")
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the numbers of a text.
fn numbers(text: &str) -> Vec<u64> {
    let words = text.split(|letter: char| !letter.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).collect()
}

/// Asserts that the one secret is found, at a place of this name.
fn assert_found(document: &ScanDocument, place: &str) {
    let found: Vec<_> = document.findings.iter().filter(|finding| finding.rule == "SEC-010").collect();
    assert_eq!(found.len(), 1, "{place}: {found:#?}");
    assert!(found[0].path.contains(place), "{place}: {found:#?}");
    assert!(found[0].severity >= Severity::High, "{found:#?}");
    let run = document.analyzers.iter().find(|run| run.id == "free-space").unwrap();
    assert_eq!(run.status, AnalyzerStatus::Ran, "{:?}", run.notes);
    assert!(document.findings.iter().all(|finding| finding.rule != "SEC-004"), "{:#?}", document.findings);
}

fn empty(document: &ScanDocument) {
    assert!(document.findings.iter().all(|finding| finding.rule != "SEC-010"), "{:#?}", document.findings);
}

#[test]
fn free_clusters_of_fat_are_looked_at() {
    if !has_tools(&["mkfs.vfat", "mcopy", "mdel"]) {
        return;
    }
    let root = Root::debian();
    let folder = root.folder.path();
    std::fs::write(root.beside("note"), format!("{} token={} \n", "x".repeat(5000), token())).unwrap();
    sh(folder, "truncate -s 8M fat; mkfs.vfat -n data fat >/dev/null");
    empty(&look(&root.beside("fat")));
    // Deleting frees the clusters and leaves their content.
    sh(folder, "mcopy -i fat note ::note; mdel -i fat ::note");
    assert_found(&look(&root.beside("fat")), "/@whole disk");
}

#[test]
fn free_clusters_of_ntfs_are_looked_at() {
    if !has_tools(&["mkntfs", "ntfscluster"]) {
        return;
    }
    let root = Root::debian();
    let folder = root.folder.path();
    sh(folder, "truncate -s 16M files; mkntfs -q -F -c 4096 -L data files >/dev/null");
    empty(&look(&root.beside("files")));
    let free = (1000..3000).find(|cluster| {
        let line = format!("ntfscluster -c {cluster}-{cluster} files 2>&1 || true");
        ask(folder, &line).contains("* no inode found")
    });
    let free = free.expect("a new file system has free clusters");
    plant(&root.beside("files"), free * 4096 + 100);
    assert_found(&look(&root.beside("files")), "/@whole disk");
}

#[test]
fn what_no_chunk_and_no_extent_of_btrfs_covers_is_looked_at() {
    if !has_tools(&["mkfs.btrfs", "btrfs"]) {
        return;
    }
    let root = Root::debian();
    let folder = root.folder.path();
    sh(folder, "truncate -s 200M files; mkfs.btrfs -q -L root --rootdir root files");
    empty(&look(&root.beside("files")));
    let chunks = ask(folder, "btrfs inspect-internal dump-tree -t dev files");
    // item … key (1 DEV_EXTENT OFFSET), and a line with the length.
    let mut end = 0;
    let mut offset = 0;
    for line in chunks.lines() {
        if let Some((_, rest)) = line.split_once("DEV_EXTENT ") {
            offset = numbers(rest)[0];
        }
        if let Some((_, rest)) = line.trim().split_once("length ") {
            end = end.max(offset + numbers(rest)[0]);
        }
    }
    let size = std::fs::metadata(root.beside("files")).unwrap().len();
    assert!(end > 0 && end + (2 << 20) < size, "{chunks}");
    plant(&root.beside("files"), size - (1 << 20));
    assert_found(&look(&root.beside("files")), "/@whole disk");
}

/// Makes an XFS, and returns its file and what `xfs_db` says of some fields of its superblock.
fn xfs(root: &Root, fields: &str) -> (PathBuf, Vec<u64>) {
    let folder = root.folder.path();
    sh(folder, "truncate -s 320M files; mkfs.xfs -q -L root files");
    let said = ask(folder, &format!("xfs_db -r -c 'sb 0' -c 'p {fields}' files"));
    let values = said.lines().filter_map(|line| line.split_once(" = ")?.1.trim().parse().ok()).collect();
    (root.beside("files"), values)
}

#[test]
fn free_blocks_of_xfs_are_looked_at() {
    if !has_tools(&["mkfs.xfs", "xfs_db"]) {
        return;
    }
    let root = Root::debian();
    let (path, fields) = xfs(&root, "blocksize agblocks");
    empty(&look(&path));
    // Allocation group, block of it, length.
    let free = ask(root.folder.path(), "xfs_db -r -c 'freesp -d' files");
    let (group, block) = free
        .lines()
        .map(numbers)
        .find(|numbers| numbers.len() == 3 && numbers[2] > 100)
        .map(|numbers| (numbers[0], numbers[1] + 50))
        .expect("a new file system has free blocks");
    plant(&path, (group * fields[1] + block) * fields[0] + 10);
    assert_found(&look(&path), "/@whole disk");
}

#[test]
fn the_log_of_xfs_is_looked_at() {
    if !has_tools(&["mkfs.xfs", "xfs_db"]) {
        return;
    }
    let root = Root::debian();
    let (path, fields) = xfs(&root, "blocksize agblocks agblklog logstart logblocks");
    let [block_bytes, group_blocks, group_bits, start, blocks] = fields[..] else { panic!("{fields:?}") };
    let first = (start >> group_bits) * group_blocks + (start & ((1 << group_bits) - 1));
    plant(&path, (first + blocks - 2) * block_bytes + 600);
    assert_found(&look(&path), "/@whole disk/log");
}

#[test]
fn what_lies_behind_the_end_of_a_file_in_its_last_block_is_looked_at() {
    if !has_tools(&["mke2fs", "debugfs", "dumpe2fs"]) {
        return;
    }
    let root = Root::debian();
    root.write("opt/short", "x".repeat(5000));
    let path = ext4(&root, "root", "files", 64, "");
    let folder = root.folder.path();
    let block = numbers(&ask(folder, "debugfs -R 'bmap /opt/short 1' files 2>/dev/null"))[0];
    let block_bytes = numbers(&ask(folder, "dumpe2fs -h files 2>/dev/null | grep '^Block size'"))[0];
    let last = if block_bytes == 4096 {
        block
    } else {
        numbers(&ask(folder, "debugfs -R 'bmap /opt/short 4' files"))[0]
    };
    plant(&path, last * block_bytes + 5000 % block_bytes + 2);
    assert_found(&look(&path), "/@whole disk/slack");
}

#[test]
fn the_slack_of_fat_xfs_and_ntfs_is_where_their_own_tools_put_the_file() {
    let root = Root::debian();
    let folder = root.folder.path();
    std::fs::write(root.beside("short"), "slackmarker".repeat(300)).unwrap();
    std::fs::write(root.beside("proto"), "/x\n0 0\nd--755 0 0\nshort ---644 0 0 short\n$\n").unwrap();
    for (tools, line) in [
        (
            ["mkfs.vfat", "mcopy"],
            "truncate -s 8M files; mkfs.vfat -s 8 files >/dev/null; mcopy -i files short ::short",
        ),
        (["mkfs.xfs", "xfs_db"], "truncate -s 320M files; mkfs.xfs -q -p proto files"),
        (
            ["mkntfs", "ntfscp"],
            "truncate -s 16M files; mkntfs -q -F -c 4096 files >/dev/null; ntfscp -q files short /short",
        ),
    ] {
        if !has_tools(&tools) {
            continue;
        }
        sh(folder, &format!("rm -f files; {line}"));
        empty(&look(&root.beside("files")));
        // The file is the only one with this text: its last block ends at the next multiple of a block.
        let bytes = std::fs::read(root.beside("files")).unwrap();
        let marker = b"slackmarker".repeat(300);
        let start = bytes.windows(marker.len()).position(|window| window == marker).unwrap();
        assert_eq!(start % 512, 0, "{line}");
        plant(&root.beside("files"), (start + marker.len() + 3) as u64);
        assert_found(&look(&root.beside("files")), "/@whole disk/slack");
    }
}

#[test]
fn the_journal_of_ext4_is_looked_at() {
    if !has_tools(&["mke2fs", "debugfs"]) {
        return;
    }
    let root = Root::debian();
    let path = ext4(&root, "root", "files", 64, "");
    let told = ask(root.folder.path(), "debugfs -R 'bmap <8> 500' files 2>/dev/null");
    let block = numbers(&told)[0];
    let said = ask(root.folder.path(), "dumpe2fs -h files 2>/dev/null | grep '^Block size'");
    let block_bytes = numbers(&said)[0];
    plant(&path, block * block_bytes + 40);
    assert_found(&look(&path), "/@whole disk/journal");
}

#[test]
fn a_deleted_file_of_ext4_is_told_once_and_by_its_inode() {
    if !has_tools(&["mke2fs", "debugfs"]) {
        return;
    }
    let root = Root::debian();
    root.write("opt/gone", format!("{} token={}\n", "x".repeat(5000), token()));
    let path = ext4(&root, "root", "files", 64, "");
    let folder = root.folder.path();
    let inode = numbers(&ask(folder, "debugfs -R 'stat /opt/gone' files 2>/dev/null"))[0];
    // As a kernel of ext3 leaves it: no name, no link, a time of deletion, and the map of its blocks.
    sh(
        folder,
        &format!(
            "debugfs -w -R 'unlink /opt/gone' files 2>/dev/null; \
             debugfs -w -R 'set_inode_field <{inode}> links_count 0' files 2>/dev/null; \
             debugfs -w -R 'set_inode_field <{inode}> dtime 1700000000' files 2>/dev/null; \
             debugfs -w -R 'freei <{inode}>' files 2>/dev/null"
        ),
    );
    assert_found(&look(&path), &format!("deleted inode {inode}"));
}
