//! Folders as they stand on the partition, and the chains of clusters.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::geometry::{LABEL, ROOT_CLUSTER};
use super::name::{self, ShortName, UNITS_PER_ENTRY};
use super::time::DosTime;
use super::tree::{Folder, Kind};

const ATTRIBUTE_LABEL: u8 = 0x08;
const ATTRIBUTE_FOLDER: u8 = 0x10;
const ATTRIBUTE_FILE: u8 = 0x20;
const ATTRIBUTE_LONG_NAME: u8 = 0x0f;
/// Bit of the number of the last part of a long name, which comes first.
const LAST_PART: u8 = 0x40;
/// Table entry: the last cluster of a chain.
const END_OF_CHAIN: u32 = 0x0fff_ffff;
/// First table entries: the media byte of the boot sector, and "shut down cleanly".
const TABLE_HEAD: [u32; 2] = [0x0fff_fff8, 0x0fff_ffff];

/// Bytes that begin at a cluster.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) cluster: u32,
    pub(super) bytes: Cow<'a, [u8]>,
}

/// All folders and files, each in one piece.
#[derive(Debug)]
pub(super) struct Content<'a> {
    cluster_bytes: u64,
    time: DosTime,
    chains: Vec<u32>,
    pieces: Vec<Piece<'a>>,
}

impl<'a> Content<'a> {
    /// Gives everything its place. The caller has made sure that it fits.
    pub(super) fn place(root: &Folder<'a>, cluster_bytes: u64, time: DosTime) -> Self {
        let mut content = Self { cluster_bytes, time, chains: TABLE_HEAD.to_vec(), pieces: Vec::new() };
        let first = content.allocate(root.bytes(true));
        debug_assert_eq!(first, ROOT_CLUSTER);
        content.place_folder(root, first, None);
        content
    }

    /// Returns the entries of the file allocation table up to the last one in use.
    pub(super) fn chains(&self) -> &[u32] {
        &self.chains
    }

    /// Returns what to write.
    pub(super) fn pieces(&self) -> &[Piece<'a>] {
        &self.pieces
    }

    /// Chains the next clusters and returns the first; 0 stands for none.
    fn allocate(&mut self, bytes: u64) -> u32 {
        let count = bytes.div_ceil(self.cluster_bytes);
        let first = u32::try_from(self.chains.len()).expect("clusters are counted with 32 bits");
        if count == 0 {
            return 0;
        }
        for _ in 1..count {
            self.chains
                .push(u32::try_from(self.chains.len() + 1).expect("clusters are counted with 32 bits"));
        }
        self.chains.push(END_OF_CHAIN);
        first
    }

    /// Places what is in a folder, then the folder; `parent` is the cluster of the folder above.
    fn place_folder(&mut self, folder: &Folder<'a>, own: u32, parent: Option<u32>) {
        let mut bytes = Vec::new();
        match parent {
            None => bytes.extend(self.entry(LABEL, ATTRIBUTE_LABEL, 0, 0)),
            Some(parent) => {
                // The folder above is told as 0 when it is the root.
                let parent = if parent == ROOT_CLUSTER { 0 } else { parent };
                bytes.extend(self.entry(b".          ", ATTRIBUTE_FOLDER, own, 0));
                bytes.extend(self.entry(b"..         ", ATTRIBUTE_FOLDER, parent, 0));
            }
        }
        let mut taken: BTreeSet<ShortName> =
            folder.nodes.values().filter_map(|node| name::exact_short_name(node.name)).collect();
        for node in folder.nodes.values() {
            let short = name::exact_short_name(node.name).unwrap_or_else(|| {
                let invented = name::invented_short_name(node.name, &taken);
                taken.insert(invented);
                bytes.extend(long_name_entries(node.name, name::checksum(&invented)));
                invented
            });
            match &node.kind {
                Kind::Folder(below) => {
                    let cluster = self.allocate(below.bytes(false));
                    bytes.extend(self.entry(&short, ATTRIBUTE_FOLDER, cluster, 0));
                    self.place_folder(below, cluster, Some(own));
                }
                Kind::File(content) => {
                    let length = u32::try_from(content.len()).expect("checked with the path");
                    let cluster = self.allocate(length.into());
                    bytes.extend(self.entry(&short, ATTRIBUTE_FILE, cluster, length));
                    if length > 0 {
                        self.pieces.push(Piece { cluster, bytes: Cow::Borrowed(content) });
                    }
                }
            }
        }
        debug_assert_eq!(bytes.len() as u64, folder.bytes(parent.is_none()));
        self.pieces.push(Piece { cluster: own, bytes: Cow::Owned(bytes) });
    }

    /// Returns the entry of a file or folder.
    fn entry(&self, name: &ShortName, attributes: u8, cluster: u32, length: u32) -> Vec<u8> {
        let cluster = cluster.to_le_bytes();
        let mut bytes = name.to_vec();
        bytes.extend([attributes, 0, self.time.hundredths]);
        bytes.extend(self.time.time.to_le_bytes()); // made
        bytes.extend(self.time.date.to_le_bytes());
        bytes.extend(self.time.date.to_le_bytes()); // read
        bytes.extend(&cluster[2..]);
        bytes.extend(self.time.time.to_le_bytes()); // written
        bytes.extend(self.time.date.to_le_bytes());
        bytes.extend(&cluster[..2]);
        bytes.extend(length.to_le_bytes());
        bytes
    }
}

/// Returns the entries of a long name: the last part first.
fn long_name_entries(name: &str, checksum: u8) -> Vec<u8> {
    let units: Vec<u16> = name.encode_utf16().collect();
    let count = units.len().div_ceil(UNITS_PER_ENTRY);
    let mut bytes = Vec::new();
    for (number, part) in (1_u8..).zip(units.chunks(UNITS_PER_ENTRY)).collect::<Vec<_>>().into_iter().rev() {
        // A name that does not fill its last entry is ended by a zero and filled with ones.
        let mut padded = [0xffff; UNITS_PER_ENTRY];
        padded[..part.len()].copy_from_slice(part);
        if let Some(end) = padded.get_mut(part.len()) {
            *end = 0;
        }
        let text: Vec<u8> = padded.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let last = if usize::from(number) == count { LAST_PART } else { 0 };
        bytes.push(number | last);
        bytes.extend(&text[..10]);
        bytes.extend([ATTRIBUTE_LONG_NAME, 0, checksum]);
        bytes.extend(&text[10..22]);
        bytes.extend([0, 0]);
        bytes.extend(&text[22..]);
    }
    bytes
}
