//! `amint init`: writes a new recipe.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};

use amint_types::ImageName;

use crate::args::InitArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Writes `amint.toml`; a file that is there already is left alone.
pub(crate) fn run(args: &InitArgs, context: &Context) -> Result<ExitCode, Failure> {
    let name = match &args.name {
        Some(name) => name.parse()?,
        None => folder_name(args)?,
    };
    fs::create_dir_all(&args.folder).map_err(|error| Failure::file(&args.folder, error))?;
    let path = args.folder.join("amint.toml");
    let text = amint_recipe::template(&name);
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| {
        let is_there = error.kind() == io::ErrorKind::AlreadyExists;
        let failure = Failure::file(&path, error);
        if is_there {
            failure.hint("there is a recipe already; `amint check` tells whether it is valid")
        } else {
            failure
        }
    })?;
    file.write_all(text.as_bytes()).map_err(|error| Failure::file(&path, error))?;
    if context.global.json {
        context.print_json(&serde_json::json!({ "recipe": path, "name": name }))?;
    } else {
        context.say(&format!("wrote {}; next: amint build {}", path.display(), path.display()));
    }
    Ok(ExitCode::Fine)
}

/// Makes a name of the folder's: lower-case, other characters as dashes.
fn folder_name(args: &InitArgs) -> Result<ImageName, Failure> {
    let folder = std::path::absolute(&args.folder).map_err(|error| Failure::file(&args.folder, error))?;
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let clean: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
    let clean = clean.trim_matches('-');
    Ok(if clean.is_empty() { "image".parse()? } else { clean.parse()? })
}
