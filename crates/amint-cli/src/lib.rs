//! The command line of amint: arguments, text, tables, progress, exit codes.
//!
//! This is the only crate that prints. Data goes to standard output, all else to standard error.

mod advisories;
mod args;
mod assessment;
#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod channels;
mod cloud_args;
mod commands;
mod context;
mod exit_code;
mod failure;
mod fix_plan;
mod identity_args;
mod images;
mod inspecting;
mod kept_scan;
mod marketplace_args;
mod present;
#[cfg(feature = "aws")]
mod present_publish;
mod present_scan;
mod provenance;
mod publish_args;
mod publishing;
mod reference;
mod supply;
mod times;
mod ui;

use std::io::Write;
use std::process;

use clap::Parser;
use clap::error::ErrorKind;

pub use args::Cli;
pub use exit_code::ExitCode;
pub use reference::reference_markdown;

use context::Context;

/// Runs amint with the arguments of the process.
pub fn main() -> process::ExitCode {
    // A panic is a defect of ours: it keeps its own exit code, after everything was cleaned up by unwinding.
    std::panic::catch_unwind(run).unwrap_or_else(|_| {
        let _ = writeln!(
            std::io::stderr(),
            "error: this is a defect of amint; please report it with the lines above"
        );
        ExitCode::Defect.into()
    })
}

fn run() -> process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no reason to complain.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::Fine.into(),
                _ => ExitCode::Usage.into(),
            };
        }
    };
    let context = match Context::new(&cli.global) {
        Ok(context) => context,
        Err(failure) => return context::show_failure(&cli.global, &failure).into(),
    };
    let result = commands::run(cli.command, &context);
    context.finish();
    match result {
        Ok(code) => code.into(),
        Err(failure) => context::show_failure(&cli.global, &failure).into(),
    }
}
