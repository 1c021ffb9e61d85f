//! `amint promote`: lets a channel name an image, in all regions or in none.

use amint_aws::AwsRegion;
use amint_publish::ChannelPlan;
use amint_publish::calls::Purpose;
use amint_types::{ImageRef, channel_parameter};

use crate::channels::Channels;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::images::stored_recipe;
use crate::present_publish;
use crate::publish_args::PromoteArgs;
use crate::publishing::{default_parameter, meant_regions};
use crate::ui::Palette;

/// Plans, and does it unless only the plan is wanted.
pub(crate) fn run(args: &PromoteArgs, context: &Context) -> Result<ExitCode, Failure> {
    let store = context.store()?;
    let reference: ImageRef = args.image.parse()?;
    let record = store.resolve(&reference)?;
    let file = stored_recipe(&store, &record)?;
    let recipe = file.as_ref().map(|file| &file.recipe);
    let of_recipe = || recipe.and_then(|recipe| recipe.publish.parameter.clone());
    let path = args.parameter.clone().or_else(of_recipe).unwrap_or_else(|| default_parameter(&record.name));
    let parameter =
        channel_parameter(&path, &args.channel).map_err(|error| Failure::new(ExitCode::Usage, error))?;
    let subject = record.reference().to_string();
    let channels = Channels {
        context,
        store: &store,
        subject: &subject,
        digest: record.digest,
        parameters: vec![parameter],
        takes_over: args.take_over,
    };
    crate::aws::run(Purpose::Promote, async |connection| {
        let names = meant_regions(&args.regions, recipe, connection.region())?;
        let regions: Vec<AwsRegion> = names.iter().map(|name| connection.in_region(name)).collect();
        let plans =
            if args.undo { channels.plan_undo(&regions).await? } else { channels.plan(&regions).await? };
        let is_refused = plans.iter().any(|plan| !plan.problems().is_empty());
        if args.plan || is_refused {
            tell(&plans, &subject, is_refused, context)?;
            return Ok(if is_refused { ExitCode::Gate } else { ExitCode::Fine });
        }
        channels.carry_out(&regions, &plans).await?;
        tell(&plans, &subject, false, context)?;
        Ok(ExitCode::Fine)
    })
}

fn tell(plans: &[ChannelPlan], subject: &str, is_refused: bool, context: &Context) -> Result<(), Failure> {
    if context.global.json {
        let changed = plans.iter().filter(|plan| !plan.is_nothing()).count();
        return context.print_json(&serde_json::json!({
            "image": subject, "channels": plans, "changes": changed, "is_refused": is_refused,
        }));
    }
    if is_refused {
        context.say(&present_publish::channels(plans, Palette::for_stderr()));
    } else {
        context.print(&present_publish::channels(plans, Palette::for_stdout()));
    }
    Ok(())
}
