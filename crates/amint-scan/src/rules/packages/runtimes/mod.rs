//! EOL-002: the authors still support every runtime, database and server.

mod files;
mod named;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;
use amint_types::scan::{PackageKind, ScannedPackage};

use super::clean::is_package_name;
use crate::facts::packages::{Installed, installed, upstream_version};
use crate::rule::finding;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// The authors still support every runtime, database and server.
pub(in crate::rules) struct SupportedRuntimes;

static META: RuleMeta = RuleMeta {
    id: "EOL-002",
    title: "runtimes, databases and servers are supported by their authors",
    requirements: &["A2", "A7", "MP-G2"],
    rationale: "A language, a database or a server whose authors stopped mending it runs what faces the network, and \
                its holes stay open for ever.",
    remedy: "Install a version that is supported, best from the distribution, which mends it as long as it lives.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

/// Marks in versions of packages that others build, some under the name of Debian's teams.
const FOREIGN_MARKS: [&str; 7] = ["nodesource", "pgdg", "gbp", "sury", "ppa", "+maria", "remi"];

/// Vendors of Red Hat's packages and of those that follow them.
const RED_HAT_AND_LIKE: [&str; 6] = ["red hat", "almalinux", "rocky", "centos", "amazon", "oracle america"];

/// A runtime that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Runtime {
    product: &'static str,
    version: String,
    /// What tells of it: a package, or a file.
    name: String,
    path: String,
    /// Who mends it beside its authors.
    mended_by: MendedBy,
}

/// Who mends a runtime beside its authors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MendedBy {
    /// Nobody does.
    Nobody,
    /// Its distribution, as long as that lives.
    Distribution,
    /// Red Hat, Amazon or a rebuild: as long as the distribution lives, but for streams that end before.
    RedHatAndLike,
}

impl Rule for SupportedRuntimes {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let installed = installed(cx)?;
        let mut runtimes = of_packages(&installed);
        runtimes.extend(files::find(cx, &installed)?);
        // Parts of one product are one finding.
        let mut findings: BTreeMap<(&'static str, String, bool), Finding> = BTreeMap::new();
        for runtime in runtimes {
            let Some(support) = table::find(runtime.product, &runtime.version) else { continue };
            if support.ends >= cx.request().today {
                continue;
            }
            let Some(severity) = weigh(&runtime, support.version) else { continue };
            let message = format!(
                "{} {} ({}) is supported no more since {}, see {}",
                runtime.product, support.version, runtime.name, support.ends, support.source
            );
            let mut found = finding(message, Path::new(&runtime.path));
            found.severity = Some(severity);
            let is_package = installed.find(&runtime.name).is_some();
            findings.entry((runtime.product, support.version.to_owned(), is_package)).or_insert(found);
        }
        Ok(findings.into_values().collect::<Vec<_>>().into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let name = finding.message.split(['(', ')']).nth(1)?;
        Some(if name.starts_with('/') {
            RecipeChange::RemovePath(name.to_owned())
        } else {
            RecipeChange::RemovePackage(Some(name).filter(|name| is_package_name(name))?.to_owned())
        })
    }
}

/// Returns how bad it is that the authors support a runtime no more; none where its distribution still mends it.
fn weigh(runtime: &Runtime, version: &str) -> Option<Severity> {
    match (runtime.mended_by, runtime.product, version) {
        // Red Hat's streams of Node.js, and those of who follows it, end with the authors' support
        // (https://access.redhat.com/support/policy/updates/rhel-app-streams-life-cycle).
        (MendedBy::Nobody, ..) | (MendedBy::RedHatAndLike, "nodejs", _) => Some(Severity::High),
        // No distribution has fixes for Python 2 of its own any more.
        (_, "python", "2") => Some(Severity::Medium),
        _ => None,
    }
}

fn of_packages(installed: &Installed) -> Vec<Runtime> {
    let base =
        ["filesystem", "glibc", "bash", "rpm"].iter().find_map(|name| installed.find(name)?.vendor.clone());
    let packages = installed.packages().iter();
    packages
        .filter_map(|package| {
            let (product, version) = named::product(&package.name)?;
            Some(Runtime {
                product,
                version: version.unwrap_or_else(|| upstream_version(&package.version).to_owned()),
                name: package.name.clone(),
                path: package.path.clone(),
                mended_by: mended_by(package, base.as_deref()),
            })
        })
        .collect()
}

/// Tells who mends a package: where nothing says whose it is, it is held to be the distribution's own.
fn mended_by(package: &ScannedPackage, base_vendor: Option<&str>) -> MendedBy {
    let vendor = package.vendor.as_deref().unwrap_or_default().to_ascii_lowercase();
    let is_named = |names: &[&str]| names.iter().any(|name| vendor.contains(name));
    if FOREIGN_MARKS.iter().any(|mark| package.version.contains(mark)) {
        return MendedBy::Nobody;
    }
    match package.kind {
        PackageKind::Deb if has_debian_mark(&package.version) => MendedBy::Distribution,
        PackageKind::Deb if vendor.is_empty() || is_named(&["debian", "ubuntu", "canonical"]) => {
            MendedBy::Distribution
        }
        PackageKind::Rpm if is_named(&RED_HAT_AND_LIKE) => MendedBy::RedHatAndLike,
        PackageKind::Rpm if base_vendor.is_none_or(|base| package.vendor.as_deref() == Some(base)) => {
            MendedBy::Distribution
        }
        PackageKind::Deb | PackageKind::Rpm => MendedBy::Nobody,
        _ => MendedBy::Distribution,
    }
}

/// Tells whether a version has the mark of a release's own updates: `+deb12u3`, `0ubuntu0.24.04.1`.
fn has_debian_mark(version: &str) -> bool {
    let mut rests = version.split("deb").skip(1);
    let is_update = rests.any(|rest| {
        let behind = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        behind.len() < rest.len() && behind.starts_with('u')
    });
    is_update || version.contains("ubuntu")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn debian(name: &str, version: &str, maintainer: &str) -> Fixture {
        let paragraph = format!(
            "Package: {name}\nStatus: install ok installed\nVersion: {version}\nMaintainer: {maintainer}\n"
        );
        Fixture::new().file("/var/lib/dpkg/status", &paragraph)
    }

    #[test]
    fn a_runtime_of_others_is_held_to_the_days_of_its_authors() {
        let found = debian("nodejs", "16.20.2-1nodesource1", "Someone <x@example.org>").findings("EOL-002");
        assert!(found[0].contains("nodejs 16 (nodejs) is supported no more since 2023-09-11"), "{found:?}");
        let found =
            debian("postgresql-12", "12.20-1.pgdg120+1", "Debian PostgreSQL <team@tracker.debian.example>");
        assert_eq!(found.findings("EOL-002").len(), 1);
        assert!(debian("nodejs", "22.11.0-1nodesource1", "Someone <x@example.org>").is_pass("EOL-002"));
        assert!(debian("redis-server", "5.0-1", "Someone <x@example.org>").is_pass("EOL-002"));
    }

    #[test]
    fn what_a_distribution_ships_is_its_own_to_mend_but_for_python_2() {
        assert!(
            debian("nodejs", "18.19.0+dfsg-6~deb12u2", "Debian JS <x@lists.debian.example>")
                .is_pass("EOL-002")
        );
        assert!(
            debian("openssl", "3.0.17-1~deb12u2", "Debian OpenSSL <x@debian.example>").is_pass("EOL-002")
        );
        assert!(debian("nginx", "1.22.1-9+deb12u3", "Someone <x@example.org>").is_pass("EOL-002"));
        assert_eq!(
            debian("nginx", "1.22.1-1~bookworm", "Someone <x@example.org>").findings("EOL-002").len(),
            1
        );
        let python = debian("python2.7", "2.7.18-8", "Debian <x@debian.example>");
        let Verdict::Fail(found) = python.check("EOL-002") else { panic!("must fail") };
        assert_eq!(found[0].severity, Some(Severity::Medium));
    }

    #[test]
    fn parts_of_one_product_are_one_finding() {
        let part = |name: &str| {
            format!(
                "Package: {name}\nStatus: install ok installed\nVersion: 7.4.33-1+0~2023.80+debian12~1.gbp5\n\n"
            )
        };
        let status = ["php7.4-cli", "php7.4-fpm", "php7.4-common"].map(part).concat();
        assert_eq!(Fixture::new().file("/var/lib/dpkg/status", &status).findings("EOL-002").len(), 1);
    }
}
