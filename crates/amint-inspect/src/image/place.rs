//! Where each file system stands in the image, as the image itself says in `fstab(5)`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use amint_fs::{FileSystem, FsError, Kind, NodeId, find, read_file};

use super::fstab::{self, Asked, FSTAB_BYTES_MAX, Line};
use super::root::{find_root, has_release};
use super::{Part, State};
use crate::index::{MountPlan, chain};

/// The topmost subvolume of btrfs (`btrfs-subvolume(8)`).
const TOP_SUBVOLUME: u64 = 5;
/// Types that systemd mounts by itself where `fstab` is silent, and where (Discoverable Partitions Specification): the
/// EFI system partition in a GPT and in an MBR, the extended boot loader partition, homes and server data.
const AUTOMOUNTS: [(&str, &[&[u8]]); 5] = [
    ("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", &[b"/boot/efi", b"/efi", b"/boot"]),
    ("ef", &[b"/boot/efi", b"/efi", b"/boot"]),
    ("bc13c2ff-59e6-4262-a352-b275fd6f7172", &[b"/boot"]),
    ("933ac7e1-2eb4-4f13-b844-0e14e2aef915", &[b"/home"]),
    ("3b8f8425-20e0-4f3b-907f-1a25a76f98e8", &[b"/srv"]),
];

/// File systems with their places.
pub struct Placed {
    /// What to walk; the first is the root.
    pub plans: Vec<MountPlan>,
    /// The part of each plan, by its number.
    pub parts: Vec<usize>,
    /// What a person should know of each part, by its number.
    pub notes: Vec<Vec<String>>,
    /// What could not be read while places were looked for, by the number of the part.
    pub problems: Vec<Vec<String>>,
    /// Whether a root with an operating system was found.
    pub has_system: bool,
}

/// Finds the root, and places the other file systems by its `fstab`; what it does not name stands at `/@LABEL`.
pub fn place(parts: &[Part]) -> Placed {
    let placed = Placed {
        plans: Vec::new(),
        parts: Vec::new(),
        notes: vec![Vec::new(); parts.len()],
        problems: vec![Vec::new(); parts.len()],
        has_system: false,
    };
    let mut placing = Placing { parts, wanted: BTreeMap::new(), placed };
    if placing.place_root() {
        placing.place_wanted();
        placing.place_rest();
    }
    placing.placed
}

struct Placing<'a> {
    parts: &'a [Part],
    /// Part and folder by mount point.
    wanted: BTreeMap<Vec<u8>, (usize, NodeId)>,
    placed: Placed,
}

impl<'a> Placing<'a> {
    /// Goes through the parts that hold files.
    fn files(&self) -> impl Iterator<Item = (usize, &'a Part, &'a Arc<dyn FileSystem>)> + use<'a> {
        self.parts.iter().enumerate().filter_map(|(number, part)| match &part.state {
            State::Files(file_system) => Some((number, part, file_system)),
            _ => None,
        })
    }

    fn plan(&mut self, number: usize, root: NodeId, path: Vec<u8>) {
        if let Some(State::Files(file_system)) = self.parts.get(number).map(|part| &part.state) {
            self.placed.plans.push(MountPlan { file_system: file_system.clone(), root, path });
            self.placed.parts.push(number);
        }
    }

    fn note(&mut self, number: usize, note: String) {
        if let Some(notes) = self.placed.notes.get_mut(number) {
            notes.push(note);
        }
    }

    /// Plans the root, and gathers what its `fstab` wants; false where nothing holds files.
    fn place_root(&mut self) -> bool {
        let roots: Vec<(usize, NodeId)> = self
            .files()
            .filter_map(|(number, part, files)| Some((number, find_root(&**files, part.btrfs.as_deref())?)))
            .collect();
        self.placed.has_system = !roots.is_empty();
        let first = self.files().next().map(|(number, _, files)| (number, files.root()));
        let Some((number, mut root)) = roots.first().copied().or(first) else { return false };
        for (other, _) in roots.iter().skip(1) {
            self.note(*other, "holds another operating system, whose packages are not judged".to_owned());
        }
        let mut lines = self.lines(number, root);
        // What the found root itself calls its root is believed where an operating system is there as well.
        let named = lines.iter().find(|line| line.path == b"/").and_then(|line| line.subvolume.as_ref());
        let part = self.parts.get(number);
        if let Some(meant) = named.and_then(|asked| resolve(part?, asked).ok())
            && meant != root
            && part.is_some_and(|part| view(part, meant).is_some_and(|view| has_release(&*view)))
        {
            root = meant;
            lines = self.lines(number, root);
        }
        self.plan(number, root, b"/".to_vec());
        for line in &lines {
            self.want(line, root);
        }
        true
    }

    /// Reads `fstab` below a root.
    fn lines(&mut self, number: usize, root: NodeId) -> Vec<Line> {
        let view = self.parts.get(number).and_then(|part| view(part, root));
        let content = view.map(|view| read_file(&*view, b"/etc/fstab", FSTAB_BYTES_MAX));
        match content {
            Some(Ok(content)) => fstab::parse(&content),
            Some(Err(error)) if !error.is_missing() => {
                self.placed.problems[number].push(format!("/etc/fstab: {}", chain(&error)));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Notes what one line wants.
    fn want(&mut self, line: &Line, root: NodeId) {
        let named: Vec<(usize, &Part, NodeId)> = self
            .files()
            .filter(|(_, part, files)| fstab::is_named(&line.what, part, &***files))
            .map(|(number, part, files)| (number, part, files.root()))
            .collect();
        let Some((number, part, start)) = named.first().copied() else { return };
        if line.path == b"/" {
            return;
        }
        let path = String::from_utf8_lossy(&line.path).into_owned();
        for (other, _, _) in named.iter().skip(1) {
            let first = &part.label;
            self.note(
                *other,
                format!("`{}` names it as well as {first}, which was taken for {path}", line.what),
            );
        }
        let node = line.subvolume.as_ref().map_or(Ok(start), |asked| resolve(part, asked));
        let is_root =
            self.placed.parts.first() == Some(&number) && node.as_ref().is_ok_and(|node| *node == root);
        match node {
            _ if is_root => {}
            Ok(node) => drop(self.wanted.insert(line.path.clone(), (number, node))),
            Err(error) if error.is_missing() => {
                self.note(number, format!("the subvolume for {path} is not there"));
            }
            Err(error) => {
                self.placed.problems[number].push(format!("the subvolume for {path}: {}", chain(&error)));
            }
        }
    }

    /// Plans what `fstab` wants, outer mount points before inner ones, and then what systemd mounts by itself.
    fn place_wanted(&mut self) {
        let mut taken: BTreeSet<(usize, NodeId)> = BTreeSet::new();
        for (path, (number, node)) in std::mem::take(&mut self.wanted) {
            let shown = String::from_utf8_lossy(&path).into_owned();
            if self.folder_at(&path).is_none_or(|(_, kind)| kind != Kind::Folder) {
                self.note(number, format!("its mount point {shown} is not there"));
            } else if taken.insert((number, node)) {
                self.plan(number, node, path);
            } else {
                self.note(number, format!("stands at {shown} as well"));
            }
        }
        for (number, part, files) in self.files() {
            let places = AUTOMOUNTS.iter().find(|(type_id, _)| *type_id == part.ids.type_id);
            let Some((_, places)) = places else { continue };
            if self.placed.parts.contains(&number) {
                continue;
            }
            let is_free = |place: &&&[u8]| {
                let is_taken = self.placed.plans.iter().any(|plan| plan.path == **place);
                !is_taken
                    && self.folder_at(place).is_some_and(|(is_empty, kind)| is_empty && kind == Kind::Folder)
            };
            if let Some(place) = places.iter().find(is_free) {
                self.plan(number, files.root(), place.to_vec());
            }
        }
    }

    /// Plans what has no place: whole file systems, and subvolumes that nothing leads to.
    fn place_rest(&mut self) {
        for (number, part, files) in self.files() {
            let path = format!("/@{}", part.label.replace('/', "-")).into_bytes();
            if !self.placed.parts.contains(&number) {
                self.note(number, "not mounted by the image itself".to_owned());
                self.plan(number, files.root(), path.clone());
            }
            let Some(btrfs) = part.btrfs.as_deref() else { continue };
            let planned: BTreeSet<u64> = (self.placed.plans.iter().zip(&self.placed.parts))
                .filter(|(_, planned)| **planned == number)
                .map(|(plan, _)| plan.root.tree)
                .collect();
            let subvolumes = btrfs.subvolumes();
            let parents: BTreeMap<u64, Option<u64>> =
                subvolumes.iter().map(|subvolume| (subvolume.id, subvolume.parent)).collect();
            let is_reached = |id: u64| {
                let steps = std::iter::successors(Some(id), |id| parents.get(id).copied().flatten());
                steps.take(parents.len() + 1).any(|id| planned.contains(&id))
            };
            let count = subvolumes.iter().filter(|subvolume| !is_reached(subvolume.id)).count();
            let Ok(top) = btrfs.at_subvolume(TOP_SUBVOLUME) else { continue };
            if count > 0 {
                let is_second = self.placed.plans.iter().any(|plan| plan.path == path);
                let path = if is_second { [path.as_slice(), b" (top)"].concat() } else { path };
                let shown = String::from_utf8_lossy(&path).into_owned();
                self.note(
                    number,
                    format!("{count} subvolumes that nothing mounts were looked at below {shown}"),
                );
                self.plan(number, top.root(), path);
            }
        }
    }

    /// Finds a folder in whatever is mounted above it, by names alone: whether it is empty, and what it is.
    fn folder_at(&self, path: &[u8]) -> Option<(bool, Kind)> {
        let is_above =
            |plan: &&MountPlan| plan.path == b"/" || path.starts_with(&[plan.path.as_slice(), b"/"].concat());
        let plan = self.placed.plans.iter().filter(is_above).max_by_key(|plan| plan.path.len())?;
        let rest = if plan.path == b"/" { path } else { path.get(plan.path.len()..)? };
        let files = &*plan.file_system;
        let mut at = plan.root;
        for name in rest.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            if files.node(at).ok()?.kind != Kind::Folder {
                return None;
            }
            at = files.lookup(at, name).ok()?;
        }
        let kind = files.node(at).ok()?.kind;
        let mut is_empty = true;
        if kind == Kind::Folder {
            files
                .read_dir(at, &mut |_| {
                    is_empty = false;
                    ControlFlow::Break(())
                })
                .ok()?;
        }
        Some((is_empty, kind))
    }
}

/// Finds the subvolume that a line asks for: its path begins at the topmost one, whatever the default is.
fn resolve(part: &Part, asked: &Asked) -> Result<NodeId, FsError> {
    let Some(btrfs) = part.btrfs.as_deref() else { return Err(FsError::NotFound) };
    match asked {
        Asked::Path(path) => find(&btrfs.at_subvolume(TOP_SUBVOLUME)?, path),
        // 0 is the kernel's other name for the topmost one.
        Asked::Number(0) => btrfs.at_subvolume(TOP_SUBVOLUME).map(|view| view.root()),
        Asked::Number(id) => btrfs.at_subvolume(*id).map(|view| view.root()),
    }
}

/// Returns a part's file system as it looks from a folder that is a root.
fn view(part: &Part, root: NodeId) -> Option<Arc<dyn FileSystem>> {
    let State::Files(file_system) = &part.state else { return None };
    if file_system.root() == root {
        return Some(file_system.clone());
    }
    let view = part.btrfs.as_deref()?.at_subvolume(root.tree).ok()?;
    (view.root() == root).then(|| Arc::new(view) as Arc<dyn FileSystem>)
}
