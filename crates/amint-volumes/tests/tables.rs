//! Partition tables against `sfdisk`, and damage done to them.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

mod common;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use amint_types::ReadAt;
use amint_volumes::{Content, Division, Table, VolumeError, divide};
use common::{Loop, command, disk, has_tool, run, sparse};
use serde_json::Value;

const MIB: u64 = 1 << 20;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn index(&mut self, limit: u64) -> usize {
        usize::try_from(self.below(limit)).unwrap()
    }
}

fn sfdisk(path: &Path, arguments: &[&str], script: &str) {
    let mut child = command("sfdisk")
        .args(["-q", "--no-reread", "--no-tell-kernel"])
        .args(arguments)
        .arg(path)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Compares the partitions with what `sfdisk` lists.
fn assert_same(division: &Division, path: &Path) {
    let json: Value = serde_json::from_str(&run(command("sfdisk").arg("--json").arg(path))).unwrap();
    let table = &json["partitiontable"];
    let sector_bytes = table["sectorsize"].as_u64().unwrap();
    let is_mbr = table["label"] == "dos";
    assert_eq!(division.table, if is_mbr { Table::Mbr } else { Table::Gpt });
    assert_eq!(division.sector_bytes, sector_bytes);
    let node = table["device"].as_str().unwrap();
    let mut expected: Vec<_> = table["partitions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter(|part| !is_mbr || !["5", "f", "85"].contains(&part["type"].as_str().unwrap()))
        .map(|part| {
            let number = part["node"].as_str().unwrap().strip_prefix(node).unwrap().trim_start_matches('p');
            let number: u32 = number.parse().unwrap();
            let uuid = if is_mbr {
                let id = table["id"].as_str().unwrap().trim_start_matches("0x");
                format!("{id:0>8}-{number:02x}")
            } else {
                part["uuid"].as_str().unwrap().to_lowercase()
            };
            (
                Some(number),
                part["name"].as_str().unwrap_or_default().to_owned(),
                format!("{:0>2}", part["type"].as_str().unwrap().to_lowercase()),
                uuid,
                part["start"].as_u64().unwrap() * sector_bytes,
                part["size"].as_u64().unwrap() * sector_bytes,
            )
        })
        .collect();
    expected.sort();
    let found: Vec<_> = division
        .parts
        .iter()
        .map(|part| {
            let (name, type_id, uuid) = (part.name.clone(), part.type_id.clone(), part.uuid.clone());
            (part.number, name, type_id, uuid, part.start_bytes, part.bytes)
        })
        .collect();
    assert_eq!(found, expected);
}

/// Checks that parts and gaps together cover the disk once.
fn assert_covers(division: &Division, disk_bytes: u64) {
    let mut ranges = division.gaps.clone();
    ranges.extend(division.parts.iter().map(|part| part.start_bytes..part.start_bytes + part.bytes));
    ranges.sort_by_key(|range| range.start);
    let mut end = 0;
    for range in ranges {
        assert_eq!(range.start, end);
        end = range.end;
    }
    assert_eq!(end, disk_bytes);
}

#[test]
fn gpt_layouts_are_read_as_sfdisk_reads_them() {
    if !has_tool("sfdisk") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    let mut dice = Dice(1);
    for round in 0..30 {
        let disk_bytes = (64 + dice.below(64)) * MIB + 512 * dice.below(9);
        sparse(&path, disk_bytes);
        let mut lines = vec!["label: gpt".to_owned()];
        if round % 5 == 4 {
            lines.push("table-length: 16".to_owned());
        }
        let mut slot = 0;
        for _ in 0..dice.below(9) {
            slot += 1 + dice.below(4) / 3;
            let kind = ["L", "U", "S", "21686148-6449-6E6F-744E-656564454649"][dice.index(4)];
            let name = ["", "root", "größe 根", "EFI System"][dice.index(4)];
            let kib = 4 + dice.below(4000);
            lines.push(format!("{slot}: size={kib}K, type={kind}, name=\"{name}\""));
        }
        let script = lines.join("\n");
        sfdisk(&path, &[], &script);
        let division = divide(disk(&path)).unwrap();
        assert_eq!(division.notes, Vec::<String>::new(), "{script}");
        assert_same(&division, &path);
        assert_covers(&division, disk_bytes);
    }
}

#[test]
fn mbr_layouts_with_logical_partitions_are_read_as_sfdisk_reads_them() {
    if !has_tool("sfdisk") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    let mut dice = Dice(2);
    for _ in 0..25 {
        let disk_bytes = 128 * MIB + 512 * dice.below(5);
        sparse(&path, disk_bytes);
        let mut lines = vec!["label: dos".to_owned()];
        for _ in 0..3 {
            let kind = ["83", "82", "c", "41", "8e"][dice.index(5)];
            lines.push(format!("size={}K, type={kind}", 64 + dice.below(8000)));
        }
        let logical = dice.below(9);
        if logical > 0 {
            lines.push(format!("type={}", ["5", "f"][dice.index(2)]));
        }
        for _ in 0..logical {
            lines.push(format!("size={}K", 64 + dice.below(6000)));
        }
        let script = lines.join("\n");
        sfdisk(&path, &[], &script);
        if logical > 2 {
            let gone = (5 + dice.below(logical)).to_string();
            run(command("sfdisk")
                .args(["-q", "--no-reread", "--no-tell-kernel", "--delete"])
                .arg(&path)
                .arg(gone));
        }
        run(command("sfdisk")
            .args(["-q", "--no-reread", "--no-tell-kernel", "--delete"])
            .arg(&path)
            .arg((1 + dice.below(3)).to_string()));
        let division = divide(disk(&path)).unwrap();
        assert_eq!(division.notes, Vec::<String>::new(), "{script}");
        assert_same(&division, &path);
        assert_covers(&division, disk_bytes);
    }
}

#[test]
fn tables_in_sectors_of_4096_bytes_are_read() {
    if !has_tool("sfdisk") || !has_tool("losetup") || !has_tool("mkfs.ext4") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    for script in [
        "label: gpt\nsize=4M\nsize=8M, name=x\n",
        "label: dos\nsize=4M\nsize=4M\nsize=4M\ntype=5\nsize=4M\nsize=4M\n",
    ] {
        sparse(&path, 64 * MIB);
        let Some(device) = Loop::new(&path, &["-b".to_owned(), "4096".to_owned()]) else { return };
        sfdisk(Path::new(&device.0), &[], script);
        let image = folder.path().join("fs");
        sparse(&image, 4 * MIB);
        run(command("mkfs.ext4").args(["-q", "-F"]).arg(&image));
        let (from, to) = (format!("if={}", image.display()), format!("of={}", device.0));
        run(command("dd").args([&from, &to, "bs=1M", "seek=1", "conv=notrunc,fsync", "status=none"]));
        assert_same(&divide(disk(&path)).unwrap(), Path::new(&device.0));
        assert_eq!(divide(disk(&path)).unwrap().parts[0].content, Content::Ext);
    }
}

/// A disk of 16 MiB with a GPT of two partitions, in memory.
fn small_gpt() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    sparse(&path, 16 * MIB);
    sfdisk(&path, &[], "label: gpt\nsize=2M, name=one\nsize=4M, name=two\n");
    std::fs::read(&path).unwrap()
}

fn divide_bytes(bytes: Vec<u8>) -> Result<Division, VolumeError> {
    divide(Arc::new(bytes))
}

fn flip(bytes: &mut [u8], at: usize) {
    bytes[at] ^= 0x40;
}

#[test]
fn a_damaged_gpt_is_replaced_by_its_backup_and_both_damaged_are_an_error() {
    if !has_tool("sfdisk") {
        return;
    }
    let good = small_gpt();
    let end = good.len();
    let names = |division: &Division| division.parts.iter().map(|part| part.name.clone()).collect::<Vec<_>>();
    for at in [512 + 40, 1024 + 60, 512] {
        let mut bytes = good.clone();
        flip(&mut bytes, at);
        let division = divide_bytes(bytes.clone()).unwrap();
        assert_eq!(names(&division), ["one", "two"]);
        assert!(division.notes[0].contains("its backup at the end was used"), "{:?}", division.notes);
        flip(&mut bytes, end - 512 + 50);
        assert!(matches!(divide_bytes(bytes), Err(VolumeError::DamagedTable { .. })));
    }
    let mut bytes = good.clone();
    flip(&mut bytes, end - 512 + 50);
    let division = divide_bytes(bytes).unwrap();
    assert_eq!(names(&division), ["one", "two"]);
    assert!(
        division.notes[0].starts_with("the backup of the partition table is damaged"),
        "{:?}",
        division.notes
    );
    let mut grown = good.clone();
    grown.resize(end + 4096, 0);
    assert_eq!(
        divide_bytes(grown).unwrap().notes,
        ["the backup of the partition table is not at the end of the disk"]
    );
    let mut cut = good;
    cut.truncate(end - 512);
    assert_eq!(divide_bytes(cut).unwrap().notes, ["the partition table has no backup"]);
}

#[test]
fn a_missing_guard_and_a_hybrid_table_are_noted() {
    if !has_tool("sfdisk") {
        return;
    }
    let good = small_gpt();
    let mut bare = good.clone();
    bare[..512].fill(0);
    let division = divide_bytes(bare).unwrap();
    assert_eq!((division.table, division.parts.len()), (Table::Gpt, 2));
    assert_eq!(division.notes, ["the MBR that guards the GPT is missing"]);
    let mut hybrid = good.clone();
    hybrid[462..478].copy_from_slice(&[0, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 16, 0, 0]);
    let division = divide_bytes(hybrid).unwrap();
    assert_eq!((division.table, division.parts.len()), (Table::Gpt, 2));
    assert!(division.notes[0].contains("hybrid"));
    // A plain table wins over the remains of a GPT, as the kernel decides.
    let mut plain = good;
    plain[446..462].copy_from_slice(&[0x80, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 16, 0, 0]);
    let division = divide_bytes(plain).unwrap();
    assert_eq!((division.table, division.parts.len()), (Table::Mbr, 1));
    assert!(division.notes[0].contains("older GPT"));
}

#[test]
fn overlapping_and_outlying_partitions_are_noted() {
    let mut bytes = vec![0; 1 << 20];
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    let mut entry = |slot: usize, start: u32, count: u32| {
        let at = 446 + 16 * slot;
        bytes[at + 4] = 0x83;
        bytes[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
        bytes[at + 12..at + 16].copy_from_slice(&count.to_le_bytes());
    };
    entry(0, 100, 1000);
    entry(1, 200, 10);
    entry(2, 900, 5000);
    let division = divide_bytes(bytes).unwrap();
    assert_eq!(
        division.notes[..3],
        [
            "partitions 1 and 2 overlap",
            "partitions 1 and 3 overlap",
            "partition 3 ends behind the end of the disk"
        ]
    );
    assert_eq!(division.gaps, std::iter::once(0..100 * 512).collect::<Vec<_>>());
    let mut buffer = [0; 512];
    assert!(division.parts[2].source.read_exact_at(4000 * 512, &mut buffer).is_err());
}

#[test]
fn a_chain_of_logical_partitions_that_is_a_circle_ends() {
    let mut bytes = vec![0; 1 << 20];
    let mut entry = |sector: usize, slot: usize, kind: u8, start: u32| {
        let at = sector * 512;
        bytes[at + 510..at + 512].copy_from_slice(&[0x55, 0xaa]);
        let at = at + 446 + 16 * slot;
        bytes[at + 4] = kind;
        bytes[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
        bytes[at + 12..at + 16].copy_from_slice(&8_u32.to_le_bytes());
    };
    entry(0, 0, 5, 100);
    entry(100, 0, 0x83, 1);
    entry(100, 1, 5, 50);
    entry(150, 0, 0x83, 1);
    entry(150, 1, 5, 50);
    let division = divide_bytes(bytes).unwrap();
    assert_eq!(division.parts.iter().map(|part| part.number.unwrap()).collect::<Vec<_>>(), [5, 6]);
    assert!(division.notes[0].contains("circle"));
}

#[test]
fn a_boot_sector_of_a_file_system_is_no_partition_table() {
    if !has_tool("mkfs.vfat") || !has_tool("mkfs.ext4") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    for (tool, arguments, content) in [
        ("mkfs.vfat", &["--mbr=y"][..], Content::Fat),
        ("mkfs.vfat", &["--mbr=n"], Content::Fat),
        ("mkfs.ext4", &["-q", "-F"], Content::Ext),
    ] {
        sparse(&path, 64 * MIB);
        run(command(tool).args(arguments).arg(&path));
        let division = divide(disk(&path)).unwrap();
        assert_eq!(
            (division.table, division.parts.len(), division.gaps.len()),
            (Table::None, 1, 0),
            "{tool} {arguments:?}"
        );
        assert_eq!(division.parts[0].content, content);
        assert_eq!(division.parts[0].number, None);
    }
}

#[test]
fn mutated_tables_make_errors_or_parts_but_no_panic() {
    if !has_tool("sfdisk") {
        return;
    }
    let good = small_gpt();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    sparse(&path, 8 * MIB);
    sfdisk(&path, &[], "label: dos\nsize=1M\nsize=1M\nsize=1M\ntype=5\nsize=1M\nsize=1M\n");
    let dos = std::fs::read(&path).unwrap();
    let mut dice = Dice(3);
    for round in 0..300 {
        let mut bytes = if round % 2 == 0 { good.clone() } else { dos.clone() };
        let base = [0, 512, 1024, bytes.len() - 512, bytes.len() - 33 * 512, 4 << 20][dice.index(6)];
        for _ in 0..=dice.below(6) {
            let at = base + dice.index(512);
            bytes[at] = u8::try_from(dice.below(256)).unwrap();
        }
        if dice.below(4) == 0 {
            bytes.truncate(dice.index(9 << 20));
        }
        if let Ok(division) = divide_bytes(bytes) {
            for part in &division.parts {
                let mut buffer = [0; 512];
                let _ = part.source.read_exact_at(0, &mut buffer);
            }
        }
    }
}
