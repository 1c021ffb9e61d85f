//! What AWS says of a version that is not there yet.

use amint_aws::Connection;
use amint_publish::marketplace::{
    CatalogProduct, Listing, Look, LookFor, Origin, REGION, RolePlan, Seen, image_flaws, look, plan_role,
    product_flaws, role_flaws,
};
use amint_publish::{ApplyError, CloudError, CloudImage};
use jiff::Timestamp;

use super::parts::Part;
use super::sold::Sold;
use crate::context::Context;

/// A role for the listing while no account is known.
const NO_ROLE: &str = "arn:aws:iam::000000000000:role/amint-marketplace";
/// The parts that AWS has to be asked for.
const ASKED: [&str; 3] = ["ami", "product", "role"];

/// What AWS says of a version that is not there yet.
pub(super) struct Asked {
    pub(super) parts: Vec<Part>,
    pub(super) listing: Listing,
    pub(super) image: Option<CloudImage>,
    pub(super) product: Option<CatalogProduct>,
    pub(super) role: RolePlan,
    /// The first request that failed.
    pub(super) error: Option<CloudError>,
}

/// Asks for AMI, product and role, and holds them against the listing.
pub(super) async fn ask(
    sold: &Sold,
    ami: Option<&str>,
    connection: &Connection,
    context: &Context,
) -> Result<Asked, ApplyError> {
    let marketplace = &sold.recipe.recipe.marketplace;
    let wanted = LookFor {
        image_id: ami,
        digest: sold.record.digest,
        product_id: marketplace.product.as_deref(),
        access_role: marketplace.access_role.as_deref(),
    };
    let (region, catalog) = (connection.in_region(REGION), connection.catalog());
    Ok(hold(sold, ami, look(&region, &catalog, wanted, &context.cancel).await?))
}

/// Returns the parts when AWS is not asked, or not even tells the account.
pub(super) fn unasked(sold: &Sold, why: &str) -> Vec<Part> {
    let mut parts = vec![Part::of("listing", sold.listing(NO_ROLE).flaws())];
    parts.extend(ASKED.map(|part| Part::unchecked(part, why)));
    parts
}

fn hold(sold: &Sold, ami: Option<&str>, look: Look) -> Asked {
    let error = look.error().cloned();
    let listing = sold.listing(look.role_arn.as_str());
    let origin = Origin { account: &look.account, digest: sold.record.digest };
    let known_image = look.image.as_ref().ok().and_then(Option::as_ref);
    let image = part("ami", &look.image, |image| match image {
        Some(image) => image_flaws(image, origin, Timestamp::now()),
        None => vec![no_image(sold, ami)],
    });
    let product = if listing.product_id.is_empty() {
        // That is a flaw of the listing already.
        Part::unchecked("product", "the recipe names none")
    } else {
        part("product", &look.product, |product| product_flaws(&listing, product, known_image))
    };
    let role_arn = look.role_arn.as_str();
    let role = part("role", &look.role, |role| role_flaws(role_arn, &look.account, role));
    let known_role = look.role.as_ref().ok().and_then(Option::as_ref);
    Asked {
        parts: vec![Part::of("listing", listing.flaws()), image, product, role],
        role: plan_role(&look.role_arn, &look.account, known_role),
        image: look.image.ok().flatten(),
        product: look.product.ok().flatten(),
        listing,
        error,
    }
}

fn part<T>(
    name: &'static str,
    seen: &Seen<T>,
    flaws: impl FnOnce(Option<&T>) -> Vec<amint_publish::marketplace::Flaw>,
) -> Part {
    match seen {
        Ok(found) => Part::of(name, flaws(found.as_ref())),
        Err(error) => Part::unchecked(name, error.to_string()),
    }
}

fn no_image(sold: &Sold, ami: Option<&str>) -> amint_publish::marketplace::Flaw {
    let message = match ami {
        Some(id) => format!("there is no image {id} in {REGION}"),
        None => format!("{} is not published in {REGION}", sold.subject()),
    };
    let hint = format!("`amint publish {} --region {REGION}` makes the AMI", sold.subject());
    amint_publish::marketplace::Flaw { code: "INVALID_AMI", message, hint, is_refused: true, page: None }
}
