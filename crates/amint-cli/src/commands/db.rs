//! `amint db`: the database of advisories.

mod build;
mod learn;
mod status;

use crate::args::DbCommand;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Builds or shows the database.
pub(crate) fn run(command: &DbCommand, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        DbCommand::Build(args) => build::run(args, context),
        DbCommand::Status(args) => status::run(args, context),
    }
}
