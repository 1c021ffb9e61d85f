//! `[[run]]`: scripts and commands inside the image.

use std::path::Path;

use amint_recipe::{Run, RunAction};
use amint_types::{Cancel, EventSink};

use crate::error::BuildError;
use crate::sandbox::Sandboxed;
use crate::tree::{FileToWrite, ImageTree};

/// Where a script is shown inside the sandbox.
const SCRIPT: &str = "/run/amint-step";
/// Keeps packages that a step installs from starting services (`invoke-rc.d(8)`).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Where and how steps run.
pub(crate) struct Steps<'a> {
    pub(crate) tree: &'a ImageTree,
    /// The recipe's folder.
    pub(crate) folder: &'a Path,
    /// Seconds since 1970 that programs should take for the present.
    pub(crate) source_epoch: i64,
    pub(crate) sink: &'a dyn EventSink,
    pub(crate) cancel: &'a Cancel,
}

impl Steps<'_> {
    /// Runs one step, the `number`th from 1.
    pub(crate) fn run(&self, run: &Run, number: usize, step: &str) -> Result<(), BuildError> {
        let tree = self.tree;
        let has_policy = tree.exists(POLICY);
        if !has_policy {
            tree.write(&FileToWrite::new(POLICY, b"#!/bin/sh\nexit 101\n".to_vec()).mode(0o755))?;
        }
        let name = run.display_name();
        let sandboxed = match &run.action {
            RunAction::Script(script) => {
                let path = self.folder.join(script);
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
            .variable("SOURCE_DATE_EPOCH", &self.source_epoch.to_string());
        for (key, value) in &run.env {
            sandboxed = sandboxed.variable(key, value);
        }
        sandboxed.run(step, self.sink, self.cancel).map_err(|source| BuildError::Step {
            number,
            name,
            source,
        })?;
        if !has_policy {
            tree.remove(POLICY)?;
        }
        Ok(())
    }
}

/// Returns how a script is started: by its own first line when it may be executed, else by the shell.
fn interpreter(script: &Path) -> Vec<&'static str> {
    use std::os::unix::fs::PermissionsExt;
    let is_executable = script.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0);
    if is_executable { vec![SCRIPT] } else { vec!["sh", "-eu", SCRIPT] }
}
