//! `amint iam`: policies made of the very list of requests that amint sends.

use amint_publish::calls::Purpose;
use amint_publish::{PolicyRequest, policy};
use amint_types::channel_parameter;

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::publish_args::{IamArgs, IamCommand};
use crate::publishing::{accounts, default_parameter, regions};

/// Prints a policy.
pub(crate) fn run(command: &IamCommand, context: &Context) -> Result<ExitCode, Failure> {
    let (purpose, args) = match command {
        IamCommand::Publish(args) => (Purpose::Publish, args),
        IamCommand::Verify(args) => (Purpose::Verify, args),
        IamCommand::Gc(args) => (Purpose::Collect, args),
        IamCommand::Promote(args) => (Purpose::Promote, args),
        IamCommand::Marketplace(args) => (Purpose::Sell, args),
    };
    context.print_json(&policy(&request(purpose, args, context)?))?;
    Ok(ExitCode::Fine)
}

fn request(purpose: Purpose, args: &IamArgs, context: &Context) -> Result<PolicyRequest, Failure> {
    let file = args.recipe.as_ref().map(|path| super::load_recipe(path, context)).transpose()?;
    let recipe = file.as_ref().map(|file| &file.recipe);
    let publish = recipe.map(|recipe| &recipe.publish);
    let regions = if args.regions.is_empty() {
        regions(
            publish.into_iter().flat_map(|publish| publish.regions.iter().map(amint_recipe::Region::as_str)),
        )?
    } else {
        regions(args.regions.iter().map(String::as_str))?
    };
    let parameter = args.parameter.clone().or_else(|| publish.and_then(|publish| publish.parameter.clone()));
    let parameter = match (parameter, recipe) {
        (Some(path), _) => Some(path),
        (None, Some(recipe)) if purpose == Purpose::Promote || !recipe.publish.channels.is_empty() => {
            Some(default_parameter(&recipe.image.name))
        }
        (None, None) if purpose == Purpose::Promote => Some("/amint".to_owned()),
        _ => None,
    };
    if let Some(path) = &parameter {
        channel_parameter(path, "latest").map_err(|error| Failure::new(ExitCode::Usage, error))?;
    }
    let (accounts, organizations) = accounts(recipe, &args.share_with)?;
    Ok(PolicyRequest {
        purpose,
        roles: publish.map(|publish| publish.copy_to.iter().cloned().collect()).unwrap_or_default(),
        is_encrypting: args.encryption || publish.is_some_and(|publish| !publish.keys.is_empty()),
        is_sharing_with_organizations: !organizations.is_empty(),
        parameter,
        access_role: recipe.and_then(|recipe| recipe.marketplace.access_role.clone()),
        is_making_role: args.create_role,
        partition: partition(&regions)?.to_owned(),
        // Without a recipe nobody knows: copies are what several regions may get.
        is_copying: args.copies || (publish.is_some() && regions.len() > 1),
        regions: regions.into_iter().collect(),
        accounts,
        is_protecting: args.protection
            || publish.is_some_and(|publish| publish.deregistration_protection.is_some()),
        is_watermarking: args.watermarks || publish.is_some_and(|publish| !publish.watermarks.is_empty()),
        is_deprecating: args.deprecation
            || publish.is_some_and(|publish| publish.deprecate_after_days.is_some()),
    })
}

/// Returns the partition of regions: policies name it.
fn partition(regions: &[String]) -> Result<&'static str, Failure> {
    let of = |region: &String| match region.split('-').collect::<Vec<_>>()[..] {
        ["cn", ..] => "aws-cn",
        [_, "gov", ..] => "aws-us-gov",
        ["eusc", ..] => "aws-eusc",
        _ => "aws",
    };
    let mut found: Vec<&str> = regions.iter().map(of).collect();
    found.dedup();
    match found[..] {
        [] => Ok("aws"),
        [one] => Ok(one),
        _ => Err(Failure::new(ExitCode::Usage, "the regions are of several partitions of AWS")
            .hint("each partition has accounts and policies of its own: ask for one after the other")),
    }
}
