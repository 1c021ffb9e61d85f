//! The example product that refuses to run in a copy of its image.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Home, assert_boot_passed, repository};

/// Copies the example and builds the file that is not in the repository.
fn prepare(folder: &Path) {
    let example = repository().join("examples/protected");
    let copied = Command::new("cp").arg("-r").arg(&example).arg(folder).status().unwrap();
    assert!(copied.success());
    let program = folder.join("protected/files/amint-verify");
    let script = repository().join("crates/amint-verify/build-static.sh");
    let built = Command::new(script).arg(&program).status().unwrap();
    assert!(built.success());
    assert!(fs::metadata(&program).unwrap().len() < 4 << 20, "amint-verify is too large for images");
}

#[test]
fn the_product_runs_in_its_image_and_refuses_in_a_copy() {
    let Some(home) = Home::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let recipe = folder.path().join("protected/amint.toml");
    let recipe = recipe.to_str().unwrap();
    let Some(output) = home.build(&["--no-test", recipe]) else { return };
    assert!(output.status.success());
    let tested = home.run(&["test", recipe]);
    assert_eq!(tested.status.code(), Some(0));
    let boots = home.json(&["show", "protected"])["report"]["boots"].clone();
    assert_boot_passed(&boots[0], &["identity-document", "test-1", "test-8", "copy-test-1"]);
}
