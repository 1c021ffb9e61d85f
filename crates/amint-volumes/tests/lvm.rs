//! LVM2 volumes against what LVM2's own tools make and report.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

mod common;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use amint_types::ReadAt;
use amint_volumes::{Content, Division, divide};
use common::{Loop, command, disk, has_tool, run, sparse};
use serde_json::Value;

const MIB: u64 = 1 << 20;
/// Where the two physical volumes of the test disks begin, and how large each is.
const STARTS: [u64; 2] = [MIB, 65 * MIB];
const PV_BYTES: u64 = 64 * MIB;
/// Bytes between two marks on the physical volumes.
const MARK_BYTES: u64 = 64 * 1024;

/// LVM2 on two loop devices, without the device mapper.
struct Lvm {
    config: String,
    loops: Vec<Loop>,
}

impl Lvm {
    fn new(path: &Path) -> Option<Self> {
        let attach =
            |start: u64| Loop::new(path, &[format!("--offset={start}"), format!("--sizelimit={PV_BYTES}")]);
        let loops = vec![attach(STARTS[0])?, attach(STARTS[1])?];
        let accept =
            loops.iter().map(|device| format!("\"a|^{}$|\",", device.0)).collect::<Vec<_>>().concat();
        let config = format!(
            "devices {{ filter=[{accept}\"r|.*|\"] global_filter=[{accept}\"r|.*|\"] obtain_device_list_from_udev=0 \
             use_devicesfile=0 }} activation {{ udev_sync=0 udev_rules=0 monitoring=0 }} \
             backup {{ backup=0 archive=0 }} global {{ use_lvmpolld=0 use_lvmlockd=0 }}"
        );
        Some(Self { config, loops })
    }

    /// Runs a command of LVM2; none when it fails.
    fn try_call(&self, arguments: &[&str]) -> Option<String> {
        let mut call = command("lvm");
        call.args(arguments).args(["--config", &self.config, "--driverloaded", "n"]).stderr(Stdio::null());
        let output = call.output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn call(&self, arguments: &[&str]) -> String {
        self.try_call(arguments).unwrap_or_else(|| panic!("lvm {arguments:?} failed"))
    }

    fn create(&self, name: &str, arguments: &[&str]) {
        let mut all = vec!["lvcreate", "-an", "-Zn", "-Wn", "-y", "-n", name];
        all.extend(arguments);
        self.call(&all);
    }
}

/// Makes a disk with two physical volumes of one group.
fn make_disk(path: &Path) -> Option<Lvm> {
    for tool in ["lvm", "sfdisk", "losetup"] {
        if !has_tool(tool) {
            return None;
        }
    }
    sparse(path, 130 * MIB);
    let script = "label: gpt\nstart=1MiB, size=64MiB, type=lvm\nstart=65MiB, size=64MiB, type=lvm\n";
    let script_path = path.with_extension("script");
    std::fs::write(&script_path, script).unwrap();
    run(command("sfdisk").arg("-q").arg(path).stdin(std::fs::File::open(&script_path).unwrap()));
    let lvm = Lvm::new(path)?;
    let (first, second) = (lvm.loops[0].0.as_str(), lvm.loops[1].0.as_str());
    lvm.call(&["pvcreate", "-ff", "-y", first, second]);
    lvm.call(&["vgcreate", "-s", "1M", "vg-main", first, second]);
    Some(lvm)
}

/// Writes marks that tell their own place over all extents of both physical volumes.
fn mark(path: &Path) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    for start in STARTS {
        let mut at = start + MIB;
        while at < start + PV_BYTES {
            file.write_all_at(format!("byte {at} of the disk;").as_bytes(), at).unwrap();
            at += MARK_BYTES;
        }
    }
}

/// What LVM2 reports of a volume's segments: for each its first byte in the volume, its size, and its places on the disk.
struct Reported {
    start: u64,
    bytes: u64,
    stripe_bytes: u64,
    places: Vec<u64>,
}

fn reported(lvm: &Lvm) -> BTreeMap<String, Vec<Reported>> {
    let text = lvm.call(&[
        "lvs",
        "--segments",
        "--units",
        "b",
        "--nosuffix",
        "--reportformat",
        "json",
        "-o",
        "lv_name,seg_start,seg_size,stripe_size,seg_pe_ranges",
    ]);
    let json: Value = serde_json::from_str(&text).unwrap();
    let mut volumes: BTreeMap<String, Vec<Reported>> = BTreeMap::new();
    for row in json["report"][0]["seg"].as_array().unwrap() {
        let number = |name: &str| row[name].as_str().unwrap().parse::<u64>().unwrap();
        let place = |text: &str| {
            let (device, range) = text.rsplit_once(':')?;
            let index = lvm.loops.iter().position(|one| one.0 == device)?;
            let extent: u64 = range.split('-').next()?.parse().ok()?;
            Some(STARTS[index] + MIB + extent * MIB)
        };
        let places = row["seg_pe_ranges"].as_str().unwrap().split_whitespace().filter_map(place).collect();
        volumes.entry(row["lv_name"].as_str().unwrap().to_owned()).or_default().push(Reported {
            start: number("seg_start"),
            bytes: number("seg_size"),
            stripe_bytes: number("stripe_size"),
            places,
        });
    }
    volumes
}

fn volume<'a>(division: &'a Division, name: &str) -> &'a amint_volumes::LogicalVolume {
    division.logical_volumes.iter().find(|volume| volume.name == name).unwrap()
}

/// Reads the byte number that a mark at `at` tells.
fn mark_at(source: &dyn ReadAt, at: u64) -> u64 {
    let mut buffer = [0; 40];
    source.read_exact_at(at, &mut buffer).unwrap();
    let text = String::from_utf8_lossy(&buffer);
    text.strip_prefix("byte ").unwrap().split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn volumes_map_as_lvm_itself_reports() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    let Some(lvm) = make_disk(&path) else { return };
    let second = lvm.loops[1].0.clone();
    lvm.create("root", &["-L", "10M", "vg-main"]);
    lvm.create("gone", &["-L", "3M", "vg-main"]);
    lvm.create("data", &["-L", "5M", "vg-main"]);
    lvm.create("striped", &["-i", "2", "-I", "64k", "-L", "20M", "vg-main"]);
    lvm.call(&["lvextend", "-L", "17M", "vg-main/root"]);
    lvm.create("wide", &["-l", "40", "vg-main"]);
    lvm.create("there", &["-L", "2M", "vg-main", &second]);
    lvm.call(&["lvremove", "-y", "vg-main/gone"]);
    mark(&path);
    let division = divide(disk(&path)).unwrap();
    assert_eq!(division.notes, Vec::<String>::new());
    assert_eq!(
        division.parts.iter().map(|part| part.content.clone()).collect::<Vec<_>>(),
        [Content::LvmMember, Content::LvmMember]
    );
    let reported = reported(&lvm);
    let names: Vec<_> = division.logical_volumes.iter().map(|volume| volume.name.clone()).collect();
    assert_eq!(names, reported.keys().cloned().collect::<Vec<_>>());
    let (mut segments_seen, mut used) = (0, 0);
    for (name, segments) in &reported {
        let found = volume(&division, name);
        let source = found.source.as_ref().unwrap();
        assert_eq!(found.group, "vg-main");
        assert_eq!(found.bytes, segments.iter().map(|segment| segment.bytes).sum::<u64>());
        assert_eq!(source.size_bytes(), found.bytes);
        used += found.bytes;
        for segment in segments {
            segments_seen += 1;
            let stripes = segment.places.len() as u64;
            assert!(stripes > 0);
            for step in 0..segment.bytes / MARK_BYTES {
                let inside = step * MARK_BYTES;
                let expected = if stripes == 1 {
                    segment.places[0] + inside
                } else {
                    let turn = inside / segment.stripe_bytes;
                    segment.places[usize::try_from(turn % stripes).unwrap()]
                        + turn / stripes * segment.stripe_bytes
                };
                assert_eq!(mark_at(source.as_ref(), segment.start + inside), expected, "{name} at {inside}");
            }
        }
        // One read over everything must give what the small reads gave.
        let mut whole = vec![0; usize::try_from(found.bytes).unwrap()];
        source.read_exact_at(0, &mut whole).unwrap();
        for at in (0..found.bytes).step_by(usize::try_from(MARK_BYTES).unwrap()) {
            assert_eq!(mark_at(&whole, at), mark_at(source.as_ref(), at));
        }
        assert!(source.read_exact_at(found.bytes, &mut [0]).is_err());
    }
    assert!(segments_seen > reported.len(), "some volume should have several segments");
    let free: u64 = division.unallocated.iter().map(|range| range.end - range.start).sum();
    assert_eq!(free + used, 2 * 63 * MIB);
}

#[test]
fn volumes_that_need_more_than_a_map_are_told_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    let Some(lvm) = make_disk(&path) else { return };
    lvm.create("plain", &["-L", "4M", "vg-main"]);
    let mut expected = vec![("plain", None)];
    let mut attempt = |name: &'static str, reason: &'static str, arguments: &[&str]| {
        if lvm.try_call(arguments).is_some() {
            expected.push((name, Some(reason)));
        } else {
            eprintln!("SKIPPED: LVM2 makes {reason} only with the device mapper");
        }
    };
    let flags = ["lvcreate", "-an", "-Wn", "-y", "-n"];
    let with = |rest: &[&'static str]| [&flags[..], rest].concat();
    attempt(
        "raid",
        "a RAID volume (raid1)",
        &with(&["raid", "--type", "raid1", "-m1", "--nosync", "-L", "4M", "vg-main"]),
    );
    attempt(
        "mirror",
        "a mirror",
        &with(&[
            "mirror",
            "--type",
            "mirror",
            "-m1",
            "--nosync",
            "--mirrorlog",
            "core",
            "-L",
            "4M",
            "vg-main",
        ]),
    );
    attempt(
        "pool",
        "a pool of thin volumes",
        &with(&["pool", "--type", "thin-pool", "-Zn", "-L", "8M", "vg-main"]),
    );
    attempt(
        "thin",
        "a thin volume",
        &with(&["thin", "--type", "thin", "-V", "100M", "--thinpool", "pool", "vg-main"]),
    );
    attempt("snap", "a snapshot", &with(&["snap", "-s", "-L", "4M", "vg-main/plain"]));
    let division = divide(disk(&path)).unwrap();
    let mut found: Vec<_> = division
        .logical_volumes
        .iter()
        .map(|volume| (volume.name.as_str(), volume.source.as_ref().err().map(String::as_str)))
        .collect();
    found.sort();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_missing_physical_volume_leaves_the_others_readable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    let Some(lvm) = make_disk(&path) else { return };
    let (first, second) = (lvm.loops[0].0.clone(), lvm.loops[1].0.clone());
    lvm.create("here", &["-L", "4M", "vg-main", &first]);
    lvm.create("there", &["-L", "4M", "vg-main", &second]);
    drop(lvm);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&vec![0; 1 << 20], STARTS[1]).unwrap();
    let division = divide(disk(&path)).unwrap();
    assert!(volume(&division, "here").source.is_ok());
    assert_eq!(
        volume(&division, "there").source.as_ref().err().map(String::as_str),
        Some("a volume of which a physical volume is missing")
    );
    assert!(division.notes.iter().any(|note| note.contains("is not on this disk")), "{:?}", division.notes);
    // Damaged text on the one that is left: nothing can be said, and that is told.
    let mut area = vec![0; 1 << 20];
    disk(&path).read_exact_at(STARTS[0], &mut area).unwrap();
    let at = area.windows(9).rposition(|bytes| bytes == b"vg-main {").unwrap();
    for (place, _) in area.clone().windows(9).enumerate().filter(|(_, bytes)| *bytes == b"vg-main {") {
        file.write_all_at(b"v", STARTS[0] + place as u64).unwrap();
        file.write_all_at(b"X", STARTS[0] + place as u64 + 1).unwrap();
    }
    assert!(at > 0);
    let division = divide(disk(&path)).unwrap();
    assert!(division.logical_volumes.is_empty());
    assert!(
        division.notes.iter().any(|note| note.contains("checksum of its metadata")),
        "{:?}",
        division.notes
    );
    assert!(division.notes.iter().any(|note| note.contains("is in no group")), "{:?}", division.notes);
}

/// The first mebibyte of a disk that is one physical volume, made once by LVM2 (see `fixtures/README.md`).
fn fixture() -> Vec<u8> {
    let packed = include_bytes!("fixtures/lvm.zst");
    let mut bytes = zstd::decode_all(&packed[..]).unwrap();
    bytes.resize(32 << 20, 0);
    bytes
}

#[test]
fn a_stored_physical_volume_without_a_table_opens() {
    let mut bytes = fixture();
    bytes[(1 << 20)..(1 << 20) + 5].copy_from_slice(b"hello");
    let division = divide(Arc::new(bytes)).unwrap();
    assert_eq!(division.notes, Vec::<String>::new());
    let root = volume(&division, "root");
    assert_eq!((root.group.as_str(), root.bytes), ("stored", 12 << 20));
    let mut buffer = [0; 5];
    root.source.as_ref().unwrap().read_exact_at(0, &mut buffer).unwrap();
    assert_eq!(&buffer, b"hello");
    assert_eq!(volume(&division, "swap").content, Content::Empty);
}

#[test]
fn mutated_metadata_makes_notes_but_no_panic() {
    let good = fixture();
    let mut state = 7_u64;
    let mut next = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % limit).unwrap()
    };
    for _ in 0..200 {
        let mut bytes = good[..2 << 20].to_vec();
        for _ in 0..=next(4) {
            let base = [512, 4096, 4096 + 512 * next(12)][next(3)];
            let at = base + next(512);
            bytes[at] = u8::try_from(next(256)).unwrap();
        }
        bytes.truncate(1 + next(2 << 20).max(512));
        if let Ok(division) = divide(Arc::new(bytes)) {
            for source in division.logical_volumes.iter().filter_map(|volume| volume.source.as_ref().ok()) {
                let _ = source.read_exact_at(0, &mut [0; 512]);
            }
        }
    }
}
