//! The commands, one file each.

mod build;
mod build_check;
mod build_plan;
mod check;
mod cloud;
mod completions;
mod db;
mod diff;
mod export;
mod gc;
mod identity;
mod images;
mod init;
mod lock;
mod rm;
mod scan;
mod schema;
mod shell;
mod show;
mod test;
mod update;
mod verify;

pub(crate) use check::load as load_recipe;

use crate::args::Command;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Runs one command.
pub(crate) fn run(command: Command, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(args) => init::run(&args, context),
        Command::Check(args) => check::run(&args, context),
        Command::Schema => schema::run(context),
        Command::Lock(args) => lock::run(&args, context),
        Command::Update(args) => update::run(&args, context),
        Command::Build(args) => build::run(&args, context),
        Command::Test(args) => test::run(&args, context),
        Command::Shell(args) => shell::run(&args, context),
        Command::Images(args) => images::run(&args, context),
        Command::Show(args) => show::run(&args, context),
        Command::Export(args) => export::run(&args, context),
        Command::Scan(args) => scan::run(&args, context),
        Command::Diff(args) => diff::run(&args, context),
        Command::Db(command) => db::run(&command, context),
        Command::Verify(args) => verify::run(&args, context),
        Command::Identity(command) => identity::run(&command, context),
        Command::Cloud(command) => cloud::run(&command, context),
        Command::Rm(args) => rm::run(&args, context),
        Command::Gc(args) => gc::run(&args, context),
        Command::Completions { shell } => Ok(completions::completions(shell, context)),
        Command::Man { folder } => completions::manual(&folder),
        Command::InternalImdsBridge { socket } => amint_guest::bridge(&socket)
            .map(|()| ExitCode::Fine)
            .map_err(|error| Failure::new(ExitCode::Environment, error)),
    }
}
