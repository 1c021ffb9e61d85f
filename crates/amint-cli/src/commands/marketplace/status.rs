//! `amint marketplace status`: what became of a product's changes, and what AWS found in its images.

use std::path::Path;

use amint_aws::AwsCatalog;
use amint_publish::calls::Purpose;
use amint_publish::marketplace::{
    Catalog, CatalogProduct, ChangeSetState, ChangeSetStatus, newest_assessment,
};
use amint_types::assessment::AssessmentReport;
use serde_json::json;

use super::cloud;
use super::ending::{assessment_text, end, found, tell};
use super::sold::Sold;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::marketplace_args::MarketplaceStatusArgs;
use crate::ui::{Palette, Table};

pub(super) fn run(args: &MarketplaceStatusArgs, context: &Context) -> Result<ExitCode, Failure> {
    let product_id = product_id(&args.image, context)?;
    crate::aws::run(Purpose::Sell, async |connection| {
        let catalog = connection.catalog();
        if let Some(path) = &args.assessment {
            return write_assessment(&catalog, &product_id, args, path, context).await;
        }
        if let Some(id) = &args.change_set {
            return end(&catalog, &product_id, id, false, context).await;
        }
        let product = catalog.product(&product_id).await.map_err(cloud)?.ok_or_else(|| {
            Failure::new(ExitCode::Input, format!("there is no product {product_id} in the account")).hint(
                "see `product` in the recipe's `[marketplace]`, and which account the credentials are of",
            )
        })?;
        let sets = catalog.change_sets(&product_id).await.map_err(cloud)?;
        // Products of before assessments have none, and rights of before do not let them be read.
        let newest = newest_assessment(&catalog, &product_id, None, &context.cancel).await;
        let newest = newest.map_err(|error| error.to_string());
        context.finish();
        if context.global.json {
            let (assessment, unread) = match newest {
                Ok(report) => (report, None),
                Err(why) => (None, Some(why)),
            };
            context.print_json(&json!({
                "product": product_id, "versions": product.versions, "change_sets": sets,
                "assessment": assessment, "assessment_unread": unread,
            }))?;
            return Ok(ExitCode::Fine);
        }
        show(&product, &sets, context);
        match newest {
            Ok(Some(report)) => context.print(&assessment_text(&report, Palette::for_stdout())),
            Ok(None) => {}
            Err(why) => context.say(&format!("AWS's assessments were not read: {why}")),
        }
        // Lists of change sets come without their errors.
        if let Some(failed) = sets.first().filter(|set| set.status == ChangeSetStatus::Failed)
            && let Some(state) = catalog.change_set(&failed.id).await.map_err(cloud)?
        {
            tell(&state, &found(&catalog, &product_id, &state, context).await, context)?;
        }
        Ok(ExitCode::Fine)
    })
}

/// Takes a product by its id, or by the recipe of an image.
fn product_id(name: &str, context: &Context) -> Result<String, Failure> {
    // An image may be called as products are: the store knows.
    match Sold::open(name, context) {
        Err(_) if amint_recipe::is_product(name) => Ok(name.to_owned()),
        sold => Ok(sold?.product_id()?.to_owned()),
    }
}

/// Writes AWS's own findings in the form that `amint scan --assessment` takes.
async fn write_assessment(
    catalog: &AwsCatalog,
    product_id: &str,
    args: &MarketplaceStatusArgs,
    path: &Path,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let change_set = args.change_set.as_deref();
    let report = newest_assessment(catalog, product_id, change_set, &context.cancel).await?;
    let Some(report) = report else {
        let of = change_set.map_or_else(|| product_id.to_owned(), |id| format!("the change set {id}"));
        return Err(Failure::new(ExitCode::Evidence, format!("AWS has no assessment of {of}"))
            .hint("one is made when AWS scans an image: after `amint marketplace submit`"));
    };
    write(path, &report)?;
    context.finish();
    if context.global.json {
        context.print_json(&json!({ "product": product_id, "assessment": report }))?;
    } else {
        context.print(&assessment_text(&report, Palette::for_stdout()));
    }
    context.say(&format!("`amint scan IMAGE --assessment {}` compares it", path.display()));
    Ok(ExitCode::Fine)
}

fn write(path: &Path, report: &AssessmentReport) -> Result<(), Failure> {
    let text = amint_report::scan::assessment_json(report);
    crate::commands::scan::write(path, &text)
}

fn show(product: &CatalogProduct, sets: &[ChangeSetState], context: &Context) {
    let mut table = Table::new(["VERSION", "AMI", "BUYERS"]);
    for version in &product.versions {
        let buyers = if version.public_options.is_empty() { "hidden from new ones" } else { "can choose it" };
        table.row([version.title.as_str(), version.image_id.as_str(), buyers]);
    }
    context.print(&table.render(Palette::for_stdout()));
    let mut table = Table::new(["CHANGE SET", "STATUS", "STARTED", "WHAT"]);
    for set in sets {
        let started = set.started.map(|time| time.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
        table.row([set.id.as_str(), set.status.as_str(), started.as_str(), set.name.as_str()]);
    }
    context.print(&table.render(Palette::for_stdout()));
}
