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
/// The signs of trademarks.
const MARKS: [char; 2] = ['™', '®'];
/// How old an image is at most.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// An error of a change: code and words.
pub(super) type Error = (String, String);

/// What is looked at of an image: each control by the id of AWS's requirement, and the words of its errors.
pub(super) const CONTROLS: [(&str, &[&str]); 4] = [
    ("MP-A1", &[NOT_HERE, NOT_IN_REGION]),
    ("MP-A5", &[ENCRYPTED]),
    ("MP-A8", &[NO_IMDSV2]),
    ("MP-G3", &[OLD]),
];
const NOT_HERE: &str = "does not exist in the account";
const NOT_IN_REGION: &str = "and has to be in us-east-1";
const ENCRYPTED: &str = "has encrypted snapshots";
const NO_IMDSV2: &str = "has not ImdsSupport v2.0";
const OLD: &str = "is older than two years";
/// The code of the errors of an image.
pub(super) const INVALID_IMAGE: &str = "INVALID_AMI";

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
    text_errors("INVALID_VERSION_TITLE", "the version title", title, &mut add);
    let strange: String = title.chars().filter(|one| !one.is_ascii() && !MARKS.contains(one)).collect();
    if !strange.is_empty() {
        add("INVALID_VERSION_TITLE", format!("Remove unsupported characters: {strange}."));
    }
    if title.is_empty() || title.chars().count() > TITLE_MAX {
        let words = format!("Provide version title with fewer than {} characters.", TITLE_MAX + 1);
        add("INVALID_VERSION_TITLE", words);
    }
    text_errors("INVALID_RELEASE_NOTES", "release notes", &details.version.release_notes, &mut add);
    if product.versions.iter().any(|version| version.title == *title) {
        add("DUPLICATE_VERSION_TITLE", format!("There is a version with the title '{title}' already."));
    }
    for wrapped in &details.delivery_options {
        let delivery = &wrapped.details.ami_delivery_option_details;
        text_errors(
            "INVALID_USAGE_INSTRUCTIONS",
            "usage instructions",
            &delivery.usage_instructions,
            &mut add,
        );
        let kind = &delivery.recommended_instance_type;
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

/// Finds what no text may have ("Errors in the AMI products API").
fn text_errors(code: &str, what: &str, text: &str, add: &mut impl FnMut(&str, String)) {
    if text.starts_with(char::is_whitespace) {
        add(code, format!("Remove spaces from the beginning of {what}."));
    }
    let is_spaced = |(one, next): (char, char)| one == ' ' && MARKS.contains(&next);
    if text.chars().zip(text.chars().skip(1)).any(is_spaced) {
        add(code, "Remove spaces before the trademark symbol.".to_owned());
    }
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
        return add(INVALID_IMAGE, format!("The AMI '{id}' {NOT_HERE} {account}."));
    };
    if image.region != REGION {
        add(INVALID_IMAGE, format!("The AMI '{id}' is in {}, {NOT_IN_REGION}.", image.region));
    }
    if image.state(now) != "available" {
        add(INVALID_IMAGE, format!("The AMI '{id}' is {}.", image.state(now)));
    }
    if image.block_devices.iter().any(|device| device.is_encrypted) {
        add(INVALID_IMAGE, format!("The AMI '{id}' {ENCRYPTED}."));
    }
    if image.imds_support.as_deref() != Some("v2.0") {
        add(INVALID_IMAGE, format!("The AMI '{id}' {NO_IMDSV2}."));
    }
    if now.duration_since(image.created) > AGE_MAX {
        add(INVALID_IMAGE, format!("The AMI '{id}' {OLD}."));
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
