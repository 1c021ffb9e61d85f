use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde_json::Value;
use tempfile::NamedTempFile;

use super::Event;

/// How much all files may be together: then the oldest go.
const ALL_BYTES_MAX: u64 = 256 << 20;
/// How much of a file, and of the journal, is read.
const READ_BYTES_MAX: u64 = 64 << 20;
/// How deep the layout is below the folder.
const DEPTH_MAX: u32 = 8;

/// The files of a trail below its folder: `AWSLogs/ACCOUNT/CloudTrail/REGION/YEAR/MONTH/DAY/….json.gz`.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    journal: File,
    /// Sizes by time and path: the oldest first.
    known: BTreeMap<(String, PathBuf), u64>,
}

impl Files {
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let mut options = OpenOptions::new();
        options.create(true).append(true).read(true).mode(0o600);
        let journal = options.open(folder.join("pending.jsonl"))?;
        let mut known = BTreeMap::new();
        find(&folder.join("AWSLogs"), DEPTH_MAX, &mut known);
        Ok(Self { folder, journal, known })
    }

    /// Reads what is in no file yet. What a kill left half is passed over.
    pub(super) fn journal(&mut self) -> io::Result<Vec<Event>> {
        let file = File::open(self.folder.join("pending.jsonl"))?;
        let mut events = Vec::new();
        for line in BufReader::new(file.take(READ_BYTES_MAX)).lines() {
            let Ok(line) = line else { break };
            events.extend(serde_json::from_str(&line).ok().and_then(|record: Value| Event::of(&record)));
        }
        Ok(events)
    }

    /// Reads the newest records of the files, the oldest of them first.
    pub(super) fn newest(&self, count_max: usize) -> Vec<Event> {
        let mut batches = Vec::new();
        let mut count = 0;
        for (_, path) in self.known.keys().rev() {
            if count >= count_max {
                break;
            }
            let batch = read(path);
            count += batch.len();
            batches.push(batch);
        }
        let mut events: Vec<Event> = batches.into_iter().rev().flatten().collect();
        events.sort_by_key(|event| event.time);
        events.split_off(events.len().saturating_sub(count_max))
    }

    /// Adds a record to the journal. What cannot be written is told by `LookupEvents` all the same.
    pub(super) fn append(&mut self, event: &Event) {
        let _ = self.journal.write_all(format!("{}\n", event.record).as_bytes());
    }

    /// Writes records into files, one for each account and region, and empties the journal.
    pub(super) fn write(&mut self, events: &[&Event], now: Timestamp) -> io::Result<()> {
        let mut groups: BTreeMap<(&str, &str), Vec<&Event>> = BTreeMap::new();
        for event in events {
            groups.entry((&event.account, &event.region)).or_default().push(event);
        }
        for ((account, region), events) in groups {
            let day = now.strftime("%Y/%m/%d").to_string();
            let folder = self.folder.join("AWSLogs").join(account).join("CloudTrail").join(region).join(day);
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            let mut random = [0_u8; 8];
            getrandom::fill(&mut random).map_err(io::Error::other)?;
            let time = now.strftime("%Y%m%dT%H%MZ").to_string();
            let name = format!("{account}_CloudTrail_{region}_{time}_{}.json.gz", hex::encode(random));
            let path = folder.join(name);
            let mut gzip = GzEncoder::new(NamedTempFile::new_in(&folder)?, Compression::default());
            let records: Vec<&str> = events.iter().map(|event| event.record.as_str()).collect();
            gzip.write_all(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes())?;
            let file = gzip.finish()?.persist(&path).map_err(|error| error.error)?;
            self.known.insert((time, path), file.metadata()?.len());
        }
        self.journal.set_len(0)?;
        self.make_room();
        Ok(())
    }

    fn make_room(&mut self) {
        let mut all: u64 = self.known.values().sum();
        while all > ALL_BYTES_MAX {
            let Some(((_, path), size)) = self.known.pop_first() else { break };
            // Gone already is as good.
            let _ = fs::remove_file(path);
            all -= size;
        }
    }
}

/// Reads the records of a file; of one that is no such file, none.
fn read(path: &Path) -> Vec<Event> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let mut text = String::new();
    if GzDecoder::new(file).take(READ_BYTES_MAX).read_to_string(&mut text).is_err() {
        return Vec::new();
    }
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let records = document["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
    records.iter().filter_map(Event::of).collect()
}

/// Finds the files below a folder.
fn find(folder: &Path, depth: u32, known: &mut BTreeMap<(String, PathBuf), u64>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir() && depth > 0 {
            find(&path, depth - 1, known);
        } else if kind.is_file() && name.ends_with(".json.gz") {
            let time = name.split('_').nth(3).unwrap_or_default().to_owned();
            known.insert((time, path), entry.metadata().map_or(0, |metadata| metadata.len()));
        }
    }
}
