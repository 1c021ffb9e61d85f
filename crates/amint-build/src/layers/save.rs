//! Writing a layer: entries in shards of even size, compressed side by side.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use amint_types::{Cancel, Digest, DigestWriter};

use super::manifest::Shard;
use super::record::{Kind, Record};
use super::state::{Changes, path_of};
use crate::parallel;

/// How much content goes into one shard.
const SHARD_BYTES: u64 = 24 * 1024 * 1024;
/// Level of Zstandard: the fastest, for what is read more often than kept.
const LEVEL: i32 = 1;
/// How much of a file is copied at once.
const COPY_BYTES: usize = 256 * 1024;

/// Writes the shards of a layer into `folder`: first what is no file, then files, then further names of files.
pub(super) fn save(tree: &Path, changes: &Changes, folder: &Path, cancel: &Cancel) -> io::Result<Vec<Shard>> {
    let entries = describe(tree, changes)?;
    let mut frames: Vec<Vec<&Record>> = vec![Vec::new()];
    let mut files: Vec<&Record> = Vec::new();
    let mut links: Vec<&Record> = Vec::new();
    for entry in &entries {
        match entry.kind {
            Kind::File(_) => files.push(entry),
            Kind::HardLink(_) => links.push(entry),
            _ => frames[0].push(entry),
        }
    }
    let mut bytes = 0;
    let mut open: Vec<&Record> = Vec::new();
    for file in files {
        if let Kind::File(size) = file.kind {
            if bytes > 0 && bytes + size > SHARD_BYTES {
                frames.push(std::mem::take(&mut open));
                bytes = 0;
            }
            bytes += size + 512;
            open.push(file);
        }
    }
    frames.push(open);
    frames.push(links);
    parallel::each(
        frames.len(),
        || (),
        |(), index| {
            cancel.check().map_err(io::Error::other)?;
            write_shard(tree, &frames[index], &folder.join(shard_name(index)))
        },
    )
}

pub(super) fn shard_name(index: usize) -> String {
    format!("{index:04}.zst")
}

/// Describes what changed; further names of a file refer to the first.
fn describe(tree: &Path, changes: &Changes) -> io::Result<Vec<Record>> {
    let mut entries: Vec<Record> = changes.removed.iter().map(|path| Record::removed(path)).collect();
    let mut names: HashMap<(u64, u64), &[u8]> = HashMap::new();
    for path in &changes.changed {
        let full = tree.join(path_of(path));
        let metadata = full.symlink_metadata()?;
        let file_type = metadata.file_type();
        let device = || {
            let device = metadata.rdev();
            (rustix::fs::major(device), rustix::fs::minor(device))
        };
        let first = match names.entry((metadata.dev(), metadata.ino())) {
            _ if file_type.is_dir() || metadata.nlink() < 2 => None,
            std::collections::hash_map::Entry::Occupied(first) => Some(first.get().to_vec()),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(path);
                None
            }
        };
        let kind = if let Some(first) = first {
            Kind::HardLink(first)
        } else if file_type.is_dir() {
            Kind::Folder
        } else if file_type.is_symlink() {
            Kind::Link(fs::read_link(&full)?.as_os_str().as_bytes().to_vec())
        } else if file_type.is_file() {
            Kind::File(metadata.len())
        } else if file_type.is_char_device() {
            let (major, minor) = device();
            Kind::Character(major, minor)
        } else if file_type.is_block_device() {
            let (major, minor) = device();
            Kind::Block(major, minor)
        } else if file_type.is_fifo() {
            Kind::Fifo
        } else {
            Kind::Socket
        };
        entries.push(Record {
            path: path.clone(),
            kind,
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            seconds: metadata.mtime(),
            nanoseconds: u32::try_from(metadata.mtime_nsec()).unwrap_or_default(),
            attributes: attributes(&full)?,
        });
    }
    Ok(entries)
}

fn attributes(path: &Path) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut names = vec![0_u8; 16 * 1024];
    let count = match rustix::fs::llistxattr(path, &mut names[..]) {
        Ok(count) => count,
        Err(rustix::io::Errno::NOTSUP) => 0,
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    for name in names[..count].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0_u8; 64 * 1024];
        let count = rustix::fs::lgetxattr(path, name, &mut value[..])?;
        value.truncate(count);
        found.push((name.to_vec(), value));
    }
    found.sort();
    Ok(found)
}

fn write_shard(tree: &Path, records: &[&Record], path: &Path) -> io::Result<Shard> {
    let output =
        Hashing { inner: BufWriter::new(File::create_new(path)?), digest: DigestWriter::new(), bytes: 0 };
    let mut encoder = zstd::stream::write::Encoder::new(output, LEVEL)?;
    encoder.include_checksum(true)?;
    let mut buffer = vec![0; COPY_BYTES];
    for record in records {
        record.write(&mut encoder)?;
        if let Kind::File(bytes) = record.kind {
            let mut file = File::open(tree.join(path_of(&record.path)))?;
            copy_exactly(&mut file, &mut encoder, bytes, &mut buffer)?;
        }
    }
    let mut output = encoder.finish()?;
    output.flush()?;
    let sha256: Digest = output.digest.finish();
    Ok(Shard { bytes: output.bytes, sha256 })
}

/// Copies so many bytes; a file that has fewer changed while it was read.
pub(super) fn copy_exactly(
    source: &mut impl Read,
    target: &mut impl Write,
    bytes: u64,
    buffer: &mut [u8],
) -> io::Result<()> {
    let mut left = bytes;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = source.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        target.write_all(&buffer[..count])?;
        left -= u64::try_from(count).unwrap_or(u64::MAX);
    }
    Ok(())
}

/// Counts and hashes what passes.
struct Hashing<W> {
    inner: W,
    digest: DigestWriter,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.digest.update(&bytes[..count]);
        self.bytes += u64::try_from(count).unwrap_or(u64::MAX);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
