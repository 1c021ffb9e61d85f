//! Installs package files into an empty folder: `install TREE FILE.deb…`, and tells how long it took.
//!
//! Needs root and a private mount namespace: `unshare --mount install …`.

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use amint_build::CommandError;
use amint_build::install::{InstallError, InstallOptions, PackageToInstall, install};
use amint_debian::deb::Deb;
use amint_types::{Cancel, Digest, NullSink};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let tree = arguments.next().ok_or("give a folder and package files")?;
    let packages = arguments.map(|file| describe(&file)).collect::<Result<Vec<_>, _>>()?;
    let started = Instant::now();
    let work = tempfile::tempdir()?;
    let options = InstallOptions { is_base: true, work: work.path(), source_epoch: 1_754_697_600 };
    let installed = install(&packages, &tree, options, "install", &NullSink, &Cancel::new());
    println!("{} packages in {:.2} s", packages.len(), started.elapsed().as_secs_f64());
    let installed = match installed {
        Err(InstallError::Configure(CommandError::Failed { tail, .. })) => {
            return Err(tail.join("\n").into());
        }
        other => other?,
    };
    for (name, time) in installed.configured.iter().take(15) {
        println!("  {:6.2} s  {name}", time.as_secs_f64());
    }
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
