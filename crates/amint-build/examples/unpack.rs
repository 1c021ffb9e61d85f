//! Unpacks package files into a folder: `unpack TREE FILE.deb…`, and tells how long it took.

use std::path::{Path, PathBuf};
use std::time::Instant;

use amint_build::install::{PackageToInstall, unpack};
use amint_debian::deb::Deb;
use amint_types::{Cancel, Digest, NullSink};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let tree = arguments.next().ok_or("give a folder and package files")?;
    let packages = arguments.map(|file| describe(&file)).collect::<Result<Vec<_>, _>>()?;
    let started = Instant::now();
    unpack(&packages, &tree, "unpack", &NullSink, &Cancel::new())?;
    println!("{} packages in {:.2} s", packages.len(), started.elapsed().as_secs_f64());
    Ok(())
}

fn describe(file: &Path) -> Result<PackageToInstall, Box<dyn std::error::Error>> {
    let content = std::fs::read(file)?;
    let deb = Deb::open(file)?;
    let field = |name: &str| deb.control().get(name).unwrap_or_default().to_owned();
    Ok(PackageToInstall {
        name: field("Package"),
        version: field("Version"),
        architecture: field("Architecture"),
        bytes: u64::try_from(content.len())?,
        sha256: Digest::of(&content),
        file: file.to_owned(),
    })
}
