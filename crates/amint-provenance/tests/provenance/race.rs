//! First use by several at once: all end with one key.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Barrier;

use amint_provenance::SigningKey;

const PATH: &str = "AMINT_PROVENANCE_TEST_KEY";
const ROUNDS: usize = 20;
const AT_ONCE: usize = 8;

fn only_file_in(folder: &Path) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn threads_end_with_one_key() {
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/key.pem");
        let start = Barrier::new(AT_ONCE);
        let opened: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        SigningKey::load_or_create(&path).unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let ids: BTreeSet<_> = opened.iter().map(|opened| opened.key.public_key().id()).collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(opened.iter().filter(|opened| opened.is_new).count(), 1, "one of them made it");
        assert_eq!(only_file_in(path.parent().unwrap()), path);
    }
}

#[test]
fn processes_end_with_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys/key.pem");
    let children: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "race::child_that_uses_the_key", "--ignored", "--nocapture"])
                .env(PATH, &path)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut ids = BTreeSet::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, id) = text.split_once("key ").unwrap();
        ids.insert(id.split_whitespace().next().unwrap().to_owned());
    }
    let found = SigningKey::load(&path).unwrap().public_key().id().to_string();
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), [found]);
    assert_eq!(only_file_in(path.parent().unwrap()), path);
}

#[test]
#[ignore = "a child of another test"]
fn child_that_uses_the_key() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let opened = SigningKey::load_or_create(Path::new(&path)).unwrap();
    println!("key {} ", opened.key.public_key().id());
}
