//! The file system as a whole.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use amint_fs::{
    Entry, FileSystem, FsError, Info, Kind, Node, NodeId, OpenFile, Visit, XATTR_BYTES_MAX, Xattr,
};
use amint_types::ReadAt;

use crate::attribute::{Body, DATA};
use crate::boot::Boot;
use crate::node::{Special, describe, open, special};
use crate::stream::Stream;
use crate::table::{Loaded, Table};
use crate::{free, index, info};
use amint_fs::Chunks;

/// The record of the root folder.
const ROOT: u64 = 5;
/// Records below this are the system's own.
const FIRST_OF_USERS: u64 = 16;

/// An NTFS file system.
pub struct Ntfs {
    boot: Boot,
    table: Table,
    info: Info,
}

impl Ntfs {
    /// Opens a file system.
    ///
    /// # Errors
    /// [`FsError::NotThis`] when there is none; other errors when its table cannot be read.
    pub fn open(source: Arc<dyn ReadAt>) -> Result<Self, FsError> {
        let boot = Boot::read(source.as_ref())?;
        let table = Table::open(&boot, Chunks::new(source))?;
        let info = info::read(&boot, &table)?;
        Ok(Self { boot, table, info })
    }

    /// Tells whether a source begins like an NTFS; never fails.
    pub fn probe(source: &dyn ReadAt) -> bool {
        Boot::read(source).is_ok()
    }

    fn load(&self, id: NodeId) -> Result<Loaded, FsError> {
        if id.tree != 0 {
            return Err(FsError::NotFound);
        }
        self.table.load(id.number)
    }

    /// Visits the names of a folder that are not the system's own.
    fn names(&self, id: NodeId, each: &mut dyn FnMut(index::Name) -> ControlFlow<()>) -> Result<(), FsError> {
        let folder = self.load(id)?;
        if !folder.is_folder || matches!(special(&self.table, &folder)?, Some(Special::Link(_))) {
            return Err(FsError::WrongKind("a folder"));
        }
        index::visit(&self.table, &folder, &mut |name| {
            if name.record < FIRST_OF_USERS || name.text == "." {
                return ControlFlow::Continue(());
            }
            each(name)
        })
    }
}

impl FileSystem for Ntfs {
    fn info(&self) -> &Info {
        &self.info
    }

    fn root(&self) -> NodeId {
        NodeId::new(ROOT)
    }

    fn node(&self, id: NodeId) -> Result<Node, FsError> {
        describe(&self.table, &self.load(id)?, id.number)
    }

    fn read_dir(&self, id: NodeId, visit: &mut Visit<'_>) -> Result<(), FsError> {
        self.names(id, &mut |name| {
            let kind = name.is_folder().map(|is_folder| if is_folder { Kind::Folder } else { Kind::File });
            visit(Entry { name: name.text.as_bytes(), node: NodeId::new(name.record), kind })
        })
    }

    fn read_link(&self, id: NodeId) -> Result<Vec<u8>, FsError> {
        match special(&self.table, &self.load(id)?)? {
            Some(Special::Link(target)) => Ok(target),
            _ => Err(FsError::WrongKind("a symbolic link")),
        }
    }

    fn open(&self, id: NodeId) -> Result<Box<dyn OpenFile + '_>, FsError> {
        open(&self.table, &self.load(id)?)
    }

    /// Named streams that are no larger than an attribute may be, as ntfs-3g shows them: `user.` and the name.
    fn xattrs(&self, id: NodeId) -> Result<Vec<Xattr>, FsError> {
        let attributes = self.load(id)?.attributes;
        let limit_bytes = XATTR_BYTES_MAX as u64;
        let mut all: Vec<Xattr> = Vec::new();
        for data in attributes.of_kind(DATA).filter(|data| !data.name.is_empty()) {
            let is_later_part = matches!(&data.body, Body::Outside(outside) if outside.first != 0);
            if is_later_part || data.bytes() > limit_bytes || data.is_encrypted() {
                continue;
            }
            let mut stream = Stream::new(&self.table.chunks, self.table.cluster_bytes, &attributes, data)?;
            let name = format!("user.{}", data.name).into_bytes();
            all.push(Xattr { name, value: stream.read_all(limit_bytes)? });
        }
        all.sort();
        Ok(all)
    }

    fn position(&self, id: NodeId) -> Result<Option<u64>, FsError> {
        let attributes = self.load(id)?.attributes;
        match attributes.find(DATA, "") {
            Some(data) if data.resident().is_none() && data.bytes() > 0 => {
                Ok(Stream::position(&attributes.runs(data)?, self.table.cluster_bytes))
            }
            _ => Ok(None),
        }
    }

    fn slack(&self, id: NodeId) -> Result<Option<Range<u64>>, FsError> {
        let attributes = self.load(id)?.attributes;
        let cluster_bytes = self.table.cluster_bytes;
        let Some(data) = attributes.find(DATA, "").filter(|data| data.resident().is_none()) else {
            return Ok(None);
        };
        let (used, last) = (data.bytes() % cluster_bytes, data.bytes() / cluster_bytes);
        if used == 0 || data.is_compressed() != Some(false) {
            return Ok(None);
        }
        let runs = attributes.runs(data)?;
        let run = runs.iter().find(|run| run.start <= last && last < run.end());
        let cluster = run.and_then(|run| run.place?.checked_add(last - run.start));
        let start = cluster.and_then(|cluster| cluster.checked_mul(cluster_bytes));
        Ok(start.map(|start| start.saturating_add(used)..start.saturating_add(cluster_bytes)))
    }

    fn free_ranges(&self, visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>) -> Result<(), FsError> {
        free::ranges(&self.boot, &self.table, visit)
    }

    /// Names that differ in case only are the same unless both are there.
    fn lookup(&self, folder: NodeId, name: &[u8]) -> Result<NodeId, FsError> {
        let wanted = String::from_utf8_lossy(name).to_lowercase();
        let mut found = None;
        self.names(folder, &mut |entry| {
            if entry.text.as_bytes() == name {
                found = Some(NodeId::new(entry.record));
                return ControlFlow::Break(());
            }
            if found.is_none() && entry.text.to_lowercase() == wanted {
                found = Some(NodeId::new(entry.record));
            }
            ControlFlow::Continue(())
        })?;
        found.ok_or(FsError::NotFound)
    }
}
