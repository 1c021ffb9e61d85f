//! `amint completions` and the manual pages.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Prints completions for a shell.
pub(crate) fn completions(shell: Shell, context: &Context) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "amint", &mut script);
    context.print(&String::from_utf8_lossy(&script));
    ExitCode::Fine
}

/// Writes a manual page for each command.
pub(crate) fn manual(folder: &Path) -> Result<ExitCode, Failure> {
    clap_mangen::generate_to(Cli::command(), folder).map_err(|error| Failure::file(folder, error))?;
    Ok(ExitCode::Fine)
}
