//! Which security problems an update mends, as the changelogs of the new packages name them.

use std::path::Path;

use amint_archive::Client;
use amint_debian::changelog::cves_between;
use amint_debian::deb::{PackageChangelog, read_changelog};
use amint_debian::version::Version;
use amint_recipe::RecipeFile;
use amint_recipe::lock::{Lock, LockDiff};
use amint_types::{Cancel, EventSink, StepOutcome, Unit};

use crate::error::BuildError;
use crate::locking::package_files;
use crate::mirror::Mirrors;

/// Deepest chain of links from one package's documentation to another's.
const LINK_COUNT_MAX: usize = 4;

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
                PackageChangelog::Found(found) => {
                    ids = Some(found);
                    break;
                }
                PackageChangelog::In(other) => name = other,
                PackageChangelog::Missing => break,
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

fn read(file: &Path, package: &str, newer_than: &str) -> PackageChangelog<Vec<String>> {
    let compare = |left: &str, right: &str| match (left.parse::<Version>(), right.parse::<Version>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => left.cmp(right),
    };
    read_changelog(file, package, |text| cves_between(text, Some(newer_than), compare))
        .unwrap_or(PackageChangelog::Missing)
}
