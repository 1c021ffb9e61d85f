//! From the parts of a disk to logical volumes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use amint_types::ReadAt;

use super::group::{Group, Logical, Physical, Segment, SegmentKind, kind_text};
use super::label::Label;
use super::map::{Run, Stripe, Volume};
use crate::gaps::uncovered;
use crate::{Content, LogicalVolume, Part};

/// What LVM2 has on a disk.
pub(crate) struct Groups {
    /// All volumes that a user of the system would see, by group and name.
    pub(crate) volumes: Vec<LogicalVolume>,
    /// Ranges of the disk that LVM2 has given to no volume.
    pub(crate) unallocated: Vec<Range<u64>>,
}

/// A physical volume that is there.
struct Present<'a> {
    part: &'a Part,
    uuid: String,
}

/// Opens the groups whose physical volumes are among `parts`.
pub(crate) fn open(parts: &[Part], notes: &mut Vec<String>) -> Groups {
    let mut present: Vec<Present<'_>> = Vec::new();
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.content == Content::LvmMember) {
        let name =
            part.number.map_or_else(|| "whole disk".to_owned(), |number| format!("partition {number}"));
        let label = match Label::read(part.source.as_ref()) {
            Ok(label) => label,
            Err(what) => {
                notes.push(format!("{name}: physical volume of LVM2, and {what}"));
                continue;
            }
        };
        if present.iter().any(|other| other.uuid == label.uuid) {
            notes.push(format!("{name}: a second physical volume of LVM2 with the same id; it was not used"));
            continue;
        }
        let mut problems = Vec::new();
        for text in label.texts(part.source.as_ref(), &mut problems) {
            match Group::parse(&text) {
                Ok(group) => keep_newest(&mut groups, group),
                Err(what) => problems.push(format!("its metadata makes no sense: {what}")),
            }
        }
        notes.extend(problems.into_iter().map(|what| format!("{name}: physical volume of LVM2, and {what}")));
        present.push(Present { part, uuid: label.uuid });
    }
    note_ungrouped(&present, &groups, notes);
    let mut opened = Groups { volumes: Vec::new(), unallocated: Vec::new() };
    for group in groups.values() {
        open_group(group, &present, &mut opened, notes);
    }
    opened.volumes.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    opened
}

fn keep_newest(groups: &mut BTreeMap<String, Group>, group: Group) {
    let known = groups.entry(group.id.clone()).or_insert_with(|| group.clone());
    if known.sequence < group.sequence {
        *known = group;
    }
}

/// Notes physical volumes that no readable text knows: volumes on them would be overlooked in silence.
fn note_ungrouped(present: &[Present<'_>], groups: &BTreeMap<String, Group>, notes: &mut Vec<String>) {
    for volume in present {
        if !groups.values().flat_map(|group| &group.physical).any(|physical| physical.id == volume.uuid) {
            notes.push(format!(
                "physical volume {} of LVM2 is in no group that is described here",
                volume.uuid
            ));
        }
    }
}

fn open_group(group: &Group, present: &[Present<'_>], opened: &mut Groups, notes: &mut Vec<String>) {
    let here = |physical: &Physical| present.iter().find(|present| present.uuid == physical.id);
    for physical in group.physical.iter().filter(|physical| here(physical).is_none()) {
        notes.push(format!("physical volume {} of group {} is not on this disk", physical.id, group.name));
    }
    for volume in group.logical.iter().filter(|volume| volume.is_visible) {
        let extents = volume.segments.last().map_or(0, |last| last.start.saturating_add(last.extents));
        let source = map_volume(group, volume, &|physical| here(physical).map(|found| &found.part.source));
        opened.volumes.push(LogicalVolume {
            group: group.name.clone(),
            name: volume.name.clone(),
            uuid: volume.id.clone(),
            bytes: extents.saturating_mul(group.extent_bytes),
            content: Content::Unknown,
            source: source.map(|volume| Arc::new(volume) as Arc<dyn ReadAt>),
        });
    }
    for physical in &group.physical {
        if let Some(found) = here(physical) {
            opened.unallocated.extend(unallocated(group, physical, found.part));
        }
    }
}

/// Finds the bytes of a physical volume for its name in the group.
type Sources<'a> = dyn Fn(&Physical) -> Option<&'a Arc<dyn ReadAt>> + 'a;

fn map_volume(group: &Group, volume: &Logical, sources: &Sources<'_>) -> Result<Volume, String> {
    if let Some(problem) = &volume.problem {
        return Err(problem.clone());
    }
    let mut runs = Vec::with_capacity(volume.segments.len());
    for segment in volume.segments.iter().filter(|segment| segment.extents > 0) {
        runs.push(map_segment(group, segment, sources)?);
    }
    Ok(Volume::new(runs))
}

fn map_segment(group: &Group, segment: &Segment, sources: &Sources<'_>) -> Result<Run, String> {
    const TOO_LARGE: &str = "a volume that is larger than any disk";
    let size = |extents: u64| extents.checked_mul(group.extent_bytes).ok_or(TOO_LARGE);
    let (start, bytes) = (size(segment.start)?, size(segment.extents)?);
    start.checked_add(bytes).ok_or(TOO_LARGE)?;
    let (parts, stripe_bytes) = match &segment.kind {
        SegmentKind::Striped { stripes, stripe_bytes } => (stripes.as_slice(), *stripe_bytes),
        SegmentKind::Zero => (&[][..], 0),
        SegmentKind::Missing => return Err("a volume with a lost part".to_owned()),
        SegmentKind::Other(kind) => return Err(kind_text(kind)),
    };
    let each = segment.extents / (parts.len().max(1) as u64);
    let mut stripes = Vec::with_capacity(parts.len());
    for (name, extent) in parts {
        let Some(physical) = group.physical.iter().find(|physical| physical.name == *name) else {
            // Layers above RAID and pools name hidden volumes instead.
            return Err(format!("a volume on top of `{}`", name.chars().take(64).collect::<String>()));
        };
        if extent.checked_add(each).is_none_or(|end| end > physical.extents) {
            return Err("a volume that leaves its physical volume".to_owned());
        }
        let source = sources(physical).ok_or("a volume of which a physical volume is missing")?;
        let offset = size(*extent)?.checked_add(physical.start_bytes).ok_or(TOO_LARGE)?;
        if offset.checked_add(size(each)?).is_none_or(|end| end > source.size_bytes()) {
            return Err("a volume that leaves its physical volume".to_owned());
        }
        stripes.push(Stripe { source: Arc::clone(source), offset });
    }
    Ok(Run { start, bytes, stripes, stripe_bytes })
}

/// Returns the ranges of the disk that belong to extents of a physical volume without a volume.
fn unallocated(group: &Group, physical: &Physical, part: &Part) -> Vec<Range<u64>> {
    let segments = group.logical.iter().flat_map(|volume| &volume.segments);
    let used = segments.flat_map(|segment| match &segment.kind {
        SegmentKind::Striped { stripes, .. } => {
            let each = segment.extents / (stripes.len().max(1) as u64);
            let mine = stripes.iter().filter(|(name, _)| *name == physical.name);
            mine.map(|(_, extent)| *extent..extent.saturating_add(each)).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    });
    let to_disk = |extent: u64| {
        let inside = extent.saturating_mul(group.extent_bytes).saturating_add(physical.start_bytes);
        part.start_bytes.saturating_add(inside.min(part.source.size_bytes()))
    };
    uncovered(0..physical.extents, used)
        .into_iter()
        .map(|range| to_disk(range.start)..to_disk(range.end))
        .collect()
}
