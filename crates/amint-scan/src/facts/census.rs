//! One walk over the tree, shared by all rules that ask about modes and owners.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use amint_disk::tree::{FileKind, WalkLimits, WalkStep};

use crate::{CheckError, Context};

/// How many oddities of one kind are kept: a list that is full is a violation whatever else there is.
const KEPT_MAX: usize = 10_000;
/// What the running system fills, and what is judged elsewhere.
const SKIPPED: [&str; 3] = ["/proc", "/sys", "/run"];
/// Where root starts programs from, or reads what to start.
const TRUSTED_FOLDERS: [&str; 18] = [
    "/bin",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/cron.monthly",
    "/etc/cron.weekly",
    "/etc/init.d",
    "/etc/profile.d",
    "/etc/systemd",
    "/etc/udev",
    "/lib/systemd",
    "/sbin",
    "/usr/bin",
    "/usr/lib/systemd",
    "/usr/local/bin",
    "/usr/local/lib/systemd",
    "/usr/local/sbin",
    "/usr/sbin",
];

/// Something that the census met, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) path: PathBuf,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// What stands out by its mode, owner, kind or place.
#[derive(Debug, Default)]
pub(crate) struct Census {
    /// Files that run with the rights of their owner or group.
    pub(crate) privileged: Vec<Seen>,
    /// Files that everybody may change.
    pub(crate) world_writable_files: Vec<Seen>,
    /// Folders that everybody may change, without the sticky bit.
    pub(crate) open_folders: Vec<Seen>,
    /// What belongs to a user or group that no account stands for.
    pub(crate) unowned: Vec<Seen>,
    /// What others than root may change, where root starts programs from.
    pub(crate) loose_trusted: Vec<Seen>,
    /// Devices outside of `/dev`.
    pub(crate) devices: Vec<Seen>,
    /// Plain files below `/dev`, where a running system hides them.
    pub(crate) files_in_dev: Vec<Seen>,
}

impl Census {
    /// Returns the census of a tree; the first that asks has it taken.
    pub(crate) fn of(cx: &Context<'_>) -> Result<std::rc::Rc<Self>, CheckError> {
        cx.fact(Self::take)
    }

    fn take(cx: &Context<'_>) -> Result<Self, CheckError> {
        let users: BTreeSet<u32> = cx.accounts()?.users.iter().map(|user| user.uid).collect();
        let groups = group_ids(cx)?;
        let mut census = Self::default();
        cx.tree().walk(Path::new("/"), WalkLimits::default(), &mut |entry| {
            if SKIPPED.iter().any(|skipped| entry.path == Path::new(skipped)) {
                return WalkStep::Skip;
            }
            let metadata = &entry.metadata;
            let seen = || Seen {
                path: entry.path.clone(),
                mode: metadata.mode,
                uid: metadata.uid,
                gid: metadata.gid,
            };
            let is_in_dev = entry.path.starts_with("/dev");
            match metadata.kind {
                FileKind::File => {
                    // Set-group-id without the right to execute once meant a mandatory lock; it gives nothing.
                    if metadata.mode & 0o4000 != 0 || metadata.mode & 0o2010 == 0o2010 {
                        keep(&mut census.privileged, seen);
                    }
                    if metadata.mode & 0o002 != 0 {
                        keep(&mut census.world_writable_files, seen);
                    }
                    if is_in_dev && !entry.path.starts_with("/dev/shm") {
                        keep(&mut census.files_in_dev, seen);
                    }
                }
                FileKind::Directory if metadata.mode & 0o1002 == 0o002 => {
                    keep(&mut census.open_folders, seen);
                }
                FileKind::CharDevice | FileKind::BlockDevice if !is_in_dev && !is_whiteout(metadata) => {
                    keep(&mut census.devices, seen);
                }
                _ => {}
            }
            // Without the files of accounts nothing can be said about owners.
            let has_owner = users.is_empty() || users.contains(&metadata.uid);
            let has_group = groups.is_empty() || groups.contains(&metadata.gid);
            if !(is_in_dev || (has_owner && has_group)) {
                keep(&mut census.unowned, seen);
            }
            let is_trusted = TRUSTED_FOLDERS.iter().any(|folder| entry.path.starts_with(folder));
            let is_loose = metadata.uid != 0 || (metadata.mode & 0o020 != 0 && metadata.gid != 0);
            let has_mode = matches!(metadata.kind, FileKind::File | FileKind::Directory);
            if is_trusted && is_loose && has_mode {
                keep(&mut census.loose_trusted, seen);
            }
            WalkStep::Continue
        })?;
        // Of these most are right, so what was left out could be the one that is not.
        if census.privileged.len() >= KEPT_MAX {
            return Err(CheckError::Limit {
                path: PathBuf::from("/"),
                limit: KEPT_MAX,
                what: "setuid and setgid files",
            });
        }
        Ok(census)
    }
}

/// A character device of an overlay stands for a removed file: mode zero, owned by root.
fn is_whiteout(metadata: &amint_disk::tree::Metadata) -> bool {
    metadata.kind == FileKind::CharDevice && metadata.mode == 0
}

fn keep(list: &mut Vec<Seen>, seen: impl Fn() -> Seen) {
    if list.len() < KEPT_MAX {
        list.push(seen());
    }
}

fn group_ids(cx: &Context<'_>) -> Result<BTreeSet<u32>, CheckError> {
    let text = cx.text("/etc/group")?.unwrap_or_default();
    Ok(text.lines().filter_map(|line| line.split(':').nth(2)?.trim().parse().ok()).collect())
}
