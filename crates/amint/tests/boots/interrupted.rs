//! Builds that are broken off.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::support::Home;

/// Starts a build and waits until packages are being installed.
fn start(home: &Home) -> Option<std::process::Child> {
    let mut child = home
        .amint(&["--json", "build", "--no-test", "examples/minimal/amint.toml"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let started = lines.by_ref().any(|line| line.unwrap().contains("\"step\":\"base\",\"stream\""));
    // The rest is read and dropped, so that the build never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    if !started {
        let status = child.wait().unwrap();
        assert!(std::env::var_os("CI").is_none(), "the build ended early: {status}");
        eprintln!("SKIPPED: the build cannot start on this machine ({status})");
        return None;
    }
    Some(child)
}

fn signal(child: &std::process::Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn ctrl_c_cleans_up_and_says_so() {
    let Some(home) = Home::new() else { return };
    let Some(mut child) = start(&home) else { return };
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(home.leftovers().is_empty(), "{:?}", home.leftovers());
}

#[test]
fn a_killed_build_leaves_a_store_that_works_and_litter_that_gc_removes() {
    let Some(home) = Home::new() else { return };
    let Some(mut child) = start(&home) else { return };
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(home.run(&["images"]).status.success());
    let freed = home.run(&["gc"]);
    assert!(freed.status.success());
    assert!(home.leftovers().is_empty(), "{:?}", home.leftovers());
}
