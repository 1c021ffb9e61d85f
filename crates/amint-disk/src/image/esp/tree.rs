//! The files of the partition as a tree.

use std::collections::BTreeMap;

use super::super::{EspFile, ImageError};
use super::name;

/// Most folders above a file.
const DEPTH_MAX: usize = 32;
/// Bytes of an entry of a folder.
pub(super) const ENTRY_BYTES: u64 = 32;

/// A folder: what it has, by name in upper case.
#[derive(Debug, Default)]
pub(super) struct Folder<'a> {
    pub(super) nodes: BTreeMap<String, Node<'a>>,
}

/// Something in a folder.
#[derive(Debug)]
pub(super) struct Node<'a> {
    /// The name as it was given.
    pub(super) name: &'a str,
    pub(super) kind: Kind<'a>,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Kind<'a> {
    Folder(Folder<'a>),
    File(&'a [u8]),
}

impl<'a> Folder<'a> {
    /// Builds the tree.
    pub(super) fn of_files(files: &'a [EspFile]) -> Result<Self, ImageError> {
        // Sorted, so that the order of the files is no input.
        let mut sorted: Vec<&EspFile> = files.iter().collect();
        sorted.sort_by(|left, right| left.path.cmp(&right.path));
        let mut root = Self::default();
        for file in sorted {
            root.add(file).map_err(|reason| ImageError::EspPath { path: file.path.clone(), reason })?;
        }
        Ok(root)
    }

    /// Adds a file and the folders above it.
    fn add(&mut self, file: &'a EspFile) -> Result<(), &'static str> {
        if u32::try_from(file.content.len()).is_err() {
            return Err("FAT files end below 4 GiB");
        }
        let mut names: Vec<&str> = file.path.split('/').collect();
        if names.len() > DEPTH_MAX {
            return Err("it is nested too deeply");
        }
        for component in &names {
            name::check(component)?;
        }
        let last = names.pop().ok_or("it has no name")?;
        let mut folder = self;
        for component in names {
            let node = folder
                .nodes
                .entry(component.to_uppercase())
                .or_insert_with(|| Node { name: component, kind: Kind::Folder(Folder::default()) });
            folder = match &mut node.kind {
                Kind::Folder(folder) => folder,
                Kind::File(_) => return Err("a folder above it is a file"),
            };
        }
        let node = Node { name: last, kind: Kind::File(&file.content) };
        match folder.nodes.insert(last.to_uppercase(), node) {
            None => Ok(()),
            Some(_) => Err("two files have this path (FAT knows no case)"),
        }
    }

    /// Returns the bytes of its entries, with the two or the one that every folder begins with.
    pub(super) fn bytes(&self, is_root: bool) -> u64 {
        let first = if is_root { 1 } else { 2 };
        let entries: u64 = self.nodes.values().map(|node| name::entry_count(node.name)).sum();
        (first + entries) * ENTRY_BYTES
    }

    /// Returns how many clusters the tree takes; more than there can be when too many to count.
    pub(super) fn clusters(&self, cluster_bytes: u64) -> u32 {
        u32::try_from(self.count(cluster_bytes, true)).unwrap_or(u32::MAX)
    }

    fn count(&self, cluster_bytes: u64, is_root: bool) -> u64 {
        let below = self.nodes.values().map(|node| match &node.kind {
            Kind::Folder(folder) => folder.count(cluster_bytes, false),
            Kind::File(content) => (content.len() as u64).div_ceil(cluster_bytes),
        });
        self.bytes(is_root).div_ceil(cluster_bytes) + below.sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> EspFile {
        EspFile { path: path.to_owned(), content: vec![1; 1000] }
    }

    #[test]
    fn refuses_paths_that_cannot_be_and_files_that_collide() {
        let refused = [
            vec![file("")],
            vec![file("/EFI/x")],
            vec![file("EFI/../x")],
            vec![file("EFI//x")],
            vec![file("EFI/a:b")],
            vec![file("EFI/x.")],
            vec![file(&"x".repeat(256))],
            vec![file(&"x/".repeat(40))],
            vec![file("EFI/boot/a"), file("EFI/BOOT/A")],
            vec![file("EFI/a"), file("efi/A/b")],
            vec![file("EFI/a/b"), file("efi/A")],
        ];
        for files in refused {
            let refused = Folder::of_files(&files);
            assert!(matches!(refused, Err(ImageError::EspPath { .. })), "{:?}", files[0].path);
        }
        assert!(Folder::of_files(&[file("EFI/boot/a"), file("EFI/BOOT/b")]).is_ok());
    }

    #[test]
    fn counts_clusters_of_folders_and_files() {
        // Root, `EFI` and two clusters of content.
        assert_eq!(Folder::of_files(&[file("EFI/A")]).unwrap().clusters(512), 4);
        assert_eq!(Folder::of_files(&[]).unwrap().clusters(512), 1);
    }
}
