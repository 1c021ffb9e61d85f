//! Running amint against a store of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

/// A store that goes away with the test.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    /// Makes a store, or tells why this test is left out.
    pub(crate) fn new() -> Option<Self> {
        if std::env::var_os("AMINT_SKIP_BOOTS").is_some() {
            eprintln!("SKIPPED: AMINT_SKIP_BOOTS is set");
            return None;
        }
        Some(Self { folder: tempfile::tempdir().unwrap() })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Prepares a command on this store.
    pub(crate) fn amint(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("amint"));
        command.arg("--home").arg(self.path()).args(arguments).current_dir(repository());
        command
    }

    /// Runs a command to its end; the end of what it wrote is shown where it failed.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let started = Instant::now();
        let output = self.amint(arguments).output().unwrap();
        let elapsed = started.elapsed().as_secs();
        eprintln!("$ amint {} -> {} after {elapsed} s", arguments.join(" "), output.status);
        if !output.status.success() {
            for (name, bytes) in [("standard output", &output.stdout), ("standard error", &output.stderr)] {
                eprintln!("{name}:\n{}", tail(bytes));
            }
        }
        output
    }

    /// Runs a build; `None` tells that this machine cannot reach a mirror or lacks a tool.
    pub(crate) fn build(&self, arguments: &[&str]) -> Option<Output> {
        let output = self.run(&[&["build"], arguments].concat());
        let is_required = std::env::var_os("CI").is_some();
        if output.status.code() == Some(7) && !is_required {
            eprintln!("SKIPPED: this machine lacks something that building needs (see above)");
            return None;
        }
        Some(output)
    }

    /// Runs a command with `--json` and returns its document.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Returns the names of what is left in the folder for work.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.path().join("tmp")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

/// Returns the last lines of what a command wrote, each cut.
fn tail(bytes: &[u8]) -> String {
    const LINES: usize = 80;
    const CHARACTERS: usize = 300;
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text.lines().map(|line| line.chars().take(CHARACTERS).collect()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Asserts that every check of a stored boot report passed, and that the named ones are among them.
pub(crate) fn assert_boot_passed(boot: &Value, expected: &[&str]) {
    let checks = boot["checks"].as_array().unwrap();
    let failed: Vec<String> =
        checks.iter().filter(|check| check["outcome"] == "fail").map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    for id in expected {
        let check =
            checks.iter().find(|check| check["id"] == **id).unwrap_or_else(|| panic!("no check {id}"));
        assert!(check["outcome"] == "pass", "{check}");
    }
}
