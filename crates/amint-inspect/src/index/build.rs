//! Walking file systems.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use amint_fs::{FileSystem, FsError, Kind, NodeId};
use amint_types::{Cancel, Cancelled};

use super::chain;
use super::entry::{Entry, Index};

/// The deepest folder that is entered.
const DEPTH_MAX: usize = 256;
/// How many names an image may have.
const NAMES_MAX: usize = 16_000_000;
/// How many errors of one file system are told; the rest is counted.
const ERRORS_TOLD: usize = 5;

/// Where one file system stands in the image.
pub struct MountPlan {
    /// The file system.
    pub file_system: Arc<dyn FileSystem>,
    /// The topmost folder: another than the file system's own for a subvolume.
    pub root: NodeId,
    /// The canonical path that it is mounted at: `/`, `/boot`.
    pub path: Vec<u8>,
}

/// One file system of an index.
pub struct Mount {
    /// The file system.
    pub file_system: Arc<dyn FileSystem>,
    /// The path that it is mounted at.
    pub path: Vec<u8>,
    /// How many of its folders or nodes could not be read.
    pub error_count: u64,
    /// The first of those errors, with paths.
    pub errors: Vec<String>,
    /// What a person should know, though nothing went wrong: names that lie hidden below a mount point.
    pub notes: Vec<String>,
    /// How much of its files was read whole, besides what a pass read.
    pub(crate) read_bytes: AtomicU64,
}

impl Index {
    /// Walks the file systems; the first one is the root.
    ///
    /// What cannot be read is counted and told with its file system, and the walk goes on.
    ///
    /// # Errors
    /// Fails when `cancel` says so.
    pub fn build(plans: Vec<MountPlan>, cancel: &Cancel) -> Result<Self, Cancelled> {
        let mut roots = HashMap::new();
        let mut planned = HashSet::new();
        let mut mounts = Vec::with_capacity(plans.len());
        for (number, plan) in plans.into_iter().enumerate() {
            roots.insert(plan.path.clone(), (number, plan.root));
            planned.insert((identity(&plan.file_system), plan.root));
            mounts.push(Mount {
                file_system: plan.file_system,
                path: plan.path,
                error_count: 0,
                errors: Vec::new(),
                notes: Vec::new(),
                read_bytes: AtomicU64::new(0),
            });
        }
        let mut walk = Walk {
            index: Self { entries: Vec::new(), mounts },
            roots,
            planned,
            seen: HashSet::new(),
            pending: VecDeque::new(),
        };
        walk.begin();
        while let Some((folder, path, depth)) = walk.pending.pop_front() {
            cancel.check()?;
            walk.enter(folder, &path, depth);
        }
        walk.end();
        Ok(walk.index)
    }
}

/// Tells file systems apart, however many places each of them has.
fn identity(file_system: &Arc<dyn FileSystem>) -> usize {
    Arc::as_ptr(file_system).cast::<()>().addr()
}

struct Walk {
    index: Index,
    roots: HashMap<Vec<u8>, (usize, NodeId)>,
    /// Topmost folders of all mounts: a subvolume with a place of its own is looked at there and nowhere else.
    planned: HashSet<(usize, NodeId)>,
    /// Folders that were entered, each mount for itself: one with two places makes a circle.
    seen: HashSet<(u16, NodeId)>,
    pending: VecDeque<(u32, Vec<u8>, usize)>,
}

impl Walk {
    fn begin(&mut self) {
        let Some((mount, node)) = self.roots.remove(b"/".as_slice()) else {
            // An image without any file system still has a root, in which nothing is.
            self.index.entries.push(blank(0, NodeId::new(0), Box::default(), 0, Kind::Folder));
            return;
        };
        let mut entry = self.describe(mount, node, Box::default(), 0, b"/");
        // Even where it cannot be read, other file systems stand below it.
        entry.kind = Kind::Folder;
        self.index.entries.push(entry);
        self.pending.push_back((0, Vec::new(), 0));
    }

    /// Tells of file systems whose mount point the walk did not come to.
    fn end(&mut self) {
        let mut left: Vec<(Vec<u8>, (usize, NodeId))> = self.roots.drain().collect();
        left.sort();
        for (path, (mount, _)) in left {
            let filesystem = self.index.mounts[mount].file_system.info().kind;
            let what = "no way that leads to it: its mount point cannot be read".to_owned();
            self.fail(mount, &path, &FsError::Limit { filesystem, what });
        }
    }

    fn fail(&mut self, mount: usize, path: &[u8], error: &FsError) {
        if let Some(mount) = self.index.mounts.get_mut(mount) {
            mount.error_count += 1;
            if mount.errors.len() < ERRORS_TOLD {
                let path = if path.is_empty() { b"/".as_slice() } else { path };
                mount.errors.push(format!("{}: {}", String::from_utf8_lossy(path), chain(error)));
            }
        }
    }

    /// Looks at a node; one that cannot be read stays in the index as an empty pipe, which nobody opens.
    fn describe(&mut self, mount: usize, node: NodeId, name: Box<[u8]>, parent: u32, path: &[u8]) -> Entry {
        let file_system = self.index.mounts[mount].file_system.clone();
        let mount_number = u16::try_from(mount).unwrap_or(u16::MAX);
        let mut entry = blank(mount_number, node, name, parent, Kind::Pipe);
        match file_system.node(node) {
            Ok(found) => {
                entry.kind = found.kind;
                entry.mode = found.mode;
                entry.uid = found.uid;
                entry.gid = found.gid;
                entry.bytes = found.bytes;
                entry.nlink = found.nlink;
                entry.modified = found.modified.0;
                if found.kind == Kind::File && found.bytes > 0 {
                    match file_system.position(node) {
                        Ok(position) => entry.position = position,
                        Err(error) => self.fail(mount, path, &error),
                    }
                }
            }
            Err(error) => {
                entry.is_unread = true;
                self.fail(mount, path, &error);
            }
        }
        entry
    }

    fn enter(&mut self, folder: u32, path: &[u8], depth: usize) {
        let entry = &self.index.entries[folder as usize];
        if entry.kind != Kind::Folder {
            return;
        }
        let (mount, node) = (entry.mount, entry.node);
        let number = usize::from(mount);
        let filesystem = self.index.mounts[number].file_system.info().kind;
        let limit = |what: &str| FsError::Limit { filesystem, what: what.to_owned() };
        if depth > DEPTH_MAX {
            self.index.entries[folder as usize].is_unread = true;
            return self.fail(number, path, &limit("folders that are nested too deeply"));
        }
        if !self.seen.insert((mount, node)) {
            let what = "a folder that lies in two places".to_owned();
            return self.fail(number, path, &FsError::Damaged { filesystem, what });
        }
        let room = NAMES_MAX.saturating_sub(self.index.entries.len());
        let mut names: Vec<(Box<[u8]>, NodeId)> = Vec::new();
        let reader = self.index.mounts[number].file_system.clone();
        let listed = reader.read_dir(node, &mut |entry| {
            if names.len() >= room {
                return ControlFlow::Break(());
            }
            names.push((entry.name.into(), entry.node));
            ControlFlow::Continue(())
        });
        if let Err(error) = listed {
            self.index.entries[folder as usize].is_unread = true;
            self.fail(number, path, &error);
        }
        if names.len() >= room {
            self.index.entries[folder as usize].is_unread = true;
            self.fail(number, path, &limit("too many names"));
        }
        if path.is_empty() {
            self.add_unmounted(&mut names);
        }
        names.sort();
        self.add(folder, path, depth, names);
    }

    /// Gives file systems that the image does not mount a name in the topmost folder.
    fn add_unmounted(&self, names: &mut Vec<(Box<[u8]>, NodeId)>) {
        for (path, (_, node)) in &self.roots {
            let Some(name) = path.strip_prefix(b"/").filter(|name| name.starts_with(b"@")) else { continue };
            if !name.contains(&b'/') && !names.iter().any(|(known, _)| **known == *name) {
                names.push((name.into(), *node));
            }
        }
    }

    /// Notes what a mount point holds itself, which nobody sees once something is mounted there.
    fn note_hidden(&mut self, mount: usize, point: NodeId, path: &[u8]) {
        let mut count = 0_u64;
        let reader = self.index.mounts[mount].file_system.clone();
        let listed = reader.read_dir(point, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        });
        let path = String::from_utf8_lossy(path);
        let note = match (listed, count) {
            (Err(error), _) => format!("what lies hidden below {path} cannot be read: {}", chain(&error)),
            (Ok(()), 0) => return,
            (Ok(()), 1) => format!("1 name lies hidden below {path} and was not looked at"),
            (Ok(()), count) => format!("{count} names lie hidden below {path} and were not looked at"),
        };
        self.index.mounts[mount].notes.push(note);
    }

    fn add(&mut self, folder: u32, path: &[u8], depth: usize, names: Vec<(Box<[u8]>, NodeId)>) {
        let mount = usize::from(self.index.entries[folder as usize].mount);
        let first = u32::try_from(self.index.entries.len()).unwrap_or(u32::MAX);
        let mut full = path.to_vec();
        for (name, found) in names {
            full.truncate(path.len());
            full.push(b'/');
            full.extend_from_slice(&name);
            let (place, node) = self.roots.remove(&full).unwrap_or((mount, found));
            let is_point = place != mount;
            // Names that begin so were made by `add_unmounted`: nothing lies below them.
            if is_point && !(path.is_empty() && name.starts_with(b"@")) {
                self.note_hidden(mount, found, &full);
            }
            let is_elsewhere =
                !is_point && self.planned.contains(&(identity(&self.index.mounts[mount].file_system), node));
            let entry = self.describe(place, node, name, folder, &full);
            let is_folder = entry.kind == Kind::Folder && !is_elsewhere;
            let id = u32::try_from(self.index.entries.len()).unwrap_or(u32::MAX);
            self.index.entries.push(entry);
            if is_folder {
                self.pending.push_back((id, full.clone(), depth + 1));
            }
        }
        let end = u32::try_from(self.index.entries.len()).unwrap_or(u32::MAX);
        let folder = &mut self.index.entries[folder as usize];
        folder.first_child = first;
        folder.child_count = end.saturating_sub(first);
    }
}

/// Makes an entry of which only the name is known.
fn blank(mount: u16, node: NodeId, name: Box<[u8]>, parent: u32, kind: Kind) -> Entry {
    Entry {
        name,
        parent,
        first_child: 0,
        child_count: 0,
        mount,
        node,
        position: None,
        is_unread: false,
        kind,
        mode: 0,
        uid: 0,
        gid: 0,
        bytes: 0,
        nlink: 1,
        modified: 0,
    }
}
