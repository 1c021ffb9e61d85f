//! What a build will do, before it does anything.

use std::path::PathBuf;
use std::time::Duration;

use amint_recipe::lock::{LockedPackage, Stage};
use serde::Serialize;

use crate::apt_state::apt_sources;
use crate::build::{BuildRequest, present_of, root_uuid_of};
use crate::ec2;
use crate::error::BuildError;
use crate::keys;
use crate::layers::{Key, LayerCache};
use crate::locking::package_files;

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It runs.
    Run,
    /// Its result is there already.
    Reuse,
    /// It is reused unless what changed before it is something that it takes in: only then can be told.
    Depends,
}

/// One step of a build to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedStep {
    /// Its id: `base`, `run-1`.
    pub step: String,
    /// What people call it.
    pub title: String,
    /// What becomes of it.
    pub action: Action,
    /// How long it took when its result was made, in milliseconds, where it is reused.
    pub saves_ms: Option<u64>,
}

/// What a build will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildPlan {
    /// Packages that have to be downloaded, with their size in bytes.
    pub fetch: Vec<(String, u64)>,
    /// The bytes of all those.
    pub fetch_bytes: u64,
    /// How many packages the image has.
    pub packages: usize,
    /// How many bytes they take when installed, as they say themselves.
    pub installed_bytes: u64,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
    /// The size of the disk in bytes, where the recipe says it; else what the files need decides.
    pub disk_bytes: Option<u64>,
}

/// Plans a build: reads the cache, and changes nothing.
pub fn plan(request: &BuildRequest<'_>) -> Result<BuildPlan, BuildError> {
    let recipe = &request.recipe.recipe;
    let present = present_of(request);
    let mut planner = Planner {
        cache: request.cache,
        key: keys::start(recipe, present),
        is_open: false,
        runs_anything: false,
        steps: Vec::new(),
    };
    let files = package_files(request.recipe, request.lock, &request.mirrors)?;
    let mut fetch = Vec::new();
    for (stage, step, title) in [
        (Stage::Base, "base", "Installing the base"),
        (Stage::Added, "packages", "Installing the recipe's packages"),
    ] {
        let of_stage = request.lock.packages.iter().zip(&files).filter(|(package, _)| package.stage == stage);
        let (packages, files): (Vec<&LockedPackage>, Vec<_>) = of_stage.unzip();
        if packages.is_empty() {
            continue;
        }
        if planner.step(step, title, &keys::packages(&packages), true) == Action::Run {
            let is_missing = |file: &&&amint_archive::PackageFile| {
                request.client.cached(&file.sha256).is_none() && !is_local(&file.locations)
            };
            fetch.extend(files.iter().filter(is_missing).map(|file| (file.name.clone(), file.bytes)));
        }
    }
    let root_uuid = root_uuid_of(request.recipe).to_string();
    let sources = apt_sources(recipe, &request.mirrors);
    let inputs = keys::files(&ec2::files(recipe, &root_uuid), recipe, request.lock, &sources);
    planner.step("files", "Placing files", &inputs, true);
    for (index, run) in recipe.run.iter().enumerate() {
        let title = format!("Running `{}`", run.display_name());
        planner.step(&format!("run-{}", index + 1), &title, &keys::run(run, request.lock), !run.network);
    }
    if planner.steps.iter().any(|step| step.action == Action::Reuse) {
        planner.add("restore", "Restoring what is reused", Action::Run, None);
    }
    let initramfs = match (planner.runs_packages(), planner.runs_anything) {
        (true, _) => Action::Run,
        (false, true) => Action::Depends,
        (false, false) => Action::Reuse,
    };
    planner.add("initramfs", "Making the initramfs", initramfs, None);
    for (step, title) in [
        ("services", "Switching services"),
        ("boot-loader", "Making the boot files"),
        ("harden", "Hardening"),
        ("scan", "Judging the files"),
        ("assemble", "Assembling the disk"),
    ] {
        planner.add(step, title, Action::Run, None);
    }
    Ok(BuildPlan {
        fetch_bytes: fetch.iter().map(|(_, bytes)| bytes).sum(),
        fetch,
        packages: request.lock.packages.len(),
        installed_bytes: request.lock.packages.iter().map(|package| package.installed_kib * 1024).sum(),
        steps: planner.steps,
        disk_bytes: recipe.disk.size_bytes,
    })
}

/// Tells whether a package lies on this machine anyway.
fn is_local(locations: &[String]) -> bool {
    locations
        .first()
        .is_some_and(|location| PathBuf::from(location.strip_prefix("file://").unwrap_or(location)).is_file())
}

struct Planner<'a> {
    cache: Option<&'a LayerCache>,
    key: Key,
    is_open: bool,
    runs_anything: bool,
    steps: Vec<PlannedStep>,
}

impl Planner<'_> {
    /// Follows a step as the build does.
    fn step(&mut self, step: &str, title: &str, inputs: &[u8], is_repeatable: bool) -> Action {
        self.key = self.key.then(&[step.as_bytes()]).then(&[inputs]);
        self.is_open |= !is_repeatable;
        let layer = self.cache.filter(|_| !self.is_open).and_then(|cache| cache.find(self.key));
        let action = if layer.is_some() { Action::Reuse } else { Action::Run };
        self.runs_anything |= action == Action::Run;
        self.add(step, title, action, layer.map(|layer| layer.elapsed()));
        action
    }

    fn add(&mut self, step: &str, title: &str, action: Action, saves: Option<Duration>) {
        let saves_ms = saves.map(|saves| u64::try_from(saves.as_millis()).unwrap_or(u64::MAX));
        self.steps.push(PlannedStep { step: step.to_owned(), title: title.to_owned(), action, saves_ms });
    }

    fn runs_packages(&self) -> bool {
        let is_run = |step: &PlannedStep| {
            matches!(step.step.as_str(), "base" | "packages") && step.action == Action::Run
        };
        self.steps.iter().any(is_run)
    }
}
