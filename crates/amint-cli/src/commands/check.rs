//! `amint check`: checks a recipe.

use std::path::{Path, PathBuf};

use amint_recipe::RecipeFile;

use crate::args::CheckArgs;
use crate::context::{self, Context};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::present;
use crate::ui::Palette;

/// Checks a recipe and tells what it makes.
pub(crate) fn run(args: &CheckArgs, context: &Context) -> Result<ExitCode, Failure> {
    let file = load(&args.recipe, context)?;
    let image = &file.recipe.image;
    if context.global.json {
        let warnings = present::diagnostics_json(&file.recipe.warnings);
        context.print_json(&serde_json::json!({
            "recipe": file.path, "valid": true, "name": image.name, "version": image.version, "warnings": warnings,
        }))?;
    } else {
        context.say(&format!("{} is valid: {} {}", file.path.display(), image.name, image.version));
    }
    Ok(ExitCode::Fine)
}

/// Loads a recipe, or the `amint.toml` of a folder; warnings are shown.
pub(crate) fn load(path: &Path, context: &Context) -> Result<RecipeFile, Failure> {
    let path: PathBuf = if path.is_dir() { path.join("amint.toml") } else { path.to_owned() };
    let file = amint_recipe::load(&path)?;
    if !file.recipe.warnings.items.is_empty() {
        context.say(context::show_diagnostics(&file.recipe.warnings, Palette::for_stderr()).trim_end());
    }
    let request = amint_build::scan_request(&file.recipe, context::today());
    for warning in amint_scan::waiver_warnings(&request.waivers, &request.profiles, request.today) {
        let hint = warning
            .contains(" ended on ")
            .then_some("mend what it covered, or decide anew and set a later `until`");
        context.sink().warn(&warning, hint);
    }
    Ok(file)
}
