//! What a group's text says, checked.

use super::text::{Section, Value, parse};

/// Volumes, physical volumes or segments that a group may have.
const ITEMS_MAX: usize = 65_536;
const SECTOR_BYTES: u64 = 512;

/// A volume group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) id: String,
    /// Rises with each change.
    pub(super) sequence: u64,
    pub(super) extent_bytes: u64,
    pub(super) physical: Vec<Physical>,
    pub(super) logical: Vec<Logical>,
}

/// A physical volume as its group knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Physical {
    /// Its name in the text: `pv0`.
    pub(super) name: String,
    pub(super) id: String,
    /// Where its first extent begins, in bytes.
    pub(super) start_bytes: u64,
    pub(super) extents: u64,
}

/// A logical volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Logical {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) is_visible: bool,
    pub(super) segments: Vec<Segment>,
    /// Why it cannot be read whatever its segments are.
    pub(super) problem: Option<String>,
}

/// A run of extents of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) start: u64,
    pub(super) extents: u64,
    pub(super) kind: SegmentKind,
}

/// What a segment is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SegmentKind {
    /// Extents of physical volumes, in turns of `stripe_bytes` where there are several.
    Striped {
        /// Name of the physical volume and first extent there.
        stripes: Vec<(String, u64)>,
        stripe_bytes: u64,
    },
    /// Reads as zeros.
    Zero,
    /// Reads as an error.
    Missing,
    /// Anything that needs more than a map, by LVM's name for it.
    Other(String),
}

impl Group {
    /// Reads a text.
    pub(super) fn parse(text: &[u8]) -> Result<Self, &'static str> {
        const BAD: &str = "a field is missing or wrong";
        let root = parse(text)?;
        let (name, section) =
            root.sections().find(|(_, section)| section.get("seqno").is_some()).ok_or(BAD)?;
        let extent_bytes =
            section.number("extent_size").and_then(|sectors| sectors.checked_mul(SECTOR_BYTES));
        let sections = |name: &str| -> Vec<(&str, &Section)> {
            section.section(name).into_iter().flat_map(Section::sections).take(ITEMS_MAX).collect()
        };
        let physical =
            sections("physical_volumes").into_iter().map(|(name, section)| physical(name, section));
        let logical = sections("logical_volumes").into_iter().map(|(name, section)| logical(name, section));
        let mut group = Self {
            name: name.to_owned(),
            id: section.text("id").ok_or(BAD)?.to_owned(),
            sequence: section.number("seqno").ok_or(BAD)?,
            extent_bytes: extent_bytes.filter(|bytes| *bytes > 0).ok_or(BAD)?,
            physical: physical.collect::<Option<_>>().ok_or(BAD)?,
            logical: logical.collect::<Option<_>>().ok_or(BAD)?,
        };
        group.mark_snapshots(section);
        Ok(group)
    }

    /// Marks what snapshots need: their own store is no content, and a merge has not reached the origin yet.
    fn mark_snapshots(&mut self, section: &Section) {
        let volumes = section.section("logical_volumes").into_iter().flat_map(Section::sections);
        for segment in volumes.flat_map(|(_, volume)| volume.sections()).map(|(_, segment)| segment) {
            if segment.text("type") != Some("snapshot") {
                continue;
            }
            let mut mark = |name: Option<&str>, problem: &str| {
                for volume in self.logical.iter_mut().filter(|volume| Some(volume.name.as_str()) == name) {
                    volume.problem = Some(problem.to_owned());
                }
            };
            mark(segment.text("cow_store"), "a snapshot");
            if let Some(merging) = segment.text("merging_store") {
                mark(Some(merging), "a snapshot");
                mark(segment.text("origin"), "a volume into which a snapshot is being merged");
            }
        }
    }
}

fn physical(name: &str, section: &Section) -> Option<Physical> {
    Some(Physical {
        name: name.to_owned(),
        id: section.text("id")?.to_owned(),
        start_bytes: section.number("pe_start")?.checked_mul(SECTOR_BYTES)?,
        extents: section.number("pe_count")?,
    })
}

fn logical(name: &str, section: &Section) -> Option<Logical> {
    let mut segments: Vec<Segment> =
        section.sections().take(ITEMS_MAX).map(|(_, section)| segment(section)).collect::<Option<_>>()?;
    segments.sort_by_key(|segment| segment.start);
    let mut next = 0_u64;
    let mut problem = None;
    for segment in &segments {
        if segment.start != next {
            problem = Some("a volume with a hole in its map".to_owned());
        }
        next = segment.start.checked_add(segment.extents)?;
    }
    Some(Logical {
        name: name.to_owned(),
        id: section.text("id")?.to_owned(),
        is_visible: section.list_has("status", "VISIBLE"),
        segments,
        problem,
    })
}

fn segment(section: &Section) -> Option<Segment> {
    let kind = match section.text("type")? {
        "striped" | "linear" => striped(section)?,
        "zero" => SegmentKind::Zero,
        "error" => SegmentKind::Missing,
        other => SegmentKind::Other(other.to_owned()),
    };
    Some(Segment { start: section.number("start_extent")?, extents: section.number("extent_count")?, kind })
}

fn striped(section: &Section) -> Option<SegmentKind> {
    let mut stripes = Vec::new();
    let (pairs, rest) = section.list("stripes").as_chunks::<2>();
    for pair in pairs {
        let [Value::Text(name), Value::Integer(extent)] = pair else { return None };
        stripes.push((name.clone(), u64::try_from(*extent).ok()?));
    }
    let stripe_bytes = match stripes.len() {
        0 => return None,
        1 => 0,
        _ => section.number("stripe_size")?.checked_mul(SECTOR_BYTES).filter(|bytes| *bytes > 0)?,
    };
    rest.is_empty().then_some(SegmentKind::Striped { stripes, stripe_bytes })
}

/// Names a type of segment for a person.
pub(super) fn kind_text(kind: &str) -> String {
    match kind.split('+').next().unwrap_or_default() {
        "thin" => "a thin volume".to_owned(),
        "thin-pool" => "a pool of thin volumes".to_owned(),
        "cache" | "writecache" => "a cached volume".to_owned(),
        "cache-pool" => "a pool for caches".to_owned(),
        "snapshot" => "a snapshot".to_owned(),
        "mirror" => "a mirror".to_owned(),
        "vdo" => "a VDO volume".to_owned(),
        "vdo-pool" => "a VDO pool".to_owned(),
        raid if raid.starts_with("raid") => format!("a RAID volume ({raid})"),
        other => format!("a volume of type `{}`", other.chars().take(32).collect::<String>()),
    }
}
