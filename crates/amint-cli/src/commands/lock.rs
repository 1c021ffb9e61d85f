//! `amint lock`: writes down every package and file that an image is made of.

use amint_build::locking::Versions;

use crate::args::LockArgs;
use crate::commands::update::compare;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::supply::{Supply, drift_of, drifted, lock_path, read_lock};

/// Makes the lock of a recipe, or takes the changes of the recipe into the one that is there.
pub(crate) fn run(args: &LockArgs, context: &Context) -> Result<ExitCode, Failure> {
    let file = super::load_recipe(&args.recipe, context)?;
    let path = lock_path(&file);
    let old = read_lock(&file)?;
    if args.check {
        return check(&path, &file, old.as_ref(), context);
    }
    let supply = Supply::new(&args.source, context, &file)?;
    let lock = match &old {
        None => supply.lock(&file, Versions::Newest(None), context)?,
        Some(old) => {
            let drift = drift_of(old, &file)?;
            supply.take_changes(&file, old.clone(), &drift, context)?
        }
    };
    context.finish();
    let diff = old.as_ref().map(|old| compare(old, &lock));
    let is_changed = old.as_ref() != Some(&lock);
    if is_changed {
        lock.save_atomically(&path)?;
    }
    if context.global.json {
        context.print_result(&serde_json::json!({
            "event": "result", "lock": path, "packages": lock.packages.len(), "changed": is_changed,
        }));
        return Ok(ExitCode::Fine);
    }
    match diff {
        Some(diff) if diff.is_empty() => context.say(&format!("{} fits the recipe", path.display())),
        Some(diff) => {
            context.print(&diff.render());
            context.say(&format!("wrote {}", path.display()));
        }
        None => context.say(&format!("wrote {}: {} packages", path.display(), lock.packages.len())),
    }
    Ok(ExitCode::Fine)
}

fn check(
    path: &std::path::Path,
    file: &amint_recipe::RecipeFile,
    old: Option<&amint_recipe::lock::Lock>,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let Some(old) = old else {
        return Err(Failure::new(ExitCode::Input, format!("there is no {}", path.display()))
            .hint("run `amint lock` to write one"));
    };
    let drift = drift_of(old, file)?;
    if drift.is_empty() {
        context.say(&format!("{} fits the recipe", path.display()));
        return Ok(ExitCode::Fine);
    }
    let mut failure = drifted(path, &drift);
    failure.code = ExitCode::Gate;
    Err(failure)
}
