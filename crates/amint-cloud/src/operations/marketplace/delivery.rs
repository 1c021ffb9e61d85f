//! Whether a version can be added to a product.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::REGION;
use super::changes::{AddDeliveryOptions, AmiSource};
use crate::records::{Image, Product, Role, Tables};

/// Who takes images in for AWS Marketplace.
const SERVICE: &str = "assets.marketplace.amazonaws.com";
/// The policy that lets it, and the operation without which it cannot.
const POLICY: &str = "arn:aws:iam::aws:policy/AWSMarketplaceAmiIngestion";
const OPERATION: &str = "ec2:ModifyImageAttribute";
/// How long a title is.
const TITLE_MAX: usize = 64;
/// How old an image is at most.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// An error of a change: code and words.
pub(super) type Error = (String, String);

/// Returns everything that is wrong with a new version.
pub(super) fn errors(
    tables: &Tables,
    account: &str,
    product: &Product,
    details: &AddDeliveryOptions,
    now: Timestamp,
) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut add = |code: &str, words: String| errors.push((code.to_owned(), words));
    let title = &details.version.version_title;
    if title.trim() != title || title.is_empty() || !title.is_ascii() || title.len() > TITLE_MAX {
        let words = "The version title has to be of ASCII, up to 64 characters, without spaces at its ends.";
        add("INVALID_VERSION_TITLE", words.to_owned());
    }
    if product.versions.iter().any(|version| version.title == *title) {
        add("DUPLICATE_VERSION_TITLE", format!("There is a version with the title '{title}' already."));
    }
    for wrapped in &details.delivery_options {
        let kind = &wrapped.details.ami_delivery_option_details.recommended_instance_type;
        if !product.instance_types.contains(kind) {
            let words =
                format!("The recommended instance type '{kind}' is none of the product's instance types.");
            add("RECOMMENDED_INSTANCE_TYPE_NOT_AVAILABLE", words);
        }
    }
    // The form says that there is one, and that all are of the same source.
    if let Some(first) = details.delivery_options.first() {
        let source = &first.details.ami_delivery_option_details.ami_source;
        image_errors(tables, account, product, source, now, &mut add);
        role_errors(tables, account, source, &mut add);
    }
    errors
}

fn image_errors(
    tables: &Tables,
    account: &str,
    product: &Product,
    source: &AmiSource,
    now: Timestamp,
    add: &mut impl FnMut(&str, String),
) {
    let id = &source.ami_id;
    let Some(image) = tables.images.get(id).filter(|image| image.account == account) else {
        return add("INVALID_AMI", format!("The AMI '{id}' does not exist in the account {account}."));
    };
    if image.region != REGION {
        add("INVALID_AMI", format!("The AMI '{id}' is in {}, and has to be in {REGION}.", image.region));
    }
    if image.state(now) != "available" {
        add("INVALID_AMI", format!("The AMI '{id}' is {}.", image.state(now)));
    }
    if image.block_devices.iter().any(|device| device.is_encrypted) {
        add("INVALID_AMI", format!("The AMI '{id}' has encrypted snapshots."));
    }
    if image.imds_support.as_deref() != Some("v2.0") {
        add("INVALID_AMI", format!("The AMI '{id}' has not ImdsSupport v2.0."));
    }
    if now.duration_since(image.created) > AGE_MAX {
        add("INVALID_AMI", format!("The AMI '{id}' is older than two years."));
    }
    let latest = product.versions.last();
    if let Some(other) = latest.filter(|version| version.architecture != image.architecture) {
        let words = format!("CPU architecture of latest version of the product is '{}'", other.architecture);
        add("INVALID_AMI_ARCHITECTURE", words);
    }
}

fn role_errors(tables: &Tables, account: &str, source: &AmiSource, add: &mut impl FnMut(&str, String)) {
    const CODE: &str = "INVALID_ACCESS_ROLE_ARN";
    let arn = &source.access_role_arn;
    let found = tables.roles.values().find(|role| role.account == account && role.arn() == *arn);
    let Some(role) = found else {
        return add(CODE, format!("The role '{arn}' does not exist in the account {account}."));
    };
    if !trusts(role) {
        add(CODE, format!("The role '{arn}' does not let {SERVICE} assume it."));
    }
    let can =
        role.attached.contains(POLICY) || role.policies.values().any(|policy| policy.contains(OPERATION));
    if !can {
        add(CODE, format!("The role '{arn}' has neither AWSMarketplaceAmiIngestion nor {OPERATION}."));
    }
}

/// Tells whether a role lets AWS Marketplace assume it.
fn trusts(role: &Role) -> bool {
    let document: Value = serde_json::from_str(&role.trust).unwrap_or_default();
    let all = |value: &Value| match value {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    all(&document["Statement"]).iter().any(|statement| {
        statement["Effect"] == "Allow"
            && all(&statement["Principal"]["Service"]).iter().any(|one| one == SERVICE)
    })
}

/// Returns the image of a version that has no errors.
pub(super) fn image<'t>(tables: &'t Tables, source: &AmiSource) -> Option<&'t Image> {
    tables.images.get(&source.ami_id).map(AsRef::as_ref)
}
