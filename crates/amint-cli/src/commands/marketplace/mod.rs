//! `amint marketplace`: versions of products that are sold on AWS Marketplace.

mod ask;
mod check;
mod ending;
mod parts;
mod restrict;
mod sold;
mod status;
mod submit;

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::marketplace_args::MarketplaceCommand;

/// Runs one of them.
pub(crate) fn run(command: &MarketplaceCommand, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        MarketplaceCommand::Check(args) => check::run(args, context),
        MarketplaceCommand::Submit(args) => submit::run(args, context),
        MarketplaceCommand::Status(args) => status::run(args, context),
        MarketplaceCommand::Restrict(args) => restrict::run(args, context),
    }
}

fn cloud(error: amint_publish::CloudError) -> Failure {
    Failure::from(amint_publish::ApplyError::from(error))
}
