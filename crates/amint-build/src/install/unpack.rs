//! The files of packages, unpacked as dpkg would (`dpkg(1)`, `deb(5)`).

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Mutex;

use amint_types::Cancel;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use super::InstallError;
use super::diversions::Diversions;
use super::folders::{Folders, split};
use super::owners::{Owners, Verdict};
use super::package::Candidate;
use crate::parallel;

/// How much of a file is copied at once.
const COPY_BYTES: usize = 256 * 1024;
/// What dpkg adds to the name of a configuration file until it is configured.
const NEW: &[u8] = b".dpkg-new";

/// What unpacking one package gave.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    /// The paths of the package in its own order, each with a leading `/`: dpkg's list of files.
    pub(super) list: Vec<Vec<u8>>,
    /// The newest modification time of a file, in seconds since 1970.
    pub(super) newest: i64,
}

/// Owner and mode of a folder, from the package that comes first among those that bring it.
struct FolderClaim {
    package: usize,
    path: Vec<u8>,
    mode: u32,
    uid: u32,
    gid: u32,
}

/// Unpacks packages into one tree.
pub(super) struct Unpacker<'a> {
    root: OwnedFd,
    candidates: &'a [Candidate],
    owners: Owners<'a>,
    diversions: Diversions,
    /// Inodes of folders made by this run.
    made: Mutex<HashSet<u64>>,
    claims: Mutex<BTreeMap<u64, FolderClaim>>,
}

impl<'a> Unpacker<'a> {
    pub(super) fn new(tree: &Path, candidates: &'a [Candidate]) -> Result<Self, InstallError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(tree, flags, Mode::empty())
            .map_err(|error| InstallError::Database { path: tree.to_owned(), source: error.into() })?;
        Ok(Self {
            root,
            candidates,
            owners: Owners::new(candidates, tree),
            diversions: Diversions::default(),
            made: Mutex::default(),
            claims: Mutex::default(),
        })
    }

    /// Reads anew what scripts have diverted by now.
    pub(super) fn read_diversions(&mut self, tree: &Path) -> Result<(), InstallError> {
        self.diversions = Diversions::read(tree)?;
        Ok(())
    }

    pub(super) fn owners(&self) -> &Owners<'a> {
        &self.owners
    }

    /// Unpacks the packages of these indexes, with one worker a processor; `done` hears of each that is unpacked.
    pub(super) fn unpack(
        &self,
        indexes: &[usize],
        done: &(dyn Fn(usize) + Sync),
        cancel: &Cancel,
    ) -> Result<Vec<(usize, Unpacked)>, InstallError> {
        // The largest first: the last worker then has only small ones left.
        let mut order = indexes.to_vec();
        let size = |index: &usize| self.candidates[*index].path().metadata().map_or(0, |file| file.len());
        order.sort_by_key(|index| std::cmp::Reverse(size(index)));
        let make = || Folders::new(self.root.as_fd());
        let mut unpacked = parallel::each(order.len(), make, |folders, place| {
            cancel.check()?;
            let index = order[place];
            let result = self.unpack_one(index, folders, cancel)?;
            done(index);
            Ok::<_, InstallError>((index, result))
        })?;
        unpacked.sort_by_key(|(index, _)| *index);
        self.finish_folders()?;
        Ok(unpacked)
    }

    /// Gives each new folder the mode and owner that the first package wants: no race decides.
    fn finish_folders(&self) -> Result<(), InstallError> {
        let new = std::mem::take(&mut *lock(&self.made));
        let claims = std::mem::take(&mut *lock(&self.claims));
        let mut folders = Folders::new(self.root.as_fd());
        for claim in new.iter().filter_map(|inode| claims.get(inode)) {
            let mut set = || -> io::Result<()> {
                let (parent, name) = split(&claim.path);
                let parent = folders.open(parent)?;
                set_owner(parent.as_fd(), name, claim.uid, claim.gid)?;
                let mode = Mode::from_raw_mode(claim.mode);
                Ok(rustix::fs::chmodat(parent.as_fd(), name, mode, AtFlags::empty())?)
            };
            set().map_err(|source| self.failed(claim.package, &claim.path, source))?;
        }
        Ok(())
    }

    fn failed(&self, package: usize, path: &[u8], source: io::Error) -> InstallError {
        InstallError::Unpack {
            package: self.candidates[package].name.clone(),
            path: format!("/{}", String::from_utf8_lossy(path)),
            source,
        }
    }

    fn unpack_one(
        &self,
        index: usize,
        folders: &mut Folders<'_>,
        cancel: &Cancel,
    ) -> Result<Unpacked, InstallError> {
        let candidate = &self.candidates[index];
        let conffiles: HashSet<Vec<u8>> = candidate.conffiles().into_iter().collect();
        let mut archive = candidate.deb.data()?;
        let mut unpacked = Unpacked::default();
        let mut buffer = vec![0; COPY_BYTES];
        let damaged = |source| self.failed(index, b"", source);
        for entry in archive.entries().map_err(damaged)? {
            cancel.check()?;
            let mut entry = entry.map_err(damaged)?;
            let path = self.clean(index, &entry.path_bytes())?;
            let mut listed = vec![b'/'];
            listed.extend_from_slice(if path.is_empty() { b"." } else { &path });
            unpacked.list.push(listed);
            if path.is_empty() {
                continue;
            }
            let file = NewFile { package: index, path: &path, is_conffile: conffiles.contains(&path) };
            let newest = self.place(&file, &mut entry, folders, &mut buffer)?;
            unpacked.newest = unpacked.newest.max(newest);
        }
        Ok(unpacked)
    }

    /// Returns a path of a package relative to the root, or refuses it.
    fn clean(&self, package: usize, path: &[u8]) -> Result<Vec<u8>, InstallError> {
        let forbidden = |what| InstallError::Forbidden {
            package: self.candidates[package].name.clone(),
            path: String::from_utf8_lossy(path).into_owned(),
            what,
        };
        let mut clean = Vec::with_capacity(path.len());
        for part in path.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => return Err(forbidden("leads out of the image")),
                part if part.iter().any(|byte| matches!(byte, 0 | b'\n')) => {
                    return Err(forbidden("has a character that no path of a package may have"));
                }
                part => {
                    if !clean.is_empty() {
                        clean.push(b'/');
                    }
                    clean.extend_from_slice(part);
                }
            }
        }
        Ok(clean)
    }

    /// Puts one entry in place; returns its modification time if it is a file.
    fn place(
        &self,
        file: &NewFile<'_>,
        entry: &mut tar::Entry<'_, impl Read>,
        folders: &mut Folders<'_>,
        buffer: &mut [u8],
    ) -> Result<i64, InstallError> {
        let package = &self.candidates[file.package];
        let target = self.diversions.target(file.path, &package.name);
        let failed = |source| self.failed(file.package, target, source);
        let (parent, name) = split(target);
        let parent = folders.open(parent).map_err(failed)?;
        let kind = entry.header().entry_type();
        if kind == tar::EntryType::Directory {
            return self.folder(file, entry, parent.as_fd(), name).map(|()| 0).map_err(failed);
        }
        if let Some(other) = self.owners.claim(target, file.package) {
            let verdict = self.owners.decide(target, file.package, other);
            if !self.make_room(file, verdict, parent.as_fd(), name, target)? {
                return Ok(0);
            }
        }
        let name = if file.is_conffile { [name, NEW].concat() } else { name.to_owned() };
        let mut is_first = true;
        loop {
            match self.create(file, entry, folders, parent.as_fd(), &name, buffer) {
                Ok(time) => return Ok(time),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_first => {
                    is_first = false;
                    let verdict = self.owners.decide_existing(target, file.package);
                    if !self.make_room(file, verdict, parent.as_fd(), &name, target)? {
                        return Ok(0);
                    }
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Follows a verdict about a path that is there already; tells whether the new file is to be written.
    fn make_room(
        &self,
        file: &NewFile<'_>,
        verdict: Verdict,
        parent: BorrowedFd<'_>,
        name: &[u8],
        target: &[u8],
    ) -> Result<bool, InstallError> {
        match verdict {
            Verdict::Owner => Ok(false),
            Verdict::Conflict(other) => Err(InstallError::Overlap {
                path: format!("/{}", String::from_utf8_lossy(target)),
                first: other,
                second: self.candidates[file.package].name.clone(),
            }),
            Verdict::Free | Verdict::Newcomer => {
                match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => Ok(true),
                    // A folder that is there stays, whatever a package brings in its place.
                    Err(Errno::ISDIR) => Ok(false),
                    Err(error) => Err(self.failed(file.package, target, error.into())),
                }
            }
        }
    }

    fn folder(
        &self,
        file: &NewFile<'_>,
        entry: &tar::Entry<'_, impl Read>,
        parent: BorrowedFd<'_>,
        name: &[u8],
    ) -> io::Result<()> {
        let is_made = match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(error) => return Err(error.into()),
        };
        // A link to a folder stands for that folder.
        let status = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(status.st_mode) != FileType::Directory {
            return Ok(());
        }
        if is_made {
            lock(&self.made).insert(status.st_ino);
        }
        let header = entry.header();
        let (uid, gid, mode) = self.owner(file.path, header)?;
        let claim = FolderClaim { package: file.package, path: file.path.to_owned(), mode, uid, gid };
        let mut claims = lock(&self.claims);
        match claims.get(&status.st_ino) {
            Some(other) if other.package <= file.package => {}
            _ => {
                claims.insert(status.st_ino, claim);
            }
        }
        Ok(())
    }

    fn owner(&self, path: &[u8], header: &tar::Header) -> io::Result<(u32, u32, u32)> {
        if let Some(owner) = self.diversions.owner(path) {
            return Ok(owner);
        }
        let number = |value: u64| u32::try_from(value).map_err(|_| io::Error::other("an id is too large"));
        Ok((number(header.uid()?)?, number(header.gid()?)?, header.mode()? & 0o7777))
    }

    fn create(
        &self,
        file: &NewFile<'_>,
        entry: &mut tar::Entry<'_, impl Read>,
        folders: &mut Folders<'_>,
        parent: BorrowedFd<'_>,
        name: &[u8],
        buffer: &mut [u8],
    ) -> io::Result<i64> {
        let header = entry.header().clone();
        let (uid, gid, mode) = self.owner(file.path, &header)?;
        let modified = i64::try_from(header.mtime()?).unwrap_or(i64::MAX);
        match header.entry_type() {
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                let flags =
                    OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let descriptor = rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o600))?;
                let mut output = std::fs::File::from(descriptor);
                copy(entry, &mut output, buffer)?;
                if (uid, gid) != (0, 0) {
                    rustix::fs::fchown(&output, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
                }
                rustix::fs::fchmod(&output, Mode::from_raw_mode(mode))?;
                rustix::fs::futimens(&output, &times(modified))?;
            }
            tar::EntryType::Symlink => {
                let link = entry.link_name_bytes().ok_or_else(|| io::Error::other("a link leads nowhere"))?;
                rustix::fs::symlinkat(link.as_ref(), parent, name)?;
                set_owner(parent, name, uid, gid)?;
                rustix::fs::utimensat(parent, name, &times(modified), AtFlags::SYMLINK_NOFOLLOW)?;
            }
            tar::EntryType::Link => {
                let link = entry.link_name_bytes().ok_or_else(|| io::Error::other("a link leads nowhere"))?;
                return self.hard_link(file, &link, folders, parent, name).map(|()| 0);
            }
            kind @ (tar::EntryType::Char | tar::EntryType::Block | tar::EntryType::Fifo) => {
                let file_type = match kind {
                    tar::EntryType::Char => FileType::CharacterDevice,
                    tar::EntryType::Block => FileType::BlockDevice,
                    _ => FileType::Fifo,
                };
                let device = rustix::fs::makedev(
                    header.device_major()?.unwrap_or_default(),
                    header.device_minor()?.unwrap_or_default(),
                );
                rustix::fs::mknodat(parent, name, file_type, Mode::from_raw_mode(0o600), device)?;
                set_owner(parent, name, uid, gid)?;
                rustix::fs::chmodat(parent, name, Mode::from_raw_mode(mode), AtFlags::empty())?;
            }
            _ => return Err(io::Error::other("it is of a kind that packages may not bring")),
        }
        Ok(modified)
    }

    /// Links to a file that the same package brought before, under the name it has by now.
    fn hard_link(
        &self,
        file: &NewFile<'_>,
        link: &[u8],
        folders: &mut Folders<'_>,
        parent: BorrowedFd<'_>,
        name: &[u8],
    ) -> io::Result<()> {
        let package = &self.candidates[file.package];
        let source = self.clean(file.package, link).map_err(|error| io::Error::other(error.to_string()))?;
        let is_conffile = package.conffiles().contains(&source);
        let target = self.diversions.target(&source, &package.name);
        let (folder, source_name) = split(target);
        let folder = folders.open(folder)?;
        let source_name = if is_conffile { [source_name, NEW].concat() } else { source_name.to_owned() };
        Ok(rustix::fs::linkat(folder.as_fd(), &source_name, parent, name, AtFlags::empty())?)
    }
}

/// A path that a package brings.
struct NewFile<'a> {
    package: usize,
    path: &'a [u8],
    is_conffile: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn set_owner(parent: BorrowedFd<'_>, name: &[u8], uid: u32, gid: u32) -> io::Result<()> {
    if (uid, gid) == (0, 0) {
        return Ok(());
    }
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    Ok(rustix::fs::chownat(parent, name, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)), flags)?)
}

fn times(seconds: i64) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    Timestamps { last_access: time, last_modification: time }
}

fn copy(source: &mut impl Read, target: &mut impl Write, buffer: &mut [u8]) -> io::Result<()> {
    loop {
        match source.read(buffer)? {
            0 => return Ok(()),
            count => target.write_all(&buffer[..count])?,
        }
    }
}
