//! One part of an image.

use std::sync::Arc;

use amint_btrfs::Btrfs;
use amint_fs::{FileSystem, FsError};
use amint_types::ReadAt;
use amint_volumes::Content;

use crate::source::HostFolder;

/// By which names `fstab(5)` may call a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    /// The partition's number.
    pub number: Option<u32>,
    /// `PARTUUID`.
    pub part_uuid: String,
    /// `PARTLABEL`.
    pub part_label: String,
    /// The type in the table: a GUID in lower case, or the byte of the MBR.
    pub type_id: String,
    /// Group and name of a logical volume.
    pub volume: Option<(String, String)>,
}

/// How a part can be read.
#[derive(Clone)]
pub enum State {
    /// It holds files.
    Files(Arc<dyn FileSystem>),
    /// It holds nothing to read, by its nature: a boot loader's code, swap, another part's storage.
    Nothing,
    /// It holds something that cannot be read, and why.
    Unread(String),
}

/// One part of an image.
#[derive(Clone)]
pub struct Part {
    /// What people call it: `1 (root)`, `vg0/root`, `whole disk`.
    pub label: String,
    /// What lies in it: `ext4`, `luks2`, `bios-boot`.
    pub content: String,
    /// Its names.
    pub ids: Ids,
    /// How it can be read.
    pub state: State,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Its bytes; none for what is no disk.
    pub source: Option<Arc<dyn ReadAt>>,
    /// The btrfs that `state` holds, to go to its other subvolumes.
    pub btrfs: Option<Box<Btrfs>>,
    /// The folder of the host that `state` holds, which learns while it is walked what it does not enter.
    pub folder: Option<Arc<HostFolder>>,
}

impl Part {
    /// Makes the part of a file system that is no disk: a folder, an archive.
    pub(super) fn of_files(label: &str, file_system: Arc<dyn FileSystem>) -> Self {
        let info = file_system.info();
        Self {
            label: label.to_owned(),
            content: info.kind.to_owned(),
            ids: Ids::default(),
            notes: info.notes.clone(),
            state: State::Files(file_system),
            source: None,
            btrfs: None,
            folder: None,
        }
    }

    /// Makes the part of a logical volume whose bytes cannot be had.
    pub(super) fn unread(label: String, ids: Ids, why: String) -> Self {
        Self {
            label,
            content: "lvm2".to_owned(),
            ids,
            state: State::Unread(why),
            notes: Vec::new(),
            source: None,
            btrfs: None,
            folder: None,
        }
    }

    /// Opens what lies in a part.
    pub(super) fn open(label: String, content: &Content, ids: Ids, source: Arc<dyn ReadAt>) -> Self {
        let unread = |why: &str| State::Unread(why.to_owned());
        let mut btrfs = None;
        let opened = match content {
            Content::Ext => Some(shared(amint_ext::Ext::open(source.clone()))),
            Content::Xfs => Some(shared(amint_xfs::Xfs::open(source.clone()))),
            Content::Btrfs => Some(shared(Btrfs::open(source.clone()).inspect(|opened| {
                btrfs = Some(Box::new(opened.clone()));
            }))),
            Content::Fat => Some(shared(amint_fat::Fat::open(source.clone()))),
            Content::Ntfs => Some(shared(amint_ntfs::Ntfs::open(source.clone()))),
            Content::Squashfs => Some(shared(amint_squashfs::Squashfs::open(source.clone()))),
            _ => None,
        };
        let mut kind = content.name().to_owned();
        let mut notes = Vec::new();
        let state = match (opened, content) {
            (Some(Ok(file_system)), _) => {
                file_system.info().kind.clone_into(&mut kind);
                notes.clone_from(&file_system.info().notes);
                State::Files(file_system)
            }
            (Some(Err(error)), _) => State::Unread(crate::index::chain(&error)),
            // What lies in members of LVM2 is read through their volumes.
            (None, Content::BiosBoot | Content::Prep | Content::Empty | Content::LvmMember) => State::Nothing,
            (None, Content::Swap { is_hibernated }) => {
                if *is_hibernated {
                    notes.push("holds the memory of a system that was put to sleep".to_owned());
                }
                State::Nothing
            }
            (None, Content::Luks { .. } | Content::Bitlocker) => unread("it is encrypted"),
            (None, Content::Unknown) => unread("its content is nothing that amint knows"),
            (None, other) => State::Unread(format!("amint cannot read {}", other.name())),
        };
        Self { label, content: kind, ids, state, notes, source: Some(source), btrfs, folder: None }
    }
}

fn shared<T: FileSystem + 'static>(opened: Result<T, FsError>) -> Result<Arc<dyn FileSystem>, FsError> {
    opened.map(|file_system| Arc::new(file_system) as Arc<dyn FileSystem>)
}
