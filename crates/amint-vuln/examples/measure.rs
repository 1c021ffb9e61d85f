//! Measures building a database of a folder of compact data, and matching the packages of this host.
//!
//! `cargo run --release -p amint-vuln --example measure -- FOLDER`

#![expect(clippy::print_stdout, reason = "it is a program that tells figures")]

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use amint_types::scan::{OperatingSystem, PackageKind, ScannedPackage, SupportState};
use amint_vuln::{Builder, Database, ImporterKind, Input, MatchContext, Matcher, Trust};
use jiff::Timestamp;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("tell the folder of the data")?);
    let target = std::env::temp_dir().join(format!("amint-measure-{}", std::process::id()));
    let started = Instant::now();
    let mut builder = Builder::new();
    let mut files: Vec<_> = std::fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        let kind = match name.as_str() {
            "cisa_kev.json.zst" => ImporterKind::Kev,
            "debian_tracker.json" => ImporterKind::DebianTracker,
            "all.zip" => ImporterKind::Osv,
            "endoflife.jsonl.zst" | "cis_controls.jsonl.zst" => continue,
            name if name.ends_with(".jsonl.zst") => ImporterKind::Compact,
            _ => continue,
        };
        let began = Instant::now();
        let counts = builder.add(&name, Timestamp::UNIX_EPOCH, &kind, Input::File(file.path()))?;
        println!("{name}: {counts:?} in {:?}", began.elapsed());
    }
    println!("imported in {:?}", started.elapsed());
    let began = Instant::now();
    builder.write(&mut std::fs::File::create(&target)?, None)?;
    let bytes = std::fs::metadata(&target)?.len();
    println!("written in {:?}: {bytes} bytes", began.elapsed());
    let packages = host()?;
    let began = Instant::now();
    let database = Database::open(&target, Trust::Anyone)?;
    println!("opened in {:?}", began.elapsed());
    let report =
        Matcher::open(&database).match_packages(Some(&system()), &packages, &MatchContext::default())?;
    println!(
        "{} packages matched with {} findings after {:?}",
        packages.len(),
        report.findings.len(),
        began.elapsed()
    );
    println!("{:?}", report.counts);
    let began = Instant::now();
    database.verify()?;
    println!("all pages checked in {:?}", began.elapsed());
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    Ok(std::fs::remove_file(&target)?)
}

fn host() -> Result<Vec<ScannedPackage>, Box<dyn std::error::Error>> {
    let format = "${Package}\t${Version}\t${source:Package}\t${source:Version}\n";
    let output = Command::new("dpkg-query").args(["-W", "-f", format]).output()?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text
        .lines()
        .filter_map(|line| {
            let mut columns = line.split('\t').map(str::to_owned);
            let (name, version) = (columns.next()?, columns.next()?);
            Some(ScannedPackage {
                kind: PackageKind::Deb,
                purl: format!("pkg:deb/debian/{name}@{version}"),
                name,
                version,
                architecture: None,
                source: columns.next(),
                source_version: columns.next(),
                module: None,
                vendor: None,
                repository: None,
                licenses: Vec::new(),
                path: "/var/lib/dpkg/status".to_owned(),
                owner: None,
                has_code: None,
            })
        })
        .collect())
}

fn system() -> OperatingSystem {
    OperatingSystem {
        id: "debian".to_owned(),
        version_id: Some("12".to_owned()),
        codename: Some("bookworm".to_owned()),
        name: "Debian 12".to_owned(),
        like: Vec::new(),
        architecture: None,
        support: SupportState::Limited,
        support_ends: None,
        long_term_support_ends: None,
    }
}
