use std::path::{Path, PathBuf};

use amint_disk::tree::FileKind;
use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// No downloads of the package manager.
pub(in crate::rules) struct PackageCaches;

static META: RuleMeta = RuleMeta {
    id: "SEC-016",
    title: "the package manager's caches are empty",
    requirements: &["A12", "B6"],
    rationale: "Cached packages and lists are dead weight on every instance, age from the first day, and tell where the \
                builder got them.",
    remedy: "Run `apt-get clean` and remove /var/lib/apt/lists/*, or `dnf clean all`.",
    severities: Severities::public(Severity::Low, Some(Severity::Low)),
};

/// Folders whose files are caches.
const FOLDERS: [&str; 13] = [
    "/etc/apk/cache",
    "/var/cache/apk",
    "/var/cache/apt",
    "/var/cache/apt/archives",
    "/var/cache/apt/archives/partial",
    "/var/cache/dnf",
    "/var/cache/libdnf5",
    "/var/cache/yum",
    "/var/cache/zypp/packages",
    "/var/cache/zypp/raw",
    "/var/cache/zypp/solv",
    "/var/lib/apt/lists",
    "/var/lib/apt/lists/partial",
];

impl Rule for PackageCaches {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let found = caches(cx)?;
        Ok(found.iter().map(|(path, _)| finding("a cached download", path)).collect::<Vec<_>>().into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            for (path, is_folder) in caches(&cx.look())? {
                if is_folder { cx.remove_tree(&path)? } else { cx.remove(&path)? }
            }
            Ok(())
        })
    }
}

fn caches(cx: &Context<'_>) -> Result<Vec<(PathBuf, bool)>, CheckError> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        for entry in cx.list(folder)? {
            let path = Path::new(folder).join(&entry.name);
            let is_folder = entry.kind == FileKind::Directory;
            // apt needs its own folders and their locks, and keeps nothing else.
            let is_apts_own =
                matches!(entry.name.to_str(), Some("lock" | "partial" | "archives" | "auxfiles"));
            if !is_apts_own {
                found.push((path, is_folder));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn downloads_go_and_apts_folders_and_locks_stay() {
        let fixture = Fixture::new()
            .file("/var/cache/apt/archives/a_1_amd64.deb", "x")
            .file("/var/cache/apt/archives/partial/b.deb", "x")
            .file("/var/cache/apt/archives/lock", "")
            .file("/var/cache/apt/pkgcache.bin", "x")
            .file("/var/lib/apt/lists/mirror.example_dists_trixie_InRelease", "x")
            .file("/var/cache/dnf/amazonlinux/repodata/x", "x");
        assert_eq!(fixture.paths("SEC-016").len(), 5);
        fixture.harden_twice();
        assert!(fixture.is_pass("SEC-016") && fixture.has("/var/cache/apt/archives/partial"));
        assert!(fixture.has("/var/cache/apt/archives/lock") && fixture.has("/var/cache/dnf"));
    }
}
