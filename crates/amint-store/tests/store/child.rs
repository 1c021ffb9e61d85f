//! Other processes: this test program, started again with one ignored test that does a child's work.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The store that a child works on.
const ROOT: &str = "AMINT_STORE_TEST_ROOT";
/// A number that tells a child what to do.
const SEED: &str = "AMINT_STORE_TEST_SEED";

/// Starts the ignored test `name` as a child.
pub(crate) fn spawn(name: &str, root: &Path, seed: u64) -> Child {
    command(Command::new(std::env::current_exe().unwrap()), name, root, seed).spawn().unwrap()
}

/// Adds what makes this test program run one child's work.
pub(crate) fn command(mut command: Command, name: &str, root: &Path, seed: u64) -> Command {
    command
        .args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"])
        .env(ROOT, root)
        .env(SEED, seed.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Returns what a child was told; none when its test was started by hand.
pub(crate) fn task() -> Option<(std::path::PathBuf, u64)> {
    let root = std::env::var_os(ROOT)?;
    Some((root.into(), std::env::var(SEED).unwrap().parse().unwrap()))
}
