//! Disks to convert, and QEMU's tools that convert them.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use amint_formats::{FormatError, OpenOptions, Opened, open};
use amint_types::ReadAt;

/// A folder with a raw disk, and what is made of it.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    pub(crate) disk: Vec<u8>,
}

/// Numbers that look random and are the same every time.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }
}

/// Tells whether a tool is there; says so when it is not.
pub(crate) fn has(tool: &str) -> bool {
    let is_there = Command::new(tool).arg("--version").output().is_ok();
    if !is_there {
        eprintln!("SKIPPED: needs {tool}");
    }
    is_there
}

impl Bench {
    /// Makes a sparse disk: stretches of noise, of text that compresses, and holes.
    pub(crate) fn new(bytes: u64, seed: u64) -> Self {
        let mut numbers = Numbers::new(seed);
        let mut disk = vec![0; usize::try_from(bytes).unwrap()];
        for _ in 0..24 {
            let start = numbers.below(bytes);
            let length = (1 << numbers.below(20)) + numbers.below(5000);
            let end = bytes.min(start + length);
            let is_text = numbers.below(2) == 0;
            let stretch = &mut disk[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
            for (at, byte) in stretch.iter_mut().enumerate() {
                *byte =
                    if is_text { b"all work and no play "[at % 21] } else { numbers.draw().to_le_bytes()[3] };
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("disk.raw")).unwrap();
        file.set_len(bytes).unwrap();
        for (number, block) in disk.chunks(4096).enumerate() {
            if !is_zero(block) {
                file.write_all_at(block, number as u64 * 4096).unwrap();
            }
        }
        Self { folder, disk }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Converts the raw disk with `qemu-img convert`.
    pub(crate) fn convert(&self, options: &[&str], name: &str) -> PathBuf {
        let output = self.path(name);
        run(Command::new("qemu-img")
            .args(["convert", "-t", "unsafe", "-f", "raw"])
            .args(options)
            .arg(self.path("disk.raw"))
            .arg(&output));
        output
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn open_plain(path: &Path) -> Result<Opened, FormatError> {
    open(path, &OpenOptions::default())
}

/// Reads the whole disk in pieces of `step` bytes.
pub(crate) fn content(disk: &dyn ReadAt, step: usize) -> Vec<u8> {
    let mut content = vec![0xa5; usize::try_from(disk.size_bytes()).unwrap()];
    let mut offset = 0;
    for piece in content.chunks_mut(step) {
        disk.read_exact_at(offset, piece).unwrap();
        offset += piece.len() as u64;
    }
    content
}

fn is_zero(bytes: &[u8]) -> bool {
    // Compares as memory, which is fast in a debug build too.
    bytes.chunks(4096).all(|piece| *piece == [0; 4096][..piece.len()])
}

/// Checks that a disk is `expected`, followed by zeros up to less than a megabyte more: some formats round up.
pub(crate) fn assert_is(opened: &Opened, expected: &[u8]) {
    let disk = &*opened.disk;
    let read = content(disk, 777_777);
    assert!(read.len() >= expected.len() && read.len() < expected.len() + (1 << 20), "{opened:?}");
    let (same, rest) = read.split_at(expected.len());
    if same != expected {
        let differs = same.iter().zip(expected).position(|(one, other)| one != other);
        panic!("{opened:?} differs from byte {differs:?} on");
    }
    assert!(is_zero(rest), "{opened:?}");
    let mut numbers = Numbers::new(expected.len() as u64);
    for _ in 0..300 {
        let start = numbers.below(disk.size_bytes());
        let bytes_bits = numbers.below(19);
        let bytes = numbers.below(1 << bytes_bits).min(disk.size_bytes() - start);
        let range = usize::try_from(start).unwrap()..usize::try_from(start + bytes).unwrap();
        let mut piece = vec![0xa5; range.len()];
        disk.read_exact_at(start, &mut piece).unwrap();
        assert!(piece == read[range.clone()], "{opened:?} {start} {bytes}");
        if disk.is_known_zero(start, bytes) {
            assert!(is_zero(&piece), "{opened:?} {start} {bytes}");
        }
    }
    assert!(disk.read_exact_at(disk.size_bytes(), &mut [0]).is_err());
    assert!(disk.read_exact_at(u64::MAX, &mut [0]).is_err());
}
