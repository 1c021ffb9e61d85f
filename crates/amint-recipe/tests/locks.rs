//! Lock files: old formats stay readable, what is written is read back, and hostile text is refused without a panic.

use std::fs;
use std::path::{Path, PathBuf};

use amint_recipe::lock::{
    InputKind, LOCK_FORMAT, Lock, LockedBase, LockedInput, LockedPackage, LockedSuite, Stage, base_digest,
};
use amint_types::Digest;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Lock, amint_recipe::Diagnostics> {
    Lock::parse(text, Path::new("amint.lock"))
}

fn golden(format: u32) -> String {
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/locks/format-{format}.lock"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_golden_file_of_each_format_is_read() {
    for format in LOCK_FORMAT.saturating_sub(1).max(1)..=LOCK_FORMAT {
        let lock = parse(&golden(format)).unwrap_or_else(|error| panic!("{}", error.render_plain()));
        assert_eq!(lock.format, format);
        assert_eq!((lock.suites.len(), lock.packages.len(), lock.inputs.len()), (3, 4, 4));
        assert_eq!(lock.package("nginx").map(|package| package.suite.as_str()), Some("trixie-security"));
        assert_eq!(lock.suites[0].uri.as_deref(), Some("https://packages.vendor.example/debian"));
    }
}

#[test]
fn the_present_format_is_written_as_its_golden_file_is() {
    let text = golden(LOCK_FORMAT);
    assert_eq!(parse(&text).map(|lock| lock.to_toml()).as_deref(), Ok(text.as_str()));
}

fn digests() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest::from_bytes)
}

/// A number that TOML can hold.
fn numbers() -> impl Strategy<Value = u64> {
    0..=i64::MAX.unsigned_abs()
}

prop_compose! {
    fn suites()(
        suite in "[a-z][a-z0-9]{0,8}(-[a-z]{1,8}){0,2}",
        components in prop::collection::btree_set("[a-z]{1,9}(-[a-z]{1,9})?", 0..4),
        seconds in 0_i64..4_000_000_000,
        release_sha256 in digests(),
        signers in prop::collection::btree_set("[0-9A-F]{40}|Some \"body\" <é\\\\x@y\\.example>", 0..3),
        path in option::of("(/[a-z0-9.]{1,5}){0,3}"),
        keyring_sha256 in option::of(digests()),
    ) -> LockedSuite {
        LockedSuite {
            id: suite.clone(),
            suite,
            components: components.into_iter().collect(),
            date: jiff::Timestamp::from_second(seconds).expect("the range is that of the calendar"),
            release_sha256,
            signers: signers.into_iter().collect(),
            uri: path.map(|path| format!("https://mirror.example{path}")),
            keyring_sha256,
        }
    }
}

prop_compose! {
    fn packages()(
        names in prop::array::uniform2("[a-z0-9][a-z0-9+.-]{0,20}[a-z0-9+]"),
        versions in prop::array::uniform2("[0-9a-z][A-Za-z0-9.+~:-]{0,20}"),
        component in "[a-z]{1,9}",
        file in "[a-z0-9+~._-]{3,9}(/[a-z0-9+~_%-]{1,20}){0,3}",
        numbers in prop::array::uniform2(numbers()),
        sha256 in digests(),
        stage in prop::sample::select(vec![Stage::Base, Stage::Added]),
        flags in any::<[bool; 2]>(),
    ) -> LockedPackage {
        let [name, source] = names;
        let [version, source_version] = versions;
        LockedPackage {
            name,
            version,
            architecture: if flags[0] { "all" } else { "amd64" }.to_owned(),
            source,
            source_version,
            suite: String::new(),
            component,
            file,
            bytes: numbers[0],
            sha256,
            installed_kib: numbers[1],
            stage,
            is_requested: flags[1],
        }
    }
}

prop_compose! {
    fn inputs()(
        kind in prop::sample::select(vec![
            InputKind::File, InputKind::Folder, InputKind::Script, InputKind::Keyring,
        ]),
        path in "[^\\p{C}\\s]{1,30}",
        sha256 in digests(),
        numbers in prop::array::uniform2(numbers()),
        is_executable in any::<bool>(),
    ) -> LockedInput {
        LockedInput { kind, path, sha256, bytes: numbers[0], files: numbers[1], is_executable }
    }
}

prop_compose! {
    fn locks()(
        suites in vec(suites(), 1..4),
        packages in vec(packages(), 0..8),
        inputs in vec(inputs(), 0..5),
        wishes in digests(),
    ) -> Lock {
        let mut lock = Lock {
            format: LOCK_FORMAT,
            tool: "amint 0.1.0".to_owned(),
            base: LockedBase {
                debian: "trixie".to_owned(),
                architecture: "amd64".to_owned(),
                digest: wishes,
                wishes,
            },
            suites,
            packages,
            inputs,
        };
        lock.sort();
        for (index, suite) in lock.suites.iter_mut().enumerate() {
            if suite.uri.is_some() {
                suite.id = format!("repo:r{index}");
            }
        }
        lock.sort();
        lock.suites.dedup_by(|left, right| left.id == right.id);
        lock.packages.dedup_by(|left, right| left.name == right.name);
        lock.inputs.dedup_by(|left, right| (left.kind, &left.path) == (right.kind, &right.path));
        for (index, package) in lock.packages.iter_mut().enumerate() {
            package.suite.clone_from(&lock.suites[index % lock.suites.len()].id);
        }
        lock.base.digest = base_digest(&lock.packages);
        lock
    }
}

/// Checks that a text is read or refused, and that whatever is read is written as it was.
fn check(text: &str) {
    match parse(text) {
        Ok(lock) => assert_eq!(parse(&lock.to_toml()), Ok(lock)),
        Err(error) => {
            assert!(!error.items.is_empty() && error.items.len() <= 200);
            for item in &error.items {
                assert!(text.is_char_boundary(item.span.start) && text.is_char_boundary(item.span.end));
                assert!(item.message.chars().count() < 1000, "{}", item.message);
            }
            assert!(error.render_plain().len() < 500_000);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_lock_is_read_as_it_was_written(lock in locks()) {
        let text = lock.to_toml();
        match parse(&text) {
            Ok(read) => prop_assert_eq!(read, lock),
            Err(error) => prop_assert!(false, "{}", error.render_plain()),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_change_of_a_lock_is_read_or_refused(
        cut in any::<prop::sample::Index>(),
        length in 0_usize..40,
        piece in prop_oneof![any::<String>(), "[\\[\\]{}\"'=.,#\n\\\\0-9a-z_-]{0,9}"],
    ) {
        let mut characters: Vec<char> = golden(LOCK_FORMAT).chars().collect();
        let start = cut.index(characters.len());
        let end = (start + length).min(characters.len());
        characters.splice(start..end, piece.chars());
        check(&characters.into_iter().collect::<String>());
    }
}

#[test]
fn texts_made_to_exhaust_the_reader_are_refused() {
    let long = "x".repeat(1_000_000);
    for text in [
        "[".repeat(200_000),
        "[[package]]\n".repeat(100_000),
        format!("format = {}", "9".repeat(100_000)),
        format!("format = 1\n[base]\ndigest = \"{long}\"\narchitecture = \"{long}\"\n"),
        format!("format = 1\n[[package]]\nname = \"{long}\"\nversion = \"{long}\"\nfile = \"{long}\"\n"),
        format!("format = 1\n[[input]]\nkind = \"{long}\"\npath = \"{long}\"\n"),
        format!("format = 1\n{long} = 1\n"),
    ] {
        check(&text);
        assert!(parse(&text).is_err());
    }
}
