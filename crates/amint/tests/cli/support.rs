//! Running amint with a store of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a command wrote and how it ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs amint in `folder`, with the store inside it.
pub(crate) fn amint(folder: &Path, arguments: &[&str]) -> Ran {
    let output: Output = Command::new(assert_cmd::cargo::cargo_bin!("amint"))
        .args(arguments)
        .env("AMINT_HOME", folder.join("home"))
        .env_remove("CLICOLOR_FORCE")
        .current_dir(folder)
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
