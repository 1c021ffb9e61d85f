//! The files of the machine that runs the test: a plain system has hardly any secret below `/usr`.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use amint_secrets::{Limits, scan_source};
use amint_types::{ReadAt, Severity};

/// What is looked at, so that the test stays short.
const BYTES_MAX: u64 = 300 << 20;
const FILE_BYTES_MAX: u64 = 16 << 20;
const FINDINGS_MAX: usize = 20;

struct OpenFile(File, u64);

impl ReadAt for OpenFile {
    fn size_bytes(&self) -> u64 {
        self.1
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut names: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    names.sort();
    for path in names {
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => collect(&path, found),
            Ok(meta) if meta.is_file() && meta.len() <= FILE_BYTES_MAX => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn a_plain_system_has_hardly_a_finding() {
    let mut files = Vec::new();
    for folder in [
        "/usr/sbin",
        "/usr/bin",
        "/usr/share/perl",
        "/usr/share/bash-completion",
        "/usr/lib/python3",
        "/usr/share",
    ] {
        collect(Path::new(folder), &mut files);
    }
    if files.len() < 1000 {
        return eprintln!("SKIPPED: needs a system below /usr");
    }
    let (mut bytes, mut told) = (0, Vec::new());
    for path in files {
        let Ok(file) = File::open(&path) else { continue };
        let size = file.metadata().map_or(0, |meta| meta.len());
        let name = path.to_string_lossy();
        let looked = scan_source(&name, &OpenFile(file, size), &Limits::default(), &mut |finding| {
            if finding.severity > Severity::Low {
                told.push(format!("{} {name}{}", finding.kind, finding.inside.unwrap_or_default()));
            }
        });
        bytes += looked.map_or(0, |looked| looked.bytes_read + looked.bytes_unpacked);
        if bytes > BYTES_MAX {
            break;
        }
    }
    assert!(told.len() < FINDINGS_MAX, "{} in {} MiB: {told:#?}", told.len(), bytes >> 20);
}
