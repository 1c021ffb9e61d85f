//! `amint marketplace restrict`: a version is hidden from new buyers.

use amint_publish::calls::Purpose;
use amint_publish::marketplace::{Catalog, CatalogProduct, CatalogVersion, restrict};
use amint_types::{ImageRef, ImageVersion};
use serde_json::json;

use super::cloud;
use super::ending::end;
use super::sold::Sold;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::marketplace_args::RestrictArgs;

pub(super) fn run(args: &RestrictArgs, context: &Context) -> Result<ExitCode, Failure> {
    let (sold, named) = sold(&args.image, context)?;
    let product_id = sold.product_id()?;
    let subject = format!("{}:{named}", sold.record.name);
    // Of an image that was sold before its recipe had a `title`, the version is the title.
    let titles = [sold.recipe.recipe.marketplace.version_title(&named), named.to_string()];
    crate::aws::run(Purpose::Sell, async |connection| {
        let catalog = connection.catalog();
        let product = catalog.product(product_id).await.map_err(cloud)?;
        let product = product.ok_or_else(|| {
            Failure::new(ExitCode::Input, format!("there is no product {product_id} in the account"))
        })?;
        let version = hideable(&product, &titles)?;
        let title = &version.title;
        let options = &version.public_options;
        if options.is_empty() {
            context.say(&format!("version {title} of {product_id} is hidden already"));
            return Ok(ExitCode::Fine);
        }
        if args.plan {
            if context.global.json {
                context.print_json(
                    &json!({ "product": product_id, "version": title, "delivery_options": options }),
                )?;
            } else {
                context.print(&format!(
                    "hide version {title} of {product_id} from new buyers: {}\n",
                    options.join(", ")
                ));
            }
            return Ok(ExitCode::Fine);
        }
        if !args.yes {
            let message = format!("version {title} of {product_id} would be hidden from new buyers for good");
            return Err(Failure::new(ExitCode::Usage, message)
                .hint("`--yes` says that this is meant, `--plan` shows what would be hidden"));
        }
        let id = restrict(&catalog, product_id, options, &subject, &sold.store, &context.cancel).await?;
        end(&catalog, product_id, &id, args.no_wait, context).await
    })
}

/// Finds the image, or where the store has that version no more, another one of its name: its recipe names the product.
fn sold(image: &str, context: &Context) -> Result<(Sold, ImageVersion), Failure> {
    let reference: ImageRef = image.parse()?;
    let Some(version) = &reference.version else {
        return Err(Failure::new(ExitCode::Usage, format!("`{image}` names no version"))
            .hint("write NAME:VERSION: it is hidden for good"));
    };
    let version = version.clone();
    let opened = Sold::open(image, context);
    let sold = match opened {
        Ok(sold) => sold,
        Err(first) => Sold::open(reference.name.as_str(), context).map_err(|_| first)?,
    };
    Ok((sold, version))
}

/// Returns a version that can be hidden, or is already.
fn hideable<'p>(product: &'p CatalogProduct, titles: &[String]) -> Result<&'p CatalogVersion, Failure> {
    let find = |title: &String| product.versions.iter().find(|version| version.title == *title);
    let version = titles.iter().find_map(find).ok_or_else(|| {
        let title = titles.first().map(String::as_str).unwrap_or_default();
        Failure::new(ExitCode::Input, format!("{} has no version {title}", product.id))
            .hint("`amint marketplace status` lists its versions")
    })?;
    let public = product.versions.iter().filter(|version| !version.public_options.is_empty()).count();
    if public == 1 && !version.public_options.is_empty() {
        let message =
            format!("{} is the only version of {} that buyers can choose", version.title, product.id);
        return Err(Failure::new(ExitCode::Gate, message).hint("submit a newer one first"));
    }
    Ok(version)
}
