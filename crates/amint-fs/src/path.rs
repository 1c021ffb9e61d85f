//! Walking along paths inside one file system.

use crate::{FileSystem, FsError, Kind, NodeId, OpenFile};

/// How many symbolic links one path may lead through: what Linux allows.
pub const LINKS_MAX: usize = 40;

/// Finds what a path leads to inside one file system, following links (also at the end) without ever leaving it: the parent
/// of the root is the root, and absolute links begin at the root.
pub fn find(fs: &dyn FileSystem, path: &[u8]) -> Result<NodeId, FsError> {
    let mut pending: Vec<Vec<u8>> = names(path);
    let mut stack = vec![fs.root()];
    let mut links = 0;
    while let Some(name) = pending.pop() {
        if name == b".." {
            if stack.len() > 1 {
                stack.pop();
            }
            continue;
        }
        let here = *stack.last().unwrap_or(&fs.root());
        if fs.node(here)?.kind != Kind::Folder {
            return Err(FsError::NotFound);
        }
        let next = fs.lookup(here, &name)?;
        if fs.node(next)?.kind != Kind::Link {
            stack.push(next);
            continue;
        }
        links += 1;
        if links > LINKS_MAX {
            return Err(FsError::Limit {
                filesystem: fs.info().kind,
                what: "a path through too many symbolic links".to_owned(),
            });
        }
        let target = fs.read_link(next)?;
        if target.first() == Some(&b'/') {
            stack.truncate(1);
        }
        pending.extend(names(&target));
    }
    Ok(*stack.last().unwrap_or(&fs.root()))
}

/// Splits a path into names, last first.
fn names(path: &[u8]) -> Vec<Vec<u8>> {
    let is_name = |name: &&[u8]| !name.is_empty() && *name != b".";
    path.split(|byte| *byte == b'/').rev().filter(is_name).map(<[u8]>::to_vec).collect()
}

/// Reads a whole file of at most `limit_bytes`.
pub fn read_file(fs: &dyn FileSystem, path: &[u8], limit_bytes: u64) -> Result<Vec<u8>, FsError> {
    read_all(fs.open(find(fs, path)?)?.as_mut(), limit_bytes, fs.info().kind)
}

/// Reads all of an open file of at most `limit_bytes`.
pub fn read_all(
    file: &mut dyn OpenFile,
    limit_bytes: u64,
    filesystem: &'static str,
) -> Result<Vec<u8>, FsError> {
    let bytes = file.size_bytes();
    let too_large =
        || FsError::Limit { filesystem, what: format!("a file of more than {limit_bytes} bytes") };
    if bytes > limit_bytes {
        return Err(too_large());
    }
    let mut content = vec![0; usize::try_from(bytes).map_err(|_| too_large())?];
    let mut done = 0;
    while done < content.len() {
        match file.read_at(done as u64, &mut content[done..])? {
            0 => break,
            count => done += count,
        }
    }
    content.truncate(done);
    Ok(content)
}
