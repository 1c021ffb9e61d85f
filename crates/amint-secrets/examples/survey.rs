//! Looks for secrets in the files of folders and lists them: `cargo run --release --example survey -- /usr/share`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use amint_secrets::{Limits, scan_source};
use amint_types::{ReadAt, Severity};

struct OpenFile(File, u64);

impl ReadAt for OpenFile {
    fn size_bytes(&self) -> u64 {
        self.1
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    let mut counts: BTreeMap<(Severity, &'static str), u32> = BTreeMap::new();
    let (mut files, mut bytes, mut placeholders) = (0_u64, 0_u64, 0_u64);
    let start = std::time::Instant::now();
    for path in std::env::args().skip(1).flat_map(|root| files_of(Path::new(&root))) {
        let Ok(file) = File::open(&path) else { continue };
        let Ok(size) = file.metadata().map(|meta| meta.len()) else { continue };
        let name = path.to_string_lossy();
        let looked = scan_source(&name, &OpenFile(file, size), &Limits::default(), &mut |found| {
            *counts.entry((found.severity, found.kind)).or_default() += 1;
            let (inside, note) = (found.inside.unwrap_or_default(), found.note.unwrap_or_default());
            let line = found.line.map(|line| format!(":{line}")).unwrap_or_default();
            println!(
                "{} {} {name}{inside}{line} @{} {} [{note}]",
                found.severity, found.kind, found.offset, found.excerpt
            );
        });
        if let Ok(looked) = looked {
            files += 1;
            bytes += looked.bytes_read + looked.bytes_unpacked;
            placeholders += looked.placeholders;
            for gap in looked.gaps {
                println!("gap {name}{} {}", gap.inside.unwrap_or_default(), gap.reason);
            }
        }
    }
    println!("{files} files, {} MiB, {placeholders} placeholders, {:.1?}", bytes >> 20, start.elapsed());
    for ((severity, kind), count) in counts {
        println!("{count:6} {severity} {kind}");
    }
}

fn files_of(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(path) = pending.pop() {
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => {
                let mut below: Vec<PathBuf> =
                    fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
                below.sort();
                pending.extend(below);
            }
            Ok(meta) if meta.is_file() => found.push(path),
            _ => {}
        }
    }
    found
}
