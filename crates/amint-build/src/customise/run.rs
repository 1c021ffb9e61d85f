//! `[[run]]`: scripts and commands inside the image.

use std::path::Path;

use amint_recipe::{Recipe, RunAction};
use amint_types::{Cancel, EventSink};

use crate::error::BuildError;
use crate::sandbox::Sandboxed;
use crate::tree::{FileToWrite, ImageTree};

/// Where a script is shown inside the sandbox.
const SCRIPT: &str = "/run/amint-step";
/// Keeps packages that a step installs from starting services (`invoke-rc.d(8)`).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Runs every step in order; the first that fails ends the build.
pub(crate) fn run_steps(
    tree: &ImageTree,
    recipe: &Recipe,
    folder: &Path,
    source_epoch: i64,
    step: &str,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<(), BuildError> {
    if recipe.run.is_empty() {
        return Ok(());
    }
    let has_policy = tree.exists(POLICY);
    if !has_policy {
        tree.write(&FileToWrite::new(POLICY, b"#!/bin/sh\nexit 101\n".to_vec()).mode(0o755))?;
    }
    let total = u64::try_from(recipe.run.len()).unwrap_or(u64::MAX);
    for (index, run) in recipe.run.iter().enumerate() {
        let name = run.display_name();
        sink.step_progress(step, u64::try_from(index).unwrap_or(0), Some(total), Some(&name));
        let sandboxed = match &run.action {
            RunAction::Script(script) => {
                let path = folder.join(script);
                let path = path.canonicalize().map_err(|source| BuildError::Copy { path, source })?;
                Sandboxed::new(tree.root(), &format!("`{name}`"), interpreter(&path)).bind(&path, SCRIPT)
            }
            RunAction::Command(command) => {
                Sandboxed::new(tree.root(), &format!("`{name}`"), ["sh", "-eu", "-c", command.as_str()])
            }
        };
        let mut sandboxed = sandboxed
            .network(run.network)
            .without_sync()
            .deadline(run.deadline)
            .variable("SOURCE_DATE_EPOCH", &source_epoch.to_string());
        for (key, value) in &run.env {
            sandboxed = sandboxed.variable(key, value);
        }
        sandboxed.run(step, sink, cancel).map_err(|source| BuildError::Step {
            number: index + 1,
            name,
            source,
        })?;
    }
    if !has_policy {
        tree.remove(POLICY)?;
    }
    Ok(())
}

/// Returns how a script is started: by its own first line when it may be executed, else by the shell.
fn interpreter(script: &Path) -> Vec<&'static str> {
    use std::os::unix::fs::PermissionsExt;
    let is_executable = script.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0);
    if is_executable { vec![SCRIPT] } else { vec!["sh", "-eu", SCRIPT] }
}
