//! The smallest recipe, on Debian 12, as an ordinary user where this machine can.

use std::process::Command;

use crate::support::{Home, repository};

#[test]
fn builds_and_boots_debian_12() {
    let Some(home) = Home::new() else { return };
    let Some(output) = home.build(&["examples/minimal/amint.toml"]) else { return };
    assert!(output.status.success());
    let images = home.json(&["images"]);
    assert_eq!(images.as_array().unwrap().len(), 1);
}

/// As root this makes the build of another user: the one named by `AMINT_TEST_USER`, with subordinate ids.
#[test]
fn builds_as_an_ordinary_user_the_same_bytes_as_root() {
    let Some(home) = Home::new() else { return };
    let Ok(user) = std::env::var("AMINT_TEST_USER") else {
        eprintln!("SKIPPED: AMINT_TEST_USER names no ordinary user with subordinate ids");
        return;
    };
    let root = home.build(&["--no-test", "examples/minimal/amint.toml"]);
    let Some(root) = root else { return };
    assert!(root.status.success());
    let other = tempfile::tempdir().unwrap();
    let chown = Command::new("chown").args([&user, other.path().to_str().unwrap()]).status().unwrap();
    assert!(chown.success());
    let binary = assert_cmd::cargo::cargo_bin!("amint");
    let recipe = repository().join("examples/minimal/amint.toml");
    let output = Command::new("runuser")
        .args(["-u", &user, "--"])
        .arg(binary)
        .arg("--home")
        .arg(other.path())
        .args(["build", "--no-test"])
        .arg(recipe)
        .current_dir("/")
        .output()
        .unwrap();
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
    let digest = |home: &str| {
        let output = Command::new(binary).args(["--home", home, "--json", "images"]).output().unwrap();
        let images: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        images[0]["digest"].clone()
    };
    assert_eq!(digest(home.path().to_str().unwrap()), digest(other.path().to_str().unwrap()));
}
