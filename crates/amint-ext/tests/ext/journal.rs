//! Journals that `debugfs` fills: every form of checksums, escaped blocks, revocations, transactions without an end.

use std::fs;

use amint_fs::{FileSystem as _, FsError, read_file};

use crate::facts::{assert_same, of_image};
use crate::support::{Image, command, debugfs, has_tools};
use crate::tree::noise;

/// How `debugfs` opens a journal for each form of checksums.
const FORMS: [&str; 3] = ["jo", "jo -c -v 2", "jo -c -v 3"];
const TOOLS: [&str; 3] = ["mke2fs", "debugfs", "e2fsck"];

/// An image with a file of three blocks, and where they are.
fn image(arguments: &[&str]) -> (Image, Vec<u64>) {
    let source = tempfile::tempdir().unwrap();
    fs::write(source.path().join("file"), noise(3072, 1)).unwrap();
    let image = Image::make(arguments, Some(source.path()), "8M");
    let said = debugfs(&image.path(), "blocks file\n");
    let blocks: Vec<u64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert_eq!(blocks.len(), 3, "{said}");
    (image, blocks)
}

/// Writes blocks for the journal to a file: noise that begins like the journal's own blocks.
fn new_blocks(count: usize) -> (tempfile::NamedTempFile, Vec<u8>) {
    let mut content = noise(1024 * count, 77);
    content[..4].copy_from_slice(&[0xC0, 0x3B, 0x39, 0x98]);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &content).unwrap();
    (file, content)
}

/// Lets `debugfs` write transactions.
fn write_journal(image: &Image, open: &str, requests: &[String]) {
    let said = debugfs(&image.path(), &format!("{open}\n{}\njc\n", requests.join("\n")));
    assert!(!said.contains("error") && !said.contains("Usage"), "{said}");
}

#[test]
fn logged_blocks_replace_those_on_the_disk() {
    if !has_tools(&TOOLS) {
        return;
    }
    for features in ["64bit", "^64bit,^metadata_csum"] {
        for form in FORMS {
            let (image, blocks) = image(&["-t", "ext4", "-b", "1024", "-O", features]);
            let (file, content) = new_blocks(2);
            let path = file.path().display();
            let requests = [format!("jw -b {},{} {path}", blocks[0], blocks[2])];
            write_journal(&image, form, &requests);
            let ext = image.open().unwrap();
            let note = "journal replayed in memory: 2 blocks of 1 transactions".to_owned();
            assert!(ext.info().notes.contains(&note), "{form}: {:?}", ext.info().notes);
            let found = read_file(&ext, b"file", 1 << 20).unwrap();
            let mut expected = noise(3072, 1);
            expected[..1024].copy_from_slice(&content[..1024]);
            expected[2048..].copy_from_slice(&content[1024..]);
            assert!(found == expected, "{features} {form}");
            // The same once `e2fsck` wrote the journal back.
            let before = of_image(&ext);
            let status = command("e2fsck").args(["-fy"]).arg(image.path()).output().unwrap().status;
            assert!(status.code().is_some_and(|code| code <= 1));
            let ext = image.open().unwrap();
            assert_eq!(ext.info().notes, Vec::<String>::new());
            assert_same(&of_image(&ext), &before, form);
        }
    }
}

#[test]
fn revoked_blocks_stay_as_they_are_until_they_are_logged_again() {
    if !has_tools(&TOOLS) {
        return;
    }
    for form in FORMS {
        let (image, blocks) = image(&["-t", "ext4", "-b", "1024"]);
        let (file, content) = new_blocks(1);
        let path = file.path().display();
        let requests = [
            format!("jw -b {} {path}", blocks[0]),
            format!("jw -b {} {path}", blocks[1]),
            format!("jw -r {},{}", blocks[0], blocks[1]),
            format!("jw -b {} {path}", blocks[1]),
        ];
        write_journal(&image, form, &requests);
        let ext = image.open().unwrap();
        let mut expected = noise(3072, 1);
        expected[1024..2048].copy_from_slice(&content);
        assert!(read_file(&ext, b"file", 1 << 20).unwrap() == expected, "{form}");
    }
}

#[test]
fn a_transaction_without_an_end_is_left_out() {
    if !has_tools(&TOOLS) {
        return;
    }
    let (image, blocks) = image(&["-t", "ext4", "-b", "1024"]);
    let (file, _) = new_blocks(1);
    let requests = [format!("jw -b {} -c {}", blocks[0], file.path().display())];
    write_journal(&image, "jo -c -v 3", &requests);
    let ext = image.open().unwrap();
    assert!(read_file(&ext, b"file", 1 << 20).unwrap() == noise(3072, 1));
    assert!(!ext.info().notes.iter().any(|note| note.contains("replayed")), "{:?}", ext.info().notes);
}

#[test]
fn damage_in_the_journal_is_told() {
    if !has_tools(&TOOLS) {
        return;
    }
    for form in ["jo -c -v 2", "jo -c -v 3"] {
        let (image, blocks) = image(&["-t", "ext4", "-b", "1024"]);
        let (file, content) = new_blocks(1);
        write_journal(&image, form, &[format!("jw -b {} {}", blocks[0], file.path().display())]);
        let clean = image.bytes();
        let journal = image.open().unwrap().journal_ranges().unwrap();
        // Its superblock, the descriptor, the logged block, the commit.
        for (block, within) in [(0, 0x10), (1, 0x20), (2, 500), (3, 0x20)] {
            let said = debugfs(&image.path(), &format!("bmap <8> {block}\n"));
            let place: Vec<u64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            let start = place.last().unwrap() * 1024;
            assert!(journal.iter().any(|range| range.contains(&start)), "{said}");
            let place = usize::try_from(start).unwrap() + within;
            if block == 2 {
                assert_eq!(clean[place], content[within]);
            }
            let mut bytes = clean.clone();
            bytes[place] ^= 0x10;
            let error = amint_ext::Ext::open(std::sync::Arc::new(bytes)).unwrap_err();
            assert!(matches!(error, FsError::Damaged { .. }), "{form} {block}: {error}");
        }
    }
}

#[test]
fn an_external_journal_is_refused_when_it_is_needed_and_noted_when_not() {
    if !has_tools(&TOOLS) {
        return;
    }
    let image = Image::make(&["-t", "ext4", "-b", "1024", "-O", "^metadata_csum"], None, "8M");
    let mut bytes = image.bytes();
    // No journal within, and the device number of another.
    bytes[1024 + 0xE0] = 0;
    bytes[1024 + 0xE4] = 8;
    let open = |bytes: &[u8]| amint_ext::Ext::open(std::sync::Arc::new(bytes.to_vec()));
    assert!(open(&bytes).unwrap().info().notes.iter().any(|note| note.contains("external journal")));
    bytes[1024 + 0x60] |= 0x4;
    assert!(matches!(open(&bytes), Err(FsError::Unsupported { .. })));
}
