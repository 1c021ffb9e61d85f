//! Crashed file systems: the kernel replays the log, and the reader must see the same without writing.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt as _, symlink};
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use amint_btrfs::Btrfs;
use amint_fs::{FileSystem as _, find, read_file};
use amint_types::ReadAt;
use proptest::prelude::proptest;

use crate::damage::{changes, metadata_blocks, read_everything};
use crate::free_space::overwrite_free;
use crate::support::{Except, Image, Mount, compare, crash, noise, text};

/// How often chance decides what happens.
const ROUNDS: u32 = 4;

fn sync(mount: &Mount, name: &str) {
    File::open(mount.at(name)).unwrap().sync_all().unwrap();
}

/// Makes some files and commits them, lets `change` go on, and compares what a crash leaves.
fn check(mkfs: &[&str], options: &str, change: impl FnOnce(&Mount)) {
    let Some(image) = Image::make(200, mkfs) else { return };
    // No commit may come between.
    let Some(mount) = image.mount(&format!("noatime,commit=300,{options}")) else { return };
    fs::create_dir_all(mount.at("folder/inner")).unwrap();
    fs::create_dir(mount.at("other")).unwrap();
    for number in 0..40 {
        fs::write(mount.at(&format!("folder/file {number}")), format!("{number}\n")).unwrap();
    }
    fs::write(mount.at("large"), noise(1 << 20, 3)).unwrap();
    fs::write(mount.at("text"), text(400_000)).unwrap();
    mount.run("setfattr", &["-n", "user.old", "-v", "1", "@/large"]);
    mount.run("sync", &["-f", "@/large"]);
    change(&mount);
    let crashed = crash(&image);
    let replayed = crash(&image);
    // What the log uses is not free, though the trees do not know of it.
    overwrite_free(&replayed);
    drop(mount);

    let fs = crashed.open();
    let notes = &fs.info().notes;
    assert!(notes.iter().any(|note| note.starts_with("log tree replayed in memory")), "{notes:?}");
    let Some(mount) = replayed.mount("noatime") else { return };
    compare(&fs, &mount.0, Except::default());
}

#[test]
fn sees_synced_changes_within_files() {
    check(&[], "compress=zstd", |mount| {
        let file = OpenOptions::new().write(true).open(mount.at("large")).unwrap();
        file.write_all_at(&noise(50_000, 4), 300_000).unwrap();
        file.sync_all().unwrap();
        file.write_all_at(b"a few bytes", 310_000).unwrap();
        file.set_len((1 << 20) + 77_777).unwrap();
        file.sync_all().unwrap();
        let file = OpenOptions::new().write(true).open(mount.at("text")).unwrap();
        file.write_all_at(&noise(9000, 5), 100_000).unwrap();
        file.sync_all().unwrap();
        file.set_len(222_222).unwrap();
        file.sync_all().unwrap();
        fs::write(mount.at("folder/file 3"), b"other content").unwrap();
        sync(mount, "folder/file 3");
        mount.run("setfattr", &["-n", "user.new", "-v", "2", "@/large"]);
        mount.run("setfattr", &["-x", "user.old", "@/large"]);
        mount.run("chmod", &["4711", "@/large"]);
        sync(mount, "large");
    });
}

#[test]
fn sees_new_files_with_their_folders() {
    check(&[], "max_inline=2048", |mount| {
        fs::create_dir_all(mount.at("new/deep")).unwrap();
        fs::write(mount.at("new/deep/file"), noise(70_000, 6)).unwrap();
        sync(mount, "new/deep/file");
        fs::write(mount.at("new/deep/not synced"), b"lost or not").unwrap();
        symlink("deep/file", mount.at("new/link")).unwrap();
        sync(mount, "new");
        fs::hard_link(mount.at("text"), mount.at("other/text")).unwrap();
        fs::hard_link(mount.at("text"), mount.at("other/text again")).unwrap();
        sync(mount, "text");
        mount.run("fallocate", &["-l", "200000", "@/other/reserved"]);
        sync(mount, "other/reserved");
    });
}

#[test]
fn sees_what_is_gone_and_what_has_moved() {
    check(&[], "", |mount| {
        for number in 5..15 {
            fs::remove_file(mount.at(&format!("folder/file {number}"))).unwrap();
        }
        fs::rename(mount.at("folder/file 20"), mount.at("folder/renamed")).unwrap();
        fs::write(mount.at("folder/file 21"), b"new").unwrap();
        sync(mount, "folder");
        fs::rename(mount.at("folder/file 22"), mount.at("folder/file 23")).unwrap();
        sync(mount, "folder/file 23");
        sync(mount, "folder");
        fs::rename(mount.at("folder/renamed"), mount.at("other/moved")).unwrap();
        sync(mount, "other/moved");
        sync(mount, "folder");
    });
}

#[test]
fn sees_changes_of_files_with_explicit_holes_and_small_nodes() {
    check(&["-n", "4096", "-O", "^no-holes"], "", |mount| {
        let file = OpenOptions::new().write(true).open(mount.at("large")).unwrap();
        for number in 0..100 {
            file.write_all_at(&noise(4096, number), number * 9000).unwrap();
        }
        file.sync_all().unwrap();
        mount.run("fallocate", &["-p", "-o", "40960", "-l", "81920", "@/large"]);
        sync(mount, "large");
        let file = File::create(mount.at("sparse")).unwrap();
        file.write_all_at(b"end", 900_000).unwrap();
        file.sync_all().unwrap();
    });
}

#[test]
fn sees_changes_in_a_subvolume() {
    let Some(image) = Image::make(200, &[]) else { return };
    let Some(mount) = image.mount("noatime,commit=300") else { return };
    mount.run("btrfs", &["-q", "subvolume", "create", "@/root"]);
    fs::write(mount.at("root/file"), b"old").unwrap();
    mount.run("sync", &["-f", "@/root"]);
    fs::write(mount.at("root/file"), b"new content").unwrap();
    sync(&mount, "root/file");
    let crashed = crash(&image);
    drop(mount);
    let fs = crashed.open();
    assert_eq!(read_file(&fs, b"root/file", 100).unwrap(), b"new content");
    assert!(fs.node(find(&fs, b"root/file").unwrap()).unwrap().bytes == 11);
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Does one thing to one of few files in few folders.
fn random_step(mount: &Mount, dice: &mut Dice) {
    let names = [
        "folder/file 1",
        "folder/file 2",
        "folder/a",
        "folder/b",
        "other/a",
        "other/b",
        "folder/inner/a",
        "top",
    ];
    let mut pick = || names[usize::try_from(dice.below(names.len() as u64)).unwrap()];
    let (first, second) = (mount.at(pick()), mount.at(pick()));
    let seed = dice.below(1 << 40);
    let at = seed % 50_000;
    // What cannot be done now is not done.
    let _ = match dice.below(13) {
        0 => fs::write(&first, noise(usize::try_from(seed % 9000).unwrap(), seed)),
        1 => fs::rename(&first, &second),
        2 => fs::hard_link(&first, &second),
        3 => fs::remove_file(&first),
        4 | 5 => OpenOptions::new()
            .write(true)
            .open(&first)
            .and_then(|file| file.write_all_at(&noise(usize::try_from(seed % 20_000).unwrap(), seed), at)),
        6 => OpenOptions::new().write(true).open(&first).and_then(|file| file.set_len(at)),
        7 | 8 => File::open(&first).and_then(|file| file.sync_all()),
        9 => fs::rename(mount.at("folder/inner"), mount.at("other/inner"))
            .or_else(|_| fs::rename(mount.at("other/inner"), mount.at("folder/inner"))),
        10 => {
            let name = if seed.is_multiple_of(2) { "user.a" } else { "user.b" };
            let value = noise(usize::try_from(seed % 100).unwrap(), seed);
            let flags = rustix::fs::XattrFlags::empty();
            let result = if seed.is_multiple_of(3) {
                rustix::fs::removexattr(&first, name)
            } else {
                rustix::fs::setxattr(&first, name, &value, flags)
            };
            result.map_err(Into::into)
        }
        11 => symlink("some target", &first),
        _ => File::open(first.parent().unwrap()).and_then(|folder| folder.sync_all()),
    };
}

#[test]
fn sees_what_the_kernel_sees_after_many_changes() {
    let Some(image) = Image::make(200, &[]) else { return };
    let mut dice = Dice(0x1234_5678);
    let mut replayed_count = 0;
    for _ in 0..ROUNDS {
        let Some(mount) = image.mount("noatime,commit=300") else { return };
        fs::create_dir_all(mount.at("folder/inner")).unwrap();
        fs::create_dir_all(mount.at("other")).unwrap();
        for number in 0..3 {
            fs::write(mount.at(&format!("folder/file {number}")), noise(30_000, number)).unwrap();
        }
        mount.run("sync", &["-f", "@/other"]);
        for _ in 0..60 {
            random_step(&mount, &mut dice);
        }
        let crashed = crash(&image);
        let replayed = crash(&image);
        overwrite_free(&replayed);
        // The kernel's clock may be some milliseconds behind.
        let since = i128::try_from(UNIX_EPOCH.elapsed().unwrap().as_nanos()).unwrap() - 10_000_000;
        drop(mount);
        let fs = crashed.open();
        let notes = &fs.info().notes;
        replayed_count += u32::from(notes.iter().any(|note| note.starts_with("log tree replayed")));
        assert!(!notes.iter().any(|note| note.starts_with("log tree not replayed")), "{notes:?}");
        let Some(mount) = replayed.mount("noatime") else { return };
        compare(&fs, &mount.0, Except { since: Some(since), ..Except::default() });
    }
    assert!(replayed_count > ROUNDS / 4, "{replayed_count} of {ROUNDS} had a log");
}

/// Bytes that change between two openings.
struct Changing(Arc<Mutex<Vec<u8>>>);

impl ReadAt for Changing {
    fn size_bytes(&self) -> u64 {
        self.0.lock().unwrap().len() as u64
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        self.0.lock().unwrap().read_exact_at(offset, buffer)
    }
}

#[test]
fn changed_logs_with_right_checksums_never_panic() {
    let Some(image) = Image::make(128, &["-n", "4096", "-m", "single"]) else { return };
    let Some(mount) = image.mount("noatime,commit=300") else { return };
    fs::create_dir_all(mount.at("folder/inner")).unwrap();
    fs::create_dir(mount.at("other")).unwrap();
    fs::write(mount.at("folder/file 1"), noise(30_000, 1)).unwrap();
    mount.run("sync", &["-f", "@/other"]);
    let mut dice = Dice(99);
    (0..100).for_each(|_| random_step(&mount, &mut dice));
    fs::rename(mount.at("folder"), mount.at("moved")).unwrap();
    fs::write(mount.at("moved/new"), noise(30_000, 1)).unwrap();
    sync(&mount, "moved/new");
    let bytes = Arc::new(Mutex::new(fs::read(image.path()).unwrap()));
    drop(mount);
    let open = || Btrfs::open(Arc::new(Changing(Arc::clone(&bytes))));
    assert!(open().unwrap().info().notes[0].starts_with("log tree replayed"));
    let blocks = metadata_blocks(&bytes.lock().unwrap());
    proptest!(proptest::test_runner::Config::with_cases(100), |(changes in changes())| {
        let old: Vec<_> = changes
            .into_iter()
            .map(|(block, at, value)| {
                let at_block = blocks[block % blocks.len()];
                let mut bytes = bytes.lock().unwrap();
                let block = &mut bytes[at_block..at_block + 4096];
                let old = block.to_vec();
                block[at] = value;
                let sum = crc32c::crc32c(&block[32..]).to_le_bytes();
                block[..4].copy_from_slice(&sum);
                (at_block, old)
            })
            .collect();
        if let Ok(fs) = open() {
            read_everything(&fs);
        }
        for (block, content) in old.into_iter().rev() {
            bytes.lock().unwrap()[block..block + 4096].copy_from_slice(&content);
        }
    });
}
