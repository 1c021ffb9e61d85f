//! Helps the tests of lock files: one of every kind of entry.

use std::path::Path;

use amint_types::Digest;

use super::model::{
    InputKind, LOCK_FORMAT, Lock, LockedBase, LockedInput, LockedPackage, LockedSuite, Stage, base_digest,
};
use crate::diagnostic::Diagnostics;

pub(crate) fn package(name: &str, version: &str, stage: Stage) -> LockedPackage {
    let letter = &name[..1];
    LockedPackage {
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: "amd64".to_owned(),
        source: name.to_owned(),
        source_version: version.to_owned(),
        suite: "trixie".to_owned(),
        component: "main".to_owned(),
        file: format!("pool/main/{letter}/{name}/{name}_{version}_amd64.deb"),
        bytes: 1000,
        sha256: Digest::of(format!("{name} {version}").as_bytes()),
        installed_kib: 40,
        stage,
        is_requested: false,
    }
}

/// Returns a lock, sorted.
pub(crate) fn lock() -> Lock {
    let glibc = LockedPackage { source: "glibc".to_owned(), ..package("libc6", "2.41-12", Stage::Base) };
    let nginx = LockedPackage { is_requested: true, ..package("nginx", "1.26.3-3", Stage::Added) };
    let agent = LockedPackage {
        suite: "repo:vendor".to_owned(),
        file: "pool/stable/agent_7.1_amd64.deb".to_owned(),
        ..package("agent", "7.1", Stage::Added)
    };
    let packages = vec![agent, glibc, nginx];
    let suite = |id: &str, suite: &str, signer: &str| LockedSuite {
        id: id.to_owned(),
        suite: suite.to_owned(),
        components: vec!["main".to_owned()],
        date: "2026-11-22T08:13:05Z".parse().unwrap(),
        release_sha256: Digest::of(id.as_bytes()),
        signers: vec![signer.to_owned()],
        uri: None,
        keyring_sha256: None,
    };
    let vendor = LockedSuite {
        uri: Some("https://packages.vendor.example/debian".to_owned()),
        keyring_sha256: Some(Digest::of(b"keyring")),
        ..suite("repo:vendor", "stable", "AAAA1111AAAA1111AAAA1111AAAA1111AAAA1111")
    };
    let input = |kind, path: &str, bytes, files| LockedInput {
        kind,
        path: path.to_owned(),
        sha256: Digest::of(path.as_bytes()),
        bytes,
        files,
        is_executable: false,
    };
    Lock {
        format: LOCK_FORMAT,
        tool: "amint 0.1.0".to_owned(),
        base: LockedBase {
            debian: "trixie".to_owned(),
            architecture: "amd64".to_owned(),
            digest: base_digest(&packages),
            wishes: Digest::of(b"wishes"),
        },
        suites: vec![vendor, suite("trixie", "trixie", "4D64FEC119C2029067D6E791F8D2585B8783D481")],
        packages,
        inputs: vec![
            input(InputKind::Folder, "site/", 1234, 2),
            LockedInput { is_executable: true, ..input(InputKind::Script, "scripts/configure.sh", 80, 1) },
            input(InputKind::Keyring, "keys/vendor.asc", 3100, 1),
        ],
    }
}

pub(crate) fn parse(text: &str) -> Result<Lock, Diagnostics> {
    Lock::parse(text, Path::new("amint.lock"))
}

/// Returns what is wrong with the lock after an edit of its text.
pub(crate) fn messages(edit: impl FnOnce(&str) -> String) -> Vec<String> {
    let text = lock().to_toml();
    let edited = edit(&text);
    assert_ne!(edited, text, "the edit changes nothing");
    let error = parse(&edited).expect_err("the lock should be refused");
    error.items.into_iter().map(|item| item.message).collect()
}
