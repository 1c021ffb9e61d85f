//! What stands in the way of a version, found by asking.

use amint_types::Digest;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::catalog::{AccessRole, CatalogProduct};
use super::explain::explain;
use super::lint::{PRACTICES, REQUIREMENTS, lint_update};
use super::listing::Listing;
use crate::cloud::CloudImage;
use crate::wanted::DIGEST_TAG;

/// Who takes images in for AWS Marketplace.
pub(super) const SERVICE: &str = "assets.marketplace.amazonaws.com";
/// The policy that AWS has for the role.
pub(super) const POLICY: &str = "AWSMarketplaceAmiIngestion";
/// How old an image may be: two years (MP-G3).
const AGE_MAX: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// Something that stands in the way, or should be better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// The code that AWS has for it, where it has one.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to try.
    pub hint: String,
    /// Whether AWS refuses the version for it.
    pub is_refused: bool,
    /// The page of AWS that asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<&'static str>,
}

impl Flaw {
    pub(super) fn refused(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into(), is_refused: true, page: None }
    }

    pub(super) fn noted(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { is_refused: false, ..Self::refused(code, message, hint) }
    }

    /// Names the page that asks for it.
    pub(super) fn citing(self, page: &'static str) -> Self {
        Self { page: Some(page), ..self }
    }
}

/// Whose image it has to be, and of which bytes.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The account that sells it.
    pub account: &'a str,
    /// The digest of the blocks that were looked into.
    pub digest: Digest,
}

/// Holds an AMI against what AWS Marketplace takes ("AMI-based product requirements"), and against what was looked into.
/// It is one of [`REGION`](super::REGION).
pub fn image_flaws(image: &CloudImage, origin: Origin<'_>, now: Timestamp) -> Vec<Flaw> {
    let mut flaws = form_flaws(image, now);
    let mut refuse = |code, message: String, hint: &str| {
        flaws.push(Flaw::refused(code, format!("{} {message}", image.id), hint));
    };
    if let Some(owner) = image.owner.as_deref().filter(|owner| *owner != origin.account) {
        let hint = "publish the image in the account that sells it: a copy is an AMI of its own";
        refuse("INVALID_AMI", format!("is of the account {owner}, not of {}", origin.account), hint);
    }
    let told = image.tags.get(DIGEST_TAG);
    if told.is_none_or(|told| *told != origin.digest.to_string()) {
        let what =
            told.map_or("does not say which image of the store it is", |_| "is another image of the store");
        let hint = "what was looked into here is not what would be sold: publish the image, or name its AMI";
        refuse("OTHER_IMAGE", what.to_owned(), hint);
    }
    if image.snapshot_ids.len() > 1 {
        let message = format!(
            "{} has {} volumes, and only the root was looked into",
            image.id,
            image.snapshot_ids.len()
        );
        flaws.push(Flaw::noted("MORE_VOLUMES", message, "AWS looks into all of them"));
    }
    if image.is_public {
        let message = format!("{} can be launched by everybody, without AWS Marketplace", image.id);
        flaws.push(Flaw::noted(
            "PUBLIC_AMI",
            message,
            "take the launch permission `all` away before it is sold",
        ));
    }
    flaws
}

/// What the image is by itself.
fn form_flaws(image: &CloudImage, now: Timestamp) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut refuse = |message: String, hint: &str| {
        let message = format!("{} {message}", image.id);
        flaws.push(Flaw::refused("INVALID_AMI", message, hint).citing(REQUIREMENTS));
    };
    let again = "publish it again with amint: it says all of it explicitly";
    if image.state != "available" {
        refuse(format!("is {}", image.state), "wait for it, or enable it");
    }
    if image.virtualization != "hvm" {
        refuse(format!("has the virtualization `{}`, not hvm", image.virtualization), again);
    }
    if !matches!(image.architecture.as_str(), "x86_64" | "arm64") {
        refuse(format!("has the architecture `{}`", image.architecture), again);
    }
    if image.imds_support.as_deref() != Some("v2.0") {
        refuse("does not have IMDSv2 only (ImdsSupport v2.0)".to_owned(), again);
    }
    if image.is_encrypted {
        refuse(
            "has an encrypted snapshot".to_owned(),
            "publish an unencrypted one, where encryption by default is off",
        );
    }
    if image.snapshot_ids.is_empty() {
        refuse("has no snapshot".to_owned(), again);
    }
    if let Some(kind) = image.root_device_type.as_deref().filter(|kind| *kind != "ebs") {
        refuse(format!("has a root device of the type `{kind}`, not ebs"), again);
    }
    if image.has_instance_types {
        refuse(
            "names the types of instances that it may be launched on".to_owned(),
            "take its instance type specification away: the product names the types",
        );
    }
    if !image.product_codes.is_empty() {
        refuse(
            format!("carries the product code {}", image.product_codes.join(", ")),
            "build upon an image without one",
        );
    }
    match image.created {
        Some(created) if now.duration_since(created) > AGE_MAX => {
            refuse("is older than two years".to_owned(), "build it again, of newer packages");
        }
        None => refuse("does not tell when it was made".to_owned(), again),
        Some(_) => {}
    }
    flaws
}

/// Holds a listing against its product: the titles, types and users that it has already.
pub fn product_flaws(
    listing: &Listing,
    product: Option<&CatalogProduct>,
    image: Option<&CloudImage>,
) -> Vec<Flaw> {
    let Some(product) = product else {
        let message = format!("there is no product `{}` in the account", listing.product_id);
        return vec![Flaw::refused(
            "INVALID_PRODUCT",
            message,
            "see `product` in the recipe's `[marketplace]`",
        )];
    };
    let mut flaws = Vec::new();
    let is_other = |id: &str| image.is_none_or(|image| image.id != id);
    if let Some(same) = product.versions.iter().find(|version| version.title == listing.title)
        && is_other(&same.image_id)
    {
        let message = format!("there is a version `{}` already, of {}", same.title, same.image_id);
        flaws.push(Flaw::refused("DUPLICATE_VERSION_TITLE", message, explain("DUPLICATE_VERSION_TITLE")));
    }
    if !listing.instance_type.is_empty() && !product.instance_types.contains(&listing.instance_type) {
        let some: Vec<&str> = product.instance_types.iter().take(5).map(String::as_str).collect();
        let message = format!(
            "{} is none of the product's types of instances ({})",
            listing.instance_type,
            some.join(", ")
        );
        flaws.push(Flaw::refused("RECOMMENDED_INSTANCE_TYPE_NOT_AVAILABLE", message, "choose one of them"));
    }
    let Some(latest) = product.versions.last() else { return flaws };
    if let Some(image) = image.filter(|image| image.architecture != latest.architecture) {
        let message = format!(
            "{} is for {}, and the product for {}",
            image.id, image.architecture, latest.architecture
        );
        flaws.push(Flaw::refused(
            "INVALID_AMI_ARCHITECTURE",
            message,
            "each architecture needs a product of its own",
        ));
    }
    if latest.user_name != listing.user_name {
        let message = format!(
            "the user is `{}`, and was `{}` in version {}",
            listing.user_name, latest.user_name, latest.title
        );
        flaws.push(
            Flaw::noted("USER_NAME_CHANGED", message, "buyers' scripts log in by the name that they know")
                .citing(PRACTICES),
        );
    }
    flaws.extend(lint_update(&listing.release_notes));
    flaws
}

/// Holds the access role against what AWS Marketplace needs of the account that sells.
pub fn role_flaws(arn: &str, account: &str, role: Option<&AccessRole>) -> Vec<Flaw> {
    const CODE: &str = "INVALID_ACCESS_ROLE_ARN";
    if arn.split(':').nth(4) != Some(account) {
        let message = format!("{arn} is not a role of the account {account}");
        return vec![Flaw::refused(CODE, message, "see `access_role` in the recipe's `[marketplace]`")];
    }
    let Some(role) = role.filter(|role| role.arn == arn) else {
        let hint = "`amint marketplace submit --create-role` makes it";
        return vec![Flaw::refused(CODE, format!("there is no role {arn}"), hint)];
    };
    let mut flaws = Vec::new();
    if !trusts(&role.trust) {
        let message = format!("{arn} does not let {SERVICE} assume it");
        flaws.push(Flaw::refused(CODE, message, "edit its trust policy"));
    }
    if !has_policy(role) {
        let message = format!("{arn} does not have the policy {POLICY}");
        let hint = if role.has_inline {
            "attach it, or make sure that a policy of its own allows as much"
        } else {
            "`amint marketplace submit --create-role` attaches it"
        };
        flaws.push(Flaw { is_refused: !role.has_inline, ..Flaw::refused(CODE, message, hint) });
    }
    flaws
}

/// Tells whether a role has the policy that AWS has for it.
pub(super) fn has_policy(role: &AccessRole) -> bool {
    role.attached.iter().any(|policy| policy.ends_with(&format!(":policy/{POLICY}")))
}

fn trusts(policy: &str) -> bool {
    let document: Value = serde_json::from_str(policy).unwrap_or_default();
    let all = |value: &Value| match value {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    all(&document["Statement"]).iter().any(|statement| {
        statement["Effect"] == "Allow"
            && all(&statement["Principal"]["Service"]).iter().any(|one| one == SERVICE)
    })
}

#[cfg(test)]
mod tests {
    use super::super::catalog::CatalogVersion;
    use super::super::listing::{Access, Opening};
    use super::*;

    fn listing() -> Listing {
        Listing {
            product_id: "prod-1".to_owned(),
            title: "1.0.0".to_owned(),
            release_notes: "First.".to_owned(),
            usage_instructions: "No password is kept, there is no key to rotate, nothing is encrypted, /health tells its status to a browser."
                .to_owned(),
            access_role: "arn:aws:iam::123456789012:role/ingestion".to_owned(),
            user_name: "ec2-user".to_owned(),
            system_name: "DEBIAN".to_owned(),
            system_version: "12".to_owned(),
            instance_type: "t3.micro".to_owned(),
            openings: vec![Opening {
                protocol: "tcp".to_owned(),
                port: 443,
                sources: vec!["0.0.0.0/0".to_owned()],
            }],
            access: Some(Access { protocol: "https".to_owned(), port: 443, path: "/login".to_owned() }),
        }
    }

    fn codes(flaws: &[Flaw]) -> Vec<(&'static str, bool)> {
        flaws.iter().map(|flaw| (flaw.code, flaw.is_refused)).collect()
    }

    #[test]
    fn a_good_listing_has_no_flaw_and_each_bad_text_is_named() {
        assert_eq!(listing().flaws(), []);
        let bad = Listing {
            title: " 1.0".to_owned(),
            release_notes: String::new(),
            usage_instructions: "x".repeat(4001),
            user_name: "u".repeat(33),
            access_role: "ingestion".to_owned(),
            openings: vec![
                Opening { protocol: "tcp".to_owned(), port: 22, sources: vec!["0.0.0.0/0".to_owned()] },
                Opening { protocol: "tcp".to_owned(), port: 80, sources: vec!["::/0".to_owned()] },
            ],
            access: Some(Access { protocol: "ftp".to_owned(), port: 443, path: "login".to_owned() }),
            ..listing()
        };
        let found = codes(&bad.flaws());
        for expected in [
            ("INVALID_VERSION_TITLE", true),
            ("INVALID_RELEASE_NOTES", true),
            ("INVALID_USAGE_INSTRUCTIONS", true),
            ("INVALID_USER_NAME", true),
            ("INVALID_ACCESS_ROLE_ARN", true),
            ("OPEN_ADMIN_PORT", false),
            ("INVALID_SECURITY_GROUP", true),
            ("INVALID_ACCESS_ENDPOINT_URL", true),
            ("CLOSED_ACCESS_PORT", false),
            ("USAGE_TOPIC", false),
        ] {
            assert!(found.contains(&expected), "{expected:?}: {found:?}");
        }
    }

    #[test]
    fn the_image_the_product_and_the_role_are_held_against_it() {
        let now: Timestamp = "2026-11-26T00:00:00Z".parse().unwrap();
        let good = CloudImage {
            id: "ami-1".to_owned(),
            state: "available".to_owned(),
            virtualization: "hvm".to_owned(),
            architecture: "x86_64".to_owned(),
            imds_support: Some("v2.0".to_owned()),
            snapshot_ids: ["snap-1".to_owned()].into(),
            created: Some(now),
            owner: Some("123456789012".to_owned()),
            root_device_type: Some("ebs".to_owned()),
            tags: [(DIGEST_TAG.to_owned(), Digest::of(b"web").to_string())].into(),
            ..CloudImage::default()
        };
        let origin = Origin { account: "123456789012", digest: Digest::of(b"web") };
        assert_eq!(image_flaws(&good, origin, now), []);
        let bad = CloudImage {
            is_encrypted: true,
            imds_support: None,
            created: Some(Timestamp::UNIX_EPOCH),
            ..good.clone()
        };
        assert_eq!(image_flaws(&bad, origin, now).len(), 3);
        let foreign = CloudImage {
            owner: Some("111122223333".to_owned()),
            root_device_type: Some("instance-store".to_owned()),
            has_instance_types: true,
            is_public: true,
            snapshot_ids: ["snap-1".to_owned(), "snap-2".to_owned()].into(),
            ..good.clone()
        };
        let found = codes(&image_flaws(&foreign, origin, now));
        assert_eq!(found.iter().filter(|flaw| **flaw == ("INVALID_AMI", true)).count(), 3, "{found:?}");
        assert_eq!(found[3..], [("MORE_VOLUMES", false), ("PUBLIC_AMI", false)]);
        let other = Origin { digest: Digest::of(b"another"), ..origin };
        assert_eq!(codes(&image_flaws(&good, other, now)), [("OTHER_IMAGE", true)]);
        let untagged = CloudImage { tags: crate::Tags::new(), ..good.clone() };
        assert_eq!(codes(&image_flaws(&untagged, origin, now)), [("OTHER_IMAGE", true)]);

        let version = CatalogVersion {
            title: "1.0.0".to_owned(),
            image_id: "ami-0".to_owned(),
            architecture: "arm64".to_owned(),
            user_name: "admin".to_owned(),
            ..CatalogVersion::default()
        };
        let product =
            CatalogProduct { id: "prod-1".to_owned(), versions: vec![version], ..CatalogProduct::default() };
        let found = codes(&product_flaws(&listing(), Some(&product), Some(&good)));
        assert_eq!(
            found,
            [
                ("DUPLICATE_VERSION_TITLE", true),
                ("RECOMMENDED_INSTANCE_TYPE_NOT_AVAILABLE", true),
                ("INVALID_AMI_ARCHITECTURE", true),
                ("USER_NAME_CHANGED", false),
                ("RELEASE_LABEL", false),
            ]
        );
        assert_eq!(codes(&product_flaws(&listing(), None, None)), [("INVALID_PRODUCT", true)]);

        let arn = listing().access_role;
        let account = "123456789012";
        assert_eq!(role_flaws(&arn, account, None).len(), 1);
        let trust =
            format!(r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"Service": ["{SERVICE}"]}}}}}}"#);
        let role = AccessRole { arn: arn.clone(), trust, ..AccessRole::default() };
        assert_eq!(role_flaws(&arn, account, Some(&role)).len(), 1, "the policy is missing");
        let whole = AccessRole { attached: [format!("arn:aws:iam::aws:policy/{POLICY}")].into(), ..role };
        assert_eq!(role_flaws(&arn, account, Some(&whole)), []);
        assert_eq!(role_flaws(&arn, "111122223333", Some(&whole)).len(), 1, "another account's role");
    }
}
