//! How well an image was read: every part of it, what was not, and why.

use std::sync::atomic::Ordering;

use amint_scan::system::packages::NOT_ASKED;
use amint_types::scan::{AnalyzerRun, AnalyzerStatus, Coverage, CoverageStatus, ScanDocument};

use crate::image::{Image, State};
use crate::index::Index;
use crate::pass::PassResult;

/// What was learned while places were looked for.
pub(crate) struct Places {
    /// The part of each mount, by its number.
    pub(crate) parts: Vec<usize>,
    /// What a person should know of each part.
    pub(crate) notes: Vec<Vec<String>>,
    /// What could not be read of each part.
    pub(crate) problems: Vec<Vec<String>>,
}

/// Tells of every part of an image how it was read, and of the image as a whole what a person should know.
pub(crate) fn coverage(image: &Image, places: &Places, index: &Index, result: &PassResult) -> Vec<Coverage> {
    let names = index.names_by_mount();
    let mut coverage = Vec::with_capacity(image.parts.len() + 1);
    for (number, part) in image.parts.iter().enumerate() {
        let of_part = |told: &[Vec<String>]| told.get(number).cloned().unwrap_or_default();
        let mut covered = Coverage {
            partition: part.label.clone(),
            filesystem: part.content.clone(),
            mounted_at: None,
            files: 0,
            bytes: 0,
            status: CoverageStatus::Empty,
            // Why something was not read comes first: it is what the verdict quotes.
            notes: of_part(&places.problems),
        };
        let mut notes = part.notes.clone();
        notes.extend(of_part(&places.notes));
        match &part.state {
            State::Nothing => {}
            State::Unread(why) => {
                covered.status = CoverageStatus::Unread;
                covered.notes.insert(0, why.clone());
            }
            State::Files(_) => {
                let mounts = places.parts.iter().enumerate().filter(|(_, part)| **part == number);
                for (mount, _) in mounts {
                    let names = names.get(&mount).copied().unwrap_or_default();
                    cover_mount(&mut covered, &mut notes, mount, index, names, result);
                }
                let is_whole = covered.notes.is_empty() && covered.mounted_at.is_some();
                covered.status = if is_whole { CoverageStatus::Read } else { CoverageStatus::Partial };
            }
        }
        notes.extend(part.folder.iter().flat_map(|folder| folder.notes()));
        covered.notes.append(&mut notes);
        coverage.push(covered);
    }
    if !image.notes.is_empty() {
        coverage.push(whole(image));
    }
    coverage
}

/// What is known of the image as a whole: its format and its partition table.
fn whole(image: &Image) -> Coverage {
    Coverage {
        partition: "whole image".to_owned(),
        filesystem: image.format.clone(),
        mounted_at: None,
        files: 0,
        bytes: 0,
        status: CoverageStatus::Empty,
        notes: image.notes.clone(),
    }
}

fn cover_mount(
    covered: &mut Coverage,
    notes: &mut Vec<String>,
    number: usize,
    index: &Index,
    names: u64,
    result: &PassResult,
) {
    let Some(mount) = index.mounts().get(number) else { return };
    let path = String::from_utf8_lossy(&mount.path).into_owned();
    match &covered.mounted_at {
        Some(_) => notes.push(format!("another of its subvolumes stands at {path}")),
        None => covered.mounted_at = Some(path),
    }
    covered.files += names;
    covered.bytes += result.bytes_by_mount.get(number).copied().unwrap_or_default();
    covered.bytes += mount.read_bytes.load(Ordering::Relaxed);
    covered.notes.extend(mount.errors.iter().cloned());
    let more = mount.error_count.saturating_sub(mount.errors.len() as u64);
    if more > 0 {
        covered.notes.push(format!("and {more} more that could not be read"));
    }
    covered.notes.extend(result.unread_by_mount.get(number).into_iter().flatten().cloned());
    notes.extend(mount.notes.iter().cloned());
}

/// Analyzers without which nothing can be said of an operating system. The others are given files of anybody's: one that is
/// not in its format is a finding, and no reason to say nothing at all.
const OF_SYSTEM: [&str; 10] = [
    "apk",
    "checksums",
    "dpkg",
    "free-space",
    "kernels",
    "privileged",
    "release",
    "rpm",
    "services",
    "users",
];

/// Returns the analyzers of files that could not understand all of them.
pub(crate) fn misunderstood(document: &ScanDocument) -> impl Iterator<Item = &AnalyzerRun> {
    document
        .analyzers
        .iter()
        .filter(|run| run.status == AnalyzerStatus::Partial && !OF_SYSTEM.contains(&run.id.as_str()))
}

/// Says in a few lines why a document proves nothing: what was not read, and what was not found.
pub fn unread_reasons(document: &ScanDocument) -> Vec<String> {
    let mut reasons = Vec::new();
    for part in &document.coverage {
        let (name, filesystem) = (shown(&part.partition), &part.filesystem);
        let why = part.notes.first().map_or("it cannot be read", String::as_str);
        match part.status {
            CoverageStatus::Unread => reasons.push(format!("{name} ({filesystem}) was not read: {why}")),
            CoverageStatus::Partial => {
                reasons.push(format!("{name} ({filesystem}) was read in part: {why}"));
            }
            _ => {}
        }
    }
    if document.system.is_none() {
        reasons.push("no operating system was found".to_owned());
    } else if !document.packages.iter().any(|package| package.kind.is_of_system())
        && !document.analyzers.iter().any(is_left_out_database)
    {
        reasons.push("no package database was found".to_owned());
    }
    let is_of_system = |run: &&AnalyzerRun| OF_SYSTEM.contains(&run.id.as_str());
    for run in
        document.analyzers.iter().filter(|run| run.status == AnalyzerStatus::Partial).filter(is_of_system)
    {
        let why = run.notes.first().map_or("it does not say why", String::as_str);
        reasons.push(format!("analyzer {} could not read all: {why}", run.id));
    }
    reasons
}

/// Tells whether the user left out what reads packages of the system: then none is no wonder.
fn is_left_out_database(run: &AnalyzerRun) -> bool {
    let is_left_out = run.notes.iter().any(|note| note == NOT_ASKED);
    is_left_out && matches!(run.id.as_str(), "dpkg" | "rpm" | "apk")
}

/// Says a part's label in a sentence.
fn shown(label: &str) -> String {
    match label {
        "whole disk" | "directory" | "archive" => format!("the {label}"),
        _ if label.starts_with(|letter: char| letter.is_ascii_digit()) && !label.contains('/') => {
            format!("partition {label}")
        }
        _ => format!("volume {label}"),
    }
}
