//! Which security problems an update mends, as the changelogs of the new packages name them.

use std::io::{BufReader, Read};
use std::path::Path;

use amint_archive::Client;
use amint_debian::changelog::cves_between;
use amint_debian::deb::Deb;
use amint_debian::version::Version;
use amint_recipe::RecipeFile;
use amint_recipe::lock::{Lock, LockDiff};
use amint_types::{Cancel, EventSink, StepOutcome, Unit};

use crate::error::BuildError;
use crate::locking::package_files;
use crate::mirror::Mirrors;

/// Deepest chain of links from one package's documentation to another's.
const LINK_COUNT_MAX: usize = 4;

/// What a package has as its changelog.
enum Changelog {
    Found(Vec<String>),
    /// Its documentation is that of another package.
    In(String),
    Missing,
}

/// Fetches the new packages and notes the CVE ids that their changelogs name since the old version.
pub fn name_cves(
    changes: &mut LockDiff,
    recipe: &RecipeFile,
    lock: &Lock,
    client: &Client,
    mirrors: &Mirrors,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<(), BuildError> {
    let started = std::time::Instant::now();
    sink.step_started("changelogs", "Reading changelogs", None, Unit::Bytes);
    let files = package_files(recipe, lock, mirrors)?;
    let fetch = |name: &str| -> Result<Option<std::path::PathBuf>, BuildError> {
        let Some(index) = lock.packages.iter().position(|package| package.name == name) else {
            return Ok(None);
        };
        Ok(client.packages(&files[index..=index], "changelogs", sink, cancel)?.pop())
    };
    let mut unread = 0;
    for upgrade in &mut changes.upgraded {
        let mut name = upgrade.name.clone();
        let mut ids = None;
        for _ in 0..LINK_COUNT_MAX {
            let Some(file) = fetch(&name)? else { break };
            match read(&file, &name, &upgrade.source_from) {
                Changelog::Found(found) => {
                    ids = Some(found);
                    break;
                }
                Changelog::In(other) => name = other,
                Changelog::Missing => break,
            }
        }
        unread += usize::from(ids.is_none());
        upgrade.cves = ids.unwrap_or_default();
    }
    if unread > 0 {
        sink.warn(
            &format!("the changelogs of {unread} packages could not be read: their CVE ids are not known"),
            None,
        );
    }
    let detail = Some(format!("{} packages", changes.upgraded.len()));
    sink.step_finished("changelogs", StepOutcome::Done, started.elapsed(), detail);
    Ok(())
}

fn read(file: &Path, package: &str, newer_than: &str) -> Changelog {
    let find = || -> std::io::Result<Changelog> {
        let deb = Deb::open(file).map_err(std::io::Error::other)?;
        let mut archive = deb.data().map_err(std::io::Error::other)?;
        let folder = format!("./usr/share/doc/{package}");
        let names = ["changelog.Debian.gz", "changelog.gz"].map(|name| format!("{folder}/{name}"));
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if path == folder && entry.header().entry_type().is_symlink() {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                let target = String::from_utf8_lossy(&target).into_owned();
                return Ok(target
                    .rsplit('/')
                    .next()
                    .map_or(Changelog::Missing, |name| Changelog::In(name.to_owned())));
            }
            if !names.contains(&path) {
                continue;
            }
            if entry.header().entry_type().is_symlink() {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                let target = String::from_utf8_lossy(&target).into_owned();
                let other = target.rsplit('/').nth(1).filter(|name| !name.is_empty() && *name != "..");
                return Ok(other.map_or(Changelog::Missing, |name| Changelog::In(name.to_owned())));
            }
            let text = flate2::read::MultiGzDecoder::new(entry.by_ref());
            let compare = |left: &str, right: &str| match (left.parse::<Version>(), right.parse::<Version>())
            {
                (Ok(left), Ok(right)) => left.cmp(&right),
                _ => left.cmp(right),
            };
            return cves_between(BufReader::new(text), Some(newer_than), compare).map(Changelog::Found);
        }
        Ok(Changelog::Missing)
    };
    find().unwrap_or(Changelog::Missing)
}
