//! Reading a layer back into a tree.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Mutex;

use amint_types::{Cancel, DigestWriter};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use super::manifest::Shard;
use super::record::{Kind, Record, damaged};
use super::save::{copy_exactly, shard_name};
use super::state::path_of;
use crate::install::folders::{Folders, split};
use crate::parallel;

const COPY_BYTES: usize = 256 * 1024;

/// Restores the shards of a layer: the first alone, files side by side, the last alone; then modes and times of folders,
/// which restoring what is in them changes.
pub(super) fn restore(folder: &Path, shards: &[Shard], tree: &Path, cancel: &Cancel) -> io::Result<()> {
    let (Some(last), true) = (shards.len().checked_sub(1), shards.len() >= 2) else {
        return Err(damaged("a layer has too few parts"));
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(tree, flags, Mode::empty())?;
    let kept: Mutex<Vec<Record>> = Mutex::default();
    let read = |index: usize| {
        let target = Target { root: root.as_fd(), tree, folders: &kept };
        read_shard(&folder.join(shard_name(index)), &shards[index], &target, cancel)
    };
    read(0)?;
    parallel::each(last - 1, || (), |(), index| read(index + 1))?;
    read(last)?;
    let mut folders = Folders::new(root.as_fd());
    let mut records = kept.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    // The deepest first: a folder that may not be entered any more is not entered any more.
    records.sort_by(|left, right| right.path.cmp(&left.path));
    for record in &records {
        let (parent, name) = split(&record.path);
        let parent = folders.open(parent)?;
        finish(parent.as_fd(), name, record, &tree.join(path_of(&record.path)))?;
    }
    Ok(())
}

struct Target<'a> {
    root: BorrowedFd<'a>,
    tree: &'a Path,
    folders: &'a Mutex<Vec<Record>>,
}

fn read_shard(path: &Path, shard: &Shard, target: &Target<'_>, cancel: &Cancel) -> io::Result<()> {
    let file = File::open(path)?;
    if file.metadata()?.len() != shard.bytes {
        return Err(damaged("a part has another size"));
    }
    let mut hashing = Hashing { inner: file, digest: DigestWriter::new() };
    let mut source =
        zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(COPY_BYTES, &mut hashing))?;
    let mut folders = Folders::new(target.root);
    let mut buffer = vec![0; COPY_BYTES];
    while let Some(record) = Record::read(&mut source)? {
        cancel.check().map_err(io::Error::other)?;
        check_path(&record.path)?;
        place(record, &mut source, target, &mut folders, &mut buffer)?;
    }
    io::copy(&mut source.finish(), &mut io::sink())?;
    if hashing.digest.finish() == shard.sha256 { Ok(()) } else { Err(damaged("a part has another digest")) }
}

fn check_path(path: &[u8]) -> io::Result<()> {
    let is_plain = |part: &[u8]| !part.is_empty() && part != b"." && part != b".." && !part.contains(&0);
    if path.split(|byte| *byte == b'/').all(is_plain) {
        Ok(())
    } else {
        Err(damaged("a path makes no sense"))
    }
}

fn place(
    record: Record,
    source: &mut impl Read,
    target: &Target<'_>,
    folders: &mut Folders<'_>,
    buffer: &mut [u8],
) -> io::Result<()> {
    let (parent, name) = split(&record.path);
    let full = target.tree.join(path_of(&record.path));
    if record.kind == Kind::Removed {
        return remove(&full);
    }
    let parent = folders.open(parent)?;
    if record.kind == Kind::Folder {
        match rustix::fs::statat(parent.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) if FileType::from_raw_mode(status.st_mode) == FileType::Directory => {}
            Ok(_) => {
                remove(&full)?;
                rustix::fs::mkdirat(parent.as_fd(), name, Mode::from_raw_mode(0o700))?;
            }
            Err(Errno::NOENT) => rustix::fs::mkdirat(parent.as_fd(), name, Mode::from_raw_mode(0o700))?,
            Err(error) => return Err(error.into()),
        }
        target.folders.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(record);
        return Ok(());
    }
    match rustix::fs::unlinkat(parent.as_fd(), name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(Errno::ISDIR) => remove(&full)?,
        Err(error) => return Err(error.into()),
    }
    let plain = Mode::from_raw_mode(0o600);
    match &record.kind {
        Kind::File(bytes) => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mut file = File::from(rustix::fs::openat(parent.as_fd(), name, flags, plain)?);
            copy_exactly(source, &mut file, *bytes, buffer)?;
        }
        Kind::Link(link) => rustix::fs::symlinkat(link.as_slice(), parent.as_fd(), name)?,
        Kind::HardLink(first) => {
            check_path(first)?;
            let (folder, first_name) = split(first);
            let folder = folders.open(folder)?;
            rustix::fs::linkat(folder.as_fd(), first_name, parent.as_fd(), name, AtFlags::empty())?;
            return Ok(());
        }
        kind => {
            let (file_type, device) = match kind {
                Kind::Character(major, minor) => {
                    (FileType::CharacterDevice, rustix::fs::makedev(*major, *minor))
                }
                Kind::Block(major, minor) => (FileType::BlockDevice, rustix::fs::makedev(*major, *minor)),
                Kind::Fifo => (FileType::Fifo, 0),
                _ => (FileType::Socket, 0),
            };
            rustix::fs::mknodat(parent.as_fd(), name, file_type, plain, device)?;
        }
    }
    finish(parent.as_fd(), name, &record, &full)
}

/// Sets owner, mode, attributes and times, in the order that keeps each.
fn finish(parent: BorrowedFd<'_>, name: &[u8], record: &Record, full: &Path) -> io::Result<()> {
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::chownat(
        parent,
        name,
        Some(Uid::from_raw(record.uid)),
        Some(Gid::from_raw(record.gid)),
        flags,
    )?;
    if !matches!(record.kind, Kind::Link(_)) {
        rustix::fs::chmodat(parent, name, Mode::from_raw_mode(record.mode), AtFlags::empty())?;
    }
    for (attribute, value) in &record.attributes {
        rustix::fs::lsetxattr(full, attribute.as_slice(), value, rustix::fs::XattrFlags::empty())?;
    }
    let time = Timespec { tv_sec: record.seconds, tv_nsec: i64::from(record.nanoseconds.min(999_999_999)) };
    let times = Timestamps { last_access: time, last_modification: time };
    Ok(rustix::fs::utimensat(parent, name, &times, flags)?)
}

fn remove(path: &Path) -> io::Result<()> {
    let result = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

struct Hashing<R> {
    inner: R,
    digest: DigestWriter,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digest.update(&buffer[..count]);
        Ok(count)
    }
}
