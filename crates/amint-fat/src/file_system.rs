//! The file system as a whole.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use amint_fs::{Entry, FileSystem, FsError, Info, Kind, Node, NodeId, OpenFile, Visit, Xattr};
use amint_types::ReadAt;

use crate::boot::{Boot, ENTRY_BYTES, KIND, Root, Width};
use crate::chain::runs;
use crate::codepage::decode;
use crate::directory::{Found, Named, visit};
use crate::entry::{ShortEntry, Slot};
use crate::file::FatFile;
use crate::table;
use amint_fs::Chunks;

/// The root folder, which has no entry anywhere.
const ROOT: NodeId = NodeId::new(0);

/// A FAT12, FAT16 or FAT32 file system.
pub struct Fat {
    chunks: Chunks,
    boot: Boot,
    info: Info,
    /// Runs of the root folder.
    root: Vec<Range<u64>>,
}

/// What a number stands for.
#[derive(Clone, Copy, Debug)]
enum Target {
    Root,
    Entry(ShortEntry),
}

impl Fat {
    /// Opens a file system.
    ///
    /// # Errors
    /// [`FsError::NotThis`] when there is none; other errors when its root folder cannot be read.
    pub fn open(source: Arc<dyn ReadAt>) -> Result<Self, FsError> {
        let boot = Boot::read(source.as_ref())?;
        let source_bytes = source.size_bytes();
        let chunks = Chunks::new(source);
        let root = match boot.root {
            Root::Fixed { start, bytes } => std::iter::once(start..start + bytes).collect(),
            Root::Cluster(first) => runs(&boot, &chunks, first, u64::from(boot.cluster_count) + 1)?,
        };
        let mut label = None;
        visit(&chunks, &root, &mut |found| match found {
            Found::Label(bytes) => {
                label = Some(decode(&bytes).trim_end().to_owned());
                ControlFlow::Break(())
            }
            Found::Entry(_) => ControlFlow::Continue(()),
        })?;
        let mut notes = Vec::new();
        if boot.is_dirty || !table::is_clean(&boot, &chunks)? {
            notes.push("not cleanly unmounted".to_owned());
        }
        if boot.size_bytes > source_bytes {
            notes.push("ends behind the end of its partition".to_owned());
        }
        let info = Info {
            kind: KIND,
            label: label.filter(|label| !label.is_empty()).or_else(|| boot.label.clone()),
            uuid: boot.serial.map(|serial| format!("{:04X}-{:04X}", serial >> 16, serial & 0xffff)),
            block_bytes: boot.cluster_bytes,
            size_bytes: boot.size_bytes,
            notes,
        };
        Ok(Self { chunks, boot, info, root })
    }

    /// Tells whether a source begins like a FAT; never fails.
    pub fn probe(source: &dyn ReadAt) -> bool {
        Boot::read(source).is_ok()
    }

    /// Finds what a number stands for.
    fn resolve(&self, id: NodeId) -> Result<Target, FsError> {
        if id == ROOT {
            return Ok(Target::Root);
        }
        let at = id.number;
        let is_in_root = self.root.iter().any(|run| run.start <= at && at < run.end);
        let data_end = self.boot.data_start + u64::from(self.boot.cluster_count) * self.boot.cluster_bytes;
        let is_place = is_in_root || (self.boot.data_start <= at && at < data_end);
        if id.tree != 0 || !is_place || !at.is_multiple_of(ENTRY_BYTES) {
            return Err(FsError::NotFound);
        }
        let mut bytes = [0; 32];
        self.chunks.read_exact_at(at, &mut bytes)?;
        match Slot::parse(&bytes) {
            Slot::Short(entry) => Ok(Target::Entry(entry)),
            _ => Err(FsError::NotFound),
        }
    }

    fn first_cluster(&self, entry: &ShortEntry) -> u32 {
        entry.first_cluster(self.boot.width == Width::ThirtyTwo)
    }

    /// Returns the runs of a folder.
    fn folder_runs(&self, id: NodeId) -> Result<Vec<Range<u64>>, FsError> {
        match self.resolve(id)? {
            Target::Root => Ok(self.root.clone()),
            Target::Entry(entry) if entry.is_folder() => {
                let clusters_max = u64::from(self.boot.cluster_count) + 1;
                runs(&self.boot, &self.chunks, self.first_cluster(&entry), clusters_max)
            }
            Target::Entry(_) => Err(FsError::WrongKind("a folder")),
        }
    }

    /// Visits the named entries of a folder.
    /// Returns where a file lies, cluster by cluster, and its size in bytes, which is no larger.
    fn file_runs(&self, id: NodeId) -> Result<(Vec<Range<u64>>, u64), FsError> {
        let Target::Entry(entry) = self.resolve(id)? else { return Err(FsError::WrongKind("a file")) };
        if entry.is_folder() {
            return Err(FsError::WrongKind("a file"));
        }
        let bytes = u64::from(entry.bytes);
        let clusters = bytes.div_ceil(self.boot.cluster_bytes);
        let runs = runs(&self.boot, &self.chunks, self.first_cluster(&entry), clusters)?;
        if length(&runs) < bytes {
            let what = format!("the chain of the file at byte {} is shorter than the file", id.number);
            return Err(FsError::Damaged { filesystem: KIND, what });
        }
        Ok((runs, bytes))
    }

    fn entries(&self, id: NodeId, each: &mut dyn FnMut(Named) -> ControlFlow<()>) -> Result<(), FsError> {
        visit(&self.chunks, &self.folder_runs(id)?, &mut |found| match found {
            Found::Entry(named) => each(named),
            Found::Label(_) => ControlFlow::Continue(()),
        })
    }
}

fn length(runs: &[Range<u64>]) -> u64 {
    runs.iter().map(|run| run.end - run.start).sum()
}

impl FileSystem for Fat {
    fn info(&self) -> &Info {
        &self.info
    }

    fn root(&self) -> NodeId {
        ROOT
    }

    fn node(&self, id: NodeId) -> Result<Node, FsError> {
        match self.resolve(id)? {
            Target::Root => Ok(Node {
                kind: Kind::Folder,
                mode: 0o755,
                uid: 0,
                gid: 0,
                bytes: length(&self.root),
                nlink: 2,
                modified: (0, 0),
                changed: (0, 0),
                accessed: (0, 0),
                born: None,
                device: None,
            }),
            Target::Entry(entry) if entry.is_folder() => Ok(entry.node(length(&self.folder_runs(id)?))),
            Target::Entry(entry) => Ok(entry.node(0)),
        }
    }

    fn read_dir(&self, id: NodeId, visit: &mut Visit<'_>) -> Result<(), FsError> {
        self.entries(id, &mut |named| {
            let kind = if named.entry.is_folder() { Kind::Folder } else { Kind::File };
            visit(Entry { name: named.name.as_bytes(), node: NodeId::new(named.at), kind: Some(kind) })
        })
    }

    fn read_link(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        self.resolve(id)?;
        Err(FsError::WrongKind("a symbolic link"))
    }

    fn open(&self, id: NodeId) -> Result<Box<dyn OpenFile + '_>, FsError> {
        let (runs, bytes) = self.file_runs(id)?;
        Ok(Box::new(FatFile::new(self.chunks.source(), runs, bytes)))
    }

    fn xattrs(&self, id: NodeId) -> Result<Vec<Xattr>, FsError> {
        self.resolve(id)?;
        Ok(Vec::new())
    }

    fn position(&self, id: NodeId) -> Result<Option<u64>, FsError> {
        match self.resolve(id)? {
            Target::Root => Ok(self.root.first().map(|run| run.start)),
            Target::Entry(entry) => Ok(self.boot.cluster_start(self.first_cluster(&entry))),
        }
    }

    fn slack(&self, id: NodeId) -> Result<Option<Range<u64>>, FsError> {
        let (runs, bytes) = self.file_runs(id)?;
        let slack = length(&runs) - bytes;
        Ok(runs.last().filter(|_| slack > 0).map(|last| last.end - slack..last.end))
    }

    fn free_ranges(&self, visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>) -> Result<(), FsError> {
        table::free_ranges(&self.boot, &self.chunks, visit)
    }

    /// Names of FAT are the same in upper and lower case; the short name of a file with a long one is a name too.
    fn lookup(&self, folder: NodeId, name: &[u8]) -> Result<NodeId, FsError> {
        let wanted = String::from_utf8_lossy(name).to_lowercase();
        let mut found = None;
        self.entries(folder, &mut |named| {
            if named.name.as_bytes() == name {
                found = Some(NodeId::new(named.at));
                return ControlFlow::Break(());
            }
            let is_same =
                named.name.to_lowercase() == wanted || named.entry.short_name().to_lowercase() == wanted;
            if is_same && found.is_none() {
                found = Some(NodeId::new(named.at));
            }
            ControlFlow::Continue(())
        })?;
        found.ok_or(FsError::NotFound)
    }
}
