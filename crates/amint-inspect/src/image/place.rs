//! Where each file system stands in the image, as the image itself says in `fstab(5)`.

use std::collections::BTreeMap;
use std::sync::Arc;

use amint_fs::{FileSystem, Kind, NodeId, find, read_file};

use super::{Part, State};
use crate::index::MountPlan;

/// What only the root of an operating system has.
const RELEASE_FILES: [&[u8]; 3] = [b"/etc/os-release", b"/usr/lib/os-release", b"/etc/passwd"];
/// Folders of btrfs that distributions put the root into, where it is not the default subvolume.
const ROOT_FOLDERS: [&[u8]; 2] = [b"/root", b"/@"];
/// The type of the EFI system partition (UEFI 2.10, 5.3.3), in a GPT and in an MBR.
const EFI_TYPES: [&str; 2] = ["c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "ef"];
/// The largest `fstab` that is read.
const FSTAB_BYTES_MAX: u64 = 1 << 20;

/// File systems with their places.
pub struct Placed {
    /// What to walk; the first is the root.
    pub plans: Vec<MountPlan>,
    /// The part of each plan, by its number.
    pub parts: Vec<usize>,
    /// What a person should know of each part, by its number.
    pub notes: Vec<Vec<String>>,
    /// Whether a root with an operating system was found.
    pub has_system: bool,
}

/// Finds the root, and places the other file systems by its `fstab`; what it does not name stands at `/@LABEL`.
pub fn place(parts: &[Part]) -> Placed {
    let mut placed = Placed {
        plans: Vec::new(),
        parts: Vec::new(),
        notes: vec![Vec::new(); parts.len()],
        has_system: false,
    };
    let files: Vec<(usize, Arc<dyn FileSystem>)> = parts
        .iter()
        .enumerate()
        .filter_map(|(number, part)| match &part.state {
            State::Files(file_system) => Some((number, file_system.clone())),
            _ => None,
        })
        .collect();
    let roots: Vec<(usize, Arc<dyn FileSystem>, NodeId)> = files
        .iter()
        .filter_map(|(number, file_system)| Some((*number, file_system.clone(), root_of(&**file_system)?)))
        .collect();
    let Some((root_number, root, root_node)) = roots.first().cloned().or_else(|| {
        files.first().map(|(number, file_system)| (*number, file_system.clone(), file_system.root()))
    }) else {
        return placed;
    };
    placed.has_system = !roots.is_empty();
    for (number, ..) in roots.iter().skip(1) {
        placed.notes[*number]
            .push("holds another operating system, whose packages are not judged".to_owned());
    }
    let table = fstab(&*root, root_node);
    let mut wanted: BTreeMap<Vec<u8>, (usize, NodeId)> = BTreeMap::new();
    for line in &table {
        let named =
            files.iter().find(|(number, file_system)| is_named(&line.what, &parts[*number], &**file_system));
        let Some((number, file_system)) = named else { continue };
        if line.path == b"/" || (*number == root_number && line.subvolume.is_none()) {
            continue;
        }
        let node = match &line.subvolume {
            Some(subvolume) => find(&**file_system, subvolume).ok(),
            None => Some(file_system.root()),
        };
        match node {
            Some(node) => drop(wanted.insert(line.path.clone(), (*number, node))),
            None => placed.notes[*number]
                .push(format!("the subvolume for {} is not there", String::from_utf8_lossy(&line.path))),
        }
    }
    place_efi(parts, &files, &*root, root_node, &mut wanted);
    placed.plans.push(MountPlan { file_system: root, root: root_node, path: b"/".to_vec() });
    placed.parts.push(root_number);
    let mut rest: Vec<usize> =
        files.iter().map(|(number, _)| *number).filter(|number| *number != root_number).collect();
    for (path, (number, node)) in wanted {
        let Some((_, file_system)) = files.iter().find(|(candidate, _)| *candidate == number) else {
            continue;
        };
        if has_folder(&placed, &path, number) {
            rest.retain(|other| *other != number);
            placed.plans.push(MountPlan { file_system: file_system.clone(), root: node, path });
            placed.parts.push(number);
        }
    }
    for number in rest {
        if let Some((_, file_system)) = files.iter().find(|(candidate, _)| *candidate == number) {
            let path = format!("/@{}", parts[number].label.replace('/', "-")).into_bytes();
            placed.notes[number].push("not mounted by the image itself".to_owned());
            placed.plans.push(MountPlan { file_system: file_system.clone(), root: file_system.root(), path });
            placed.parts.push(number);
        }
    }
    placed
}

/// Finds the folder of a file system that is the root of an operating system.
fn root_of(file_system: &dyn FileSystem) -> Option<NodeId> {
    let has_release =
        |start: &[u8]| RELEASE_FILES.iter().any(|file| find(file_system, &[start, file].concat()).is_ok());
    if has_release(b"") {
        return Some(file_system.root());
    }
    // A home named `root` on another file system is no root: only btrfs is laid out like that.
    if file_system.info().kind != "btrfs" {
        return None;
    }
    let folder = ROOT_FOLDERS.iter().find(|folder| has_release(folder))?;
    find(file_system, folder).ok()
}

/// The EFI system partition is mounted by systemd itself where `fstab` is silent.
fn place_efi(
    parts: &[Part],
    files: &[(usize, Arc<dyn FileSystem>)],
    root: &dyn FileSystem,
    root_node: NodeId,
    wanted: &mut BTreeMap<Vec<u8>, (usize, NodeId)>,
) {
    let is_efi = |number: usize| EFI_TYPES.contains(&parts[number].ids.type_id.as_str());
    let Some((number, file_system)) = files.iter().find(|(number, _)| is_efi(*number)) else { return };
    if wanted.values().any(|(placed, _)| placed == number) {
        return;
    }
    for path in [b"/boot/efi".as_slice(), b"/efi"] {
        if !wanted.contains_key(path) && folder_below(root, root_node, path) {
            wanted.insert(path.to_vec(), (*number, file_system.root()));
            return;
        }
    }
}

/// Tells whether a mount point is there, in whatever is mounted above it; what it hides is told.
fn has_folder(placed: &Placed, path: &[u8], _: usize) -> bool {
    let above = placed
        .plans
        .iter()
        .filter(|plan| plan.path == b"/" || path.starts_with(&[plan.path.as_slice(), b"/"].concat()))
        .max_by_key(|plan| plan.path.len());
    above.is_some_and(|plan| {
        let rest = if plan.path == b"/" { path } else { &path[plan.path.len()..] };
        folder_below(&*plan.file_system, plan.root, rest)
    })
}

/// Walks down from a folder by names alone: a mount point is never a link in what amint reads.
fn folder_below(file_system: &dyn FileSystem, start: NodeId, path: &[u8]) -> bool {
    let mut at = start;
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        match file_system.lookup(at, name) {
            Ok(next) => at = next,
            Err(_) => return false,
        }
    }
    file_system.node(at).is_ok_and(|node| node.kind == Kind::Folder)
}

/// One line of `fstab(5)`.
struct Line {
    what: String,
    path: Vec<u8>,
    subvolume: Option<Vec<u8>>,
}

fn fstab(root: &dyn FileSystem, root_node: NodeId) -> Vec<Line> {
    let content = if root_node == root.root() {
        read_file(root, b"/etc/fstab", FSTAB_BYTES_MAX)
    } else {
        // The root is a folder of this file system: names go on from there.
        root.lookup(root_node, b"etc")
            .and_then(|etc| root.lookup(etc, b"fstab"))
            .and_then(|file| amint_fs::read_all(root.open(file)?.as_mut(), FSTAB_BYTES_MAX, root.info().kind))
    };
    let Ok(content) = content else { return Vec::new() };
    let text = String::from_utf8_lossy(&content).into_owned();
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let mut fields = line.split_whitespace();
        let (Some(what), Some(path), _, options) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        if !path.starts_with('/') || names.contains(&"..") {
            continue;
        }
        let subvolume =
            options.unwrap_or_default().split(',').find_map(|option| option.strip_prefix("subvol="));
        lines.push(Line {
            what: what.to_owned(),
            path: format!("/{}", names.join("/")).into_bytes(),
            subvolume: subvolume.map(|path| format!("/{}", path.trim_matches('/')).into_bytes()),
        });
    }
    lines
}

/// Tells whether `fstab` means this part.
fn is_named(what: &str, part: &Part, file_system: &dyn FileSystem) -> bool {
    let info = file_system.info();
    let same =
        |value: &str, id: Option<&str>| id.is_some_and(|id| !id.is_empty() && id.eq_ignore_ascii_case(value));
    let value = |key: &str| what.strip_prefix(key).map(|value| value.trim_matches('"'));
    if let Some(uuid) = value("UUID=").or_else(|| value("/dev/disk/by-uuid/")) {
        return same(uuid, info.uuid.as_deref());
    }
    if let Some(label) = value("LABEL=").or_else(|| value("/dev/disk/by-label/")) {
        return info.label.as_deref().is_some_and(|known| known == label && !label.is_empty());
    }
    if let Some(uuid) = value("PARTUUID=").or_else(|| value("/dev/disk/by-partuuid/")) {
        return same(uuid, Some(&part.ids.part_uuid));
    }
    if let Some(label) = value("PARTLABEL=").or_else(|| value("/dev/disk/by-partlabel/")) {
        return !label.is_empty() && part.ids.part_label == label;
    }
    if let Some((group, name)) = &part.ids.volume {
        let escaped = |text: &str| text.replace('-', "--");
        return what == format!("/dev/{group}/{name}")
            || what == format!("/dev/mapper/{}-{}", escaped(group), escaped(name));
    }
    // `/dev/sda1`, `/dev/vda1`, `/dev/xvda1`, `/dev/nvme0n1p1`: the number at the end is all that holds on another machine.
    let Some(device) = what.strip_prefix("/dev/") else { return false };
    let is_disk = ["sd", "vd", "xvd", "hd", "nvme"].iter().any(|start| device.starts_with(start));
    let digits: String = device.chars().rev().take_while(char::is_ascii_digit).collect();
    let number: String = digits.chars().rev().collect();
    is_disk && part.ids.number.is_some() && number.parse().ok() == part.ids.number
}
