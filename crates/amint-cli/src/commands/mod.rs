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
#[cfg(feature = "aws")]
mod gc_cloud;
mod iam;
mod identity;
mod images;
mod init;
mod lock;
#[cfg(feature = "aws")]
mod marketplace;
#[cfg(feature = "aws")]
mod promote;
#[cfg(feature = "aws")]
mod publish;
mod rm;
mod scan;
mod schema;
mod shell;
mod show;
mod test;
mod update;
mod verify;
#[cfg(feature = "aws")]
mod verify_ami;

pub(crate) use check::load as load_recipe;

use crate::args::Command;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Runs a command that speaks with AWS, in a build that can.
#[cfg(feature = "aws")]
macro_rules! with_aws {
    ($run:expr) => {
        $run
    };
}

#[cfg(not(feature = "aws"))]
macro_rules! with_aws {
    ($module:ident :: run(&$args:ident, $context:ident)) => {{
        let _ = (&$args, $context);
        Err(Failure::new(ExitCode::Environment, "this build of amint does not speak with AWS")
            .hint("build it with the feature `aws`"))
    }};
}

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
        Command::Publish(args) => with_aws!(publish::run(&args, context)),
        Command::Promote(args) => with_aws!(promote::run(&args, context)),
        Command::Marketplace(command) => with_aws!(marketplace::run(&command, context)),
        Command::Verify(args) if crate::publishing::is_ami(&args.image) => {
            with_aws!(verify_ami::run(&args, context))
        }
        Command::Verify(args) => verify::run(&args, context),
        Command::Iam(command) => iam::run(&command, context),
        Command::Identity(command) => identity::run(&command, context),
        Command::Cloud(command) => cloud::run(&command, context),
        Command::Rm(args) => rm::run(&args, context),
        Command::Gc(args) if args.cloud => with_aws!(gc_cloud::run(&args, context)),
        Command::Gc(args) => gc::run(&args, context),
        Command::Completions { shell } => Ok(completions::completions(shell, context)),
        Command::Man { folder } => completions::manual(&folder),
        Command::InternalImdsBridge { socket } => amint_guest::bridge(&socket)
            .map(|()| ExitCode::Fine)
            .map_err(|error| Failure::new(ExitCode::Environment, error)),
    }
}
