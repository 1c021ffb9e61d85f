//! Where a recipe's packages come from, and the lock that names them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use amint_archive::{Client, ClientSettings, Proxies};
use amint_build::locking::{Archives, Versions, make_lock, tool_packages};
use amint_build::mirror::{self, MirrorWishes, Mirrors};
use amint_recipe::RecipeFile;
use amint_recipe::lock::{Drift, LOCK_FILE, Lock, drift, hash_inputs};
use amint_types::{StepOutcome, Unit};
use jiff::Timestamp;

use crate::args::SourceArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The archives of one recipe.
pub(crate) struct Supply {
    pub(crate) client: Client,
    pub(crate) mirrors: Mirrors,
}

impl Supply {
    pub(crate) fn new(args: &SourceArgs, context: &Context, file: &RecipeFile) -> Result<Self, Failure> {
        let base = &file.recipe.base;
        let wishes = MirrorWishes {
            archive: args.mirror.clone(),
            security: args.security_mirror.clone(),
            recipe_archive: base.mirror.clone(),
            recipe_security: base.security_mirror.clone(),
        };
        let mirrors = mirror::choose(wishes, Path::new("/etc/apt")).map_err(amint_build::BuildError::from)?;
        let settings = ClientSettings {
            offline: args.offline,
            proxies: Proxies::from_env(),
            ..ClientSettings::new(package_cache(&context.home()?), Timestamp::now())
        };
        Ok(Self { client: Client::new(settings)?, mirrors })
    }

    /// Makes a lock, as a step that people see.
    pub(crate) fn lock(
        &self,
        file: &RecipeFile,
        versions: Versions<'_>,
        context: &Context,
    ) -> Result<Lock, Failure> {
        let archives = Archives { client: &self.client, mirrors: &self.mirrors };
        let sink = context.sink();
        let started = Instant::now();
        sink.step_started("lock", "Choosing packages", None, Unit::Bytes);
        let made = make_lock(file, &archives, versions, "lock", sink, &context.cancel);
        let (outcome, detail) = match &made {
            Ok(lock) => (StepOutcome::Done, Some(format!("{} packages", lock.packages.len()))),
            Err(_) => (StepOutcome::Failed, None),
        };
        sink.step_finished("lock", outcome, started.elapsed(), detail);
        Ok(made?)
    }
}

impl Supply {
    /// Takes changes of a recipe into its lock. Where only files changed, no archive is asked.
    pub(crate) fn take_changes(
        &self,
        file: &RecipeFile,
        mut lock: Lock,
        drift: &[Drift],
        context: &Context,
    ) -> Result<Lock, Failure> {
        if drift.iter().all(|drift| matches!(drift, Drift::Input(_))) {
            lock.inputs = hash_inputs(file)?;
            lock.sort();
            return Ok(lock);
        }
        self.lock(file, Versions::Kept(&lock), context)
    }
}

/// Returns the folder of indexes and packages.
pub(crate) fn package_cache(home: &Path) -> PathBuf {
    home.join("cache/archive")
}

/// Returns the folder of the results of steps.
pub(crate) fn layer_cache(home: &Path) -> PathBuf {
    home.join("cache/layers")
}

/// Returns where the lock of a recipe lies: `amint.lock` beside `amint.toml`, `NAME.lock` beside another name.
pub(crate) fn lock_path(file: &RecipeFile) -> PathBuf {
    let is_usual = file.path.file_name().is_some_and(|name| name == "amint.toml");
    if is_usual { file.path.with_file_name(LOCK_FILE) } else { file.path.with_extension("lock") }
}

/// Reads the lock of a recipe, if there is one.
pub(crate) fn read_lock(file: &RecipeFile) -> Result<Option<Lock>, Failure> {
    match Lock::load(&lock_path(file)) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Tells what of a recipe no longer fits its lock.
pub(crate) fn drift_of(lock: &Lock, file: &RecipeFile) -> Result<Vec<Drift>, Failure> {
    let tool_packages = tool_packages(file.recipe.image.architecture);
    Ok(drift(lock, file, &tool_packages)?)
}

/// Returns a lock to build from: the one that is there if it fits, or a new one where there is none.
///
/// With `takes_changes`, a lock that no longer fits is brought up to date; versions stay.
pub(crate) fn lock_for_build(
    supply: &Supply,
    file: &RecipeFile,
    takes_changes: bool,
    context: &Context,
) -> Result<Lock, Failure> {
    let path = lock_path(file);
    let (lock, is_new) = lock_for_plan(supply, file, takes_changes, context)?;
    if !is_new {
        return Ok(lock);
    }
    match lock.save_atomically(&path) {
        Ok(()) => context.sink().info(&format!("wrote {}", path.display())),
        // The build can go on, but the next one may take other packages.
        Err(error) => context.sink().warn(
            &format!("the lock could not be kept: {error}"),
            Some("the next build may take other packages"),
        ),
    }
    Ok(lock)
}

/// The same, without writing anything; tells whether the lock is another one than that on the disk.
pub(crate) fn lock_for_plan(
    supply: &Supply,
    file: &RecipeFile,
    takes_changes: bool,
    context: &Context,
) -> Result<(Lock, bool), Failure> {
    let Some(lock) = read_lock(file)? else {
        return Ok((supply.lock(file, Versions::Newest(None), context)?, true));
    };
    let drift = drift_of(&lock, file)?;
    if drift.is_empty() {
        return Ok((lock, false));
    }
    if !takes_changes {
        return Err(drifted(&lock_path(file), &drift));
    }
    Ok((supply.take_changes(file, lock, &drift, context)?, true))
}

/// Tells that a recipe changed since its lock was written.
pub(crate) fn drifted(path: &Path, drift: &[Drift]) -> Failure {
    let list: Vec<String> = drift.iter().map(ToString::to_string).collect();
    let text = format!("the recipe no longer fits {}: {}", path.display(), list.join("; "));
    Failure::new(ExitCode::Input, text).hint(
        "`amint lock` takes the change and keeps the versions of packages; `amint build --lock` does so and builds",
    )
}
