//! What each step of a build depends on, as bytes for its key.

use amint_recipe::lock::{InputKind, Lock, LockedPackage};
use amint_recipe::{Recipe, Run, RunAction};

use crate::layers::Key;
use crate::tree::FileToWrite;

/// Changes whenever the same inputs give other trees: steps of other versions of the engine are not reused.
const ENGINE: &str = "1";

/// What all steps depend on.
pub(crate) fn start(recipe: &Recipe, present: i64) -> Key {
    let architecture = recipe.image.architecture.debian();
    let release = recipe.base.debian.as_str();
    Key::start(&[
        ENGINE.as_bytes(),
        env!("CARGO_PKG_VERSION").as_bytes(),
        architecture.as_bytes(),
        release.as_bytes(),
        present.to_string().as_bytes(),
    ])
}

/// Packages, by what is in them.
pub(crate) fn packages(packages: &[&LockedPackage]) -> Vec<u8> {
    let line = |package: &&LockedPackage| {
        format!("{} {} {} {}\n", package.name, package.version, package.architecture, package.sha256)
    };
    packages.iter().map(line).collect::<String>().into_bytes()
}

/// The files that configure the image for EC2, and those of the recipe.
pub(crate) fn files(own: &[FileToWrite], recipe: &Recipe, lock: &Lock, sources: &str) -> Vec<u8> {
    let own: Vec<_> = own.iter().map(FileToWrite::parts).collect();
    let is_file = |kind: InputKind| matches!(kind, InputKind::File | InputKind::Folder);
    let inputs: Vec<_> = lock.inputs.iter().filter(|input| is_file(input.kind)).collect();
    json(&serde_json::json!({ "own": own, "files": recipe.files, "inputs": inputs, "sources": sources }))
}

/// A step of the recipe, with the content of its script.
pub(crate) fn run(run: &Run, lock: &Lock) -> Vec<u8> {
    let script = match &run.action {
        RunAction::Script(path) => lock
            .inputs
            .iter()
            .find(|input| input.kind == InputKind::Script && *input.path == *path.to_string_lossy()),
        RunAction::Command(_) => None,
    };
    json(&serde_json::json!({ "run": run, "script": script }))
}

fn json(value: &serde_json::Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
