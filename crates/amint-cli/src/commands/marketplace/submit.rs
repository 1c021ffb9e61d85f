//! `amint marketplace submit`: the image becomes a version of its product.

use std::fmt::Write;

use amint_publish::calls::Purpose;
use amint_publish::marketplace::{REGION, RolePlan, Submission, make_role, submit};
use serde_json::json;

use super::ask::{Asked, ask};
use super::cloud;
use super::ending::end;
use super::parts::{self, Part};
use super::sold::Sold;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::marketplace_args::SubmitArgs;
use crate::ui::Palette;

pub(super) fn run(args: &SubmitArgs, context: &Context) -> Result<ExitCode, Failure> {
    let sold = Sold::open(&args.image, context)?;
    sold.product_id()?;
    crate::aws::run(Purpose::Sell, async |connection| {
        let catalog = connection.catalog();
        let mut asked = asked(&sold, args, &connection, context).await?;
        // A role is made for a version that could be added with it, and for no other.
        if makes_role(args, &asked) && !args.plan && !is_refused(&asked, true) {
            context.say(&role_text(&asked.role, "making"));
            make_role(&catalog, &asked.role, &sold.subject(), &sold.store, &context.cancel).await?;
            asked = self::asked(&sold, args, &connection, context).await?;
        }
        let is_refused = is_refused(&asked, args.plan && makes_role(args, &asked));
        if args.plan || is_refused {
            tell_plan(&sold, args, &asked, context)?;
            return Ok(if is_refused { ExitCode::Gate } else { ExitCode::Fine });
        }
        let (Some(image), Some(product)) = (&asked.image, &asked.product) else { return Ok(ExitCode::Gate) };
        for flaw in asked.parts.iter().flat_map(|part| &part.flaws) {
            context.sink().warn(&flaw.message, Some(&flaw.hint));
        }
        let subject = sold.subject();
        let submission = Submission {
            listing: &asked.listing,
            image_id: &image.id,
            subject: &subject,
            is_validation: args.validate,
        };
        let started = submit(&catalog, &submission, product, &sold.store, &context.cancel).await?;
        let Some(id) = started else {
            context.finish();
            context.say(&format!("{} has the version {} already", product.id, asked.listing.title));
            return Ok(ExitCode::Fine);
        };
        end(&catalog, &product.id, &id, args.no_wait, context).await
    })
}

/// Asks for everything: what cannot be seen cannot be submitted.
async fn asked(
    sold: &Sold,
    args: &SubmitArgs,
    connection: &amint_aws::Connection,
    context: &Context,
) -> Result<Asked, Failure> {
    let asked = ask(sold, args.ami.as_deref(), connection, context).await?;
    match asked.error {
        Some(error) => Err(cloud(error)),
        None => Ok(asked),
    }
}

fn makes_role(args: &SubmitArgs, asked: &Asked) -> bool {
    args.create_role && !asked.role.is_nothing()
}

fn is_refused(asked: &Asked, but_for_role: bool) -> bool {
    asked.parts.iter().any(|part: &Part| part.is_refused() && !(but_for_role && part.name == "role"))
}

fn tell_plan(sold: &Sold, args: &SubmitArgs, asked: &Asked, context: &Context) -> Result<(), Failure> {
    context.finish();
    if context.global.json {
        let details = asked.image.as_ref().map(|image| asked.listing.details(&image.id));
        let role = makes_role(args, asked).then_some(&asked.role);
        return context.print_json(&json!({
            "image": sold.subject(), "parts": asked.parts, "details": details, "makes_role": role,
        }));
    }
    let text = parts::text(&asked.parts, Palette::for_stdout());
    context.print(&(text + &plan_text(args, asked)));
    Ok(())
}

fn plan_text(args: &SubmitArgs, asked: &Asked) -> String {
    let listing = &asked.listing;
    let Some(image) = &asked.image else { return String::new() };
    let verb = if args.validate { "validate" } else { "add" };
    let mut text =
        format!("{verb} version {} of {} in {REGION}, of {}\n", listing.title, listing.product_id, image.id);
    if makes_role(args, asked) {
        let _ = writeln!(text, "  {}", role_text(&asked.role, "first make"));
    }
    for opening in &listing.openings {
        let sources = opening.sources.join(", ");
        let _ = writeln!(text, "  opens {} {} for {sources}", opening.protocol, opening.port);
    }
    if let Some(access) = &listing.access {
        let _ = writeln!(text, "  is reached at {access}");
    }
    text
}

fn role_text(plan: &RolePlan, verb: &str) -> String {
    let arn = plan.arn.as_str();
    if plan.creates {
        format!(
            "{verb} the role {arn}, which assets.marketplace.amazonaws.com may assume, with the policy AWSMarketplaceAmiIngestion"
        )
    } else {
        format!("{verb} the role {arn} whole: it lacks the policy AWSMarketplaceAmiIngestion")
    }
}
