//! Tiny trees for tests.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use amint_disk::tree::DirTree;
use amint_types::NullSink;
use amint_types::report::{AppliedFix, ScanReport};
use jiff::civil::date;
use tempfile::TempDir;

use crate::{Context, Profile, ScanRequest, Verdict, harden, rules, scan};

/// A request for all public profiles.
pub(crate) fn request() -> ScanRequest {
    ScanRequest {
        profiles: vec![Profile::Marketplace, Profile::SharedLinux, Profile::Hardened],
        waivers: Vec::new(),
        today: date(2026, 11, 23),
        user: "ec2-user".to_owned(),
        ports: Vec::new(),
        rights: Vec::new(),
    }
}

/// A tree in a temporary folder, and the request to judge it by.
pub(crate) struct Fixture {
    dir: TempDir,
    pub(crate) request: ScanRequest,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir, request: request() }
    }

    /// A tree with an ssh server whose main file has this content.
    pub(crate) fn with_sshd(config: &str) -> Self {
        Self::new().file("/usr/sbin/sshd", "").file("/etc/ssh/sshd_config", config)
    }

    pub(crate) fn host(&self, path: &str) -> PathBuf {
        self.dir.path().join(path.trim_start_matches('/'))
    }

    pub(crate) fn dir(self, path: &str) -> Self {
        fs::create_dir_all(self.host(path)).unwrap();
        self
    }

    pub(crate) fn file(self, path: &str, content: &str) -> Self {
        fs::create_dir_all(self.host(path).parent().unwrap()).unwrap();
        fs::write(self.host(path), content).unwrap();
        self
    }

    pub(crate) fn mode(self, path: &str, mode: u32) -> Self {
        fs::set_permissions(self.host(path), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    pub(crate) fn link(self, target: &str, path: &str) -> Self {
        fs::create_dir_all(self.host(path).parent().unwrap()).unwrap();
        symlink(target, self.host(path)).unwrap();
        self
    }

    /// Adds a unit that starts with the system.
    pub(crate) fn started(self, unit: &str) -> Self {
        let path = format!("/usr/lib/systemd/system/{unit}");
        self.file("/usr/lib/systemd/systemd", "")
            .file("/usr/lib/systemd/system/sysinit.target", "[Unit]\n")
            .file(&path, "[Service]\nExecStart=/x\n")
            .link(&path, &format!("/etc/systemd/system/sysinit.target.wants/{unit}"))
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.host(path)).unwrap()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.host(path)).is_ok()
    }

    pub(crate) fn tree(&self) -> DirTree {
        DirTree::open(self.dir.path()).unwrap()
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&Context<'_>) -> T) -> T {
        look(&Context::new(&self.tree(), &self.request))
    }

    pub(crate) fn check(&self, id: &str) -> Verdict {
        let rule = rules().iter().find(|rule| rule.meta().id == id).unwrap();
        self.with(|cx| rule.check(cx).unwrap())
    }

    /// Returns the findings of one rule as `path[:line] message`, sorted.
    pub(crate) fn findings(&self, id: &str) -> Vec<String> {
        let findings = match self.check(id) {
            Verdict::Fail(findings) => findings,
            Verdict::Pass => Vec::new(),
            Verdict::NotApplicable(reason) => panic!("{id} is not applicable: {reason}"),
        };
        let mut lines: Vec<String> = findings
            .into_iter()
            .map(|finding| {
                let line = finding.evidence.line.map(|line| format!(":{line}")).unwrap_or_default();
                format!("{}{line} {}", finding.evidence.path, finding.message)
            })
            .collect();
        lines.sort();
        lines
    }

    /// Returns the paths of one rule's findings, sorted.
    pub(crate) fn paths(&self, id: &str) -> Vec<String> {
        let mut paths: Vec<String> =
            self.findings(id).iter().map(|line| line.split([' ', ':']).next().unwrap().to_owned()).collect();
        paths.sort();
        paths.dedup();
        paths
    }

    pub(crate) fn is_pass(&self, id: &str) -> bool {
        self.check(id) == Verdict::Pass
    }

    pub(crate) fn harden(&self) -> Vec<AppliedFix> {
        harden(&self.tree(), &self.request, &NullSink).unwrap()
    }

    /// Hardens, and asserts that hardening again finds nothing to do.
    pub(crate) fn harden_twice(&self) -> Vec<AppliedFix> {
        let first = self.harden();
        assert_eq!(self.harden(), [], "hardening again changed something");
        first
    }

    pub(crate) fn scan(&self) -> ScanReport {
        scan(&self.tree(), &self.request, &NullSink).unwrap()
    }
}

impl AsRef<Path> for Fixture {
    fn as_ref(&self) -> &Path {
        self.dir.path()
    }
}
