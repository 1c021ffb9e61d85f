//! `amint schema`: prints the JSON Schema of recipes.

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Prints the schema.
pub(crate) fn run(context: &Context) -> Result<ExitCode, Failure> {
    context.print_json(&amint_recipe::json_schema())?;
    Ok(ExitCode::Fine)
}
