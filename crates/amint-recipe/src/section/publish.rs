//! `[publish]`: where the image goes.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use amint_types::channel_parameter;
use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Flaw, Problem, Problems};
use crate::section::Profile;
use crate::table::{Table, string_of, values};
use crate::text::{Region, names};

pub(crate) const KEYS: [&str; 10] = [
    "regions",
    "share_with",
    "copy_to",
    "deprecate_after_days",
    "deregistration_protection",
    "watermarks",
    "parameter",
    "channels",
    "keys",
    "tags",
];

/// Most regions of a recipe: more than AWS has.
const REGION_COUNT_MAX: usize = 64;
/// Most accounts that an image is shared with ("Amazon EC2 service quotas", sharing of AMIs).
const ACCOUNT_COUNT_MAX: usize = 1000;
/// Most accounts that get copies.
const COPY_COUNT_MAX: usize = 50;
/// Most channels that publishing moves.
const CHANNEL_COUNT_MAX: usize = 16;
/// Most watermarks of a recipe.
const WATERMARK_COUNT_MAX: usize = 8;
/// How many days an image may be fresh: ten years (`EnableImageDeprecation`, `DeprecateAt`).
const FRESH_DAYS: RangeInclusive<u32> = 1..=3650;
/// Most tags of a recipe: 50 less those of amint itself ("Tag your Amazon EC2 resources", restrictions).
const TAG_COUNT_MAX: usize = 44;
/// The longest key and value of a tag (ditto).
const TAG_KEY_CHARS_MAX: usize = 128;
const TAG_VALUE_CHARS_MAX: usize = 256;

/// Says where the image goes once it is built and tested.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Publish {
    /// The AWS regions that the image is published to, the first one first.
    #[schemars(default)]
    pub regions: Vec<Region>,
    /// The accounts that may launch the image, and copy its snapshot, by their 12 digits; and the organizations and units whose
    /// accounts may launch it, by their ARNs.
    #[schemars(
        default,
        inner(regex(
            pattern = "^([0-9]{12}|arn:aws[a-z-]*:organizations::[0-9]{12}:(organization|ou)/o-[a-z0-9]{10,32}(/ou-[a-z0-9-]{6,68})?)$"
        ))
    )]
    pub share_with: Vec<String>,
    /// The roles in other accounts by which those get copies of their own, by their ARNs: `arn:aws:iam::111122223333:role/…`.
    #[schemars(default, inner(regex(pattern = "^arn:aws:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$")))]
    pub copy_to: Vec<String>,
    /// How many days after its build the image is deprecated. Without it never.
    #[schemars(range(min = 1, max = 3650))]
    pub deprecate_after_days: Option<u32>,
    /// What keeps the image from being deregistered. Without it nothing does.
    #[schemars(default, with = "DeregistrationProtection")]
    pub deregistration_protection: Option<DeregistrationProtection>,
    /// The watermarks of the account that the image gets, by their names. They go along with everything that is made of it.
    #[schemars(default, inner(regex(pattern = "^[A-Za-z0-9 ()\\[\\]./'@_-]{3,128}$")))]
    pub watermarks: Vec<String>,
    /// The path of parameters of Systems Manager below which each channel has one that names the image: `/golden/web`.
    /// Without it `/amint/` and the name of the image.
    #[schemars(regex(pattern = "^(/[A-Za-z0-9_.-]+)+$"))]
    pub parameter: Option<String>,
    /// The channels that publishing moves to the image, such as `latest`; `amint promote` moves others.
    #[schemars(default, inner(regex(pattern = "^[A-Za-z0-9_.-]+$")))]
    pub channels: Vec<String>,
    /// The key of KMS that the image is encrypted with, by region: its id, its ARN or an alias. Elsewhere it is not encrypted.
    #[schemars(default)]
    pub keys: BTreeMap<String, String>,
    /// Tags of image and snapshot, besides those of amint itself.
    #[schemars(default)]
    pub tags: BTreeMap<String, String>,
}

/// What keeps an image from being deregistered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeregistrationProtection {
    /// Until it is disabled.
    WithoutCooldown,
    /// Until 24 hours after it is disabled.
    WithCooldown,
}

fn protection(text: &str) -> Result<DeregistrationProtection, Flaw> {
    match text {
        "without-cooldown" => Ok(DeregistrationProtection::WithoutCooldown),
        "with-cooldown" => Ok(DeregistrationProtection::WithCooldown),
        _ => Err(Flaw::new(format!("`{text}` is no protection"))
            .hint("write `with-cooldown` or `without-cooldown`")),
    }
}

fn watermark(text: &str) -> Result<String, Flaw> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || " ()[]./-'@_".contains(letter);
    if (3..=128).contains(&text.len()) && text.chars().all(is_allowed) {
        return Ok(text.to_owned());
    }
    let flaw = Flaw::new(format!("`{text}` cannot be the name of a watermark"));
    Err(flaw.hint("3 to 128 letters, digits, spaces and ()[]./-'@_ are allowed"))
}

pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>, profiles: &[Profile]) -> Publish {
    let Some(table) = root.table(problems, "publish", "[publish]", &KEYS) else { return Publish::default() };
    let regions = table.parsed_list(problems, "regions", REGION_COUNT_MAX, Region::parse);
    let regions = regions.map(values).unwrap_or_default();
    let is_for_marketplace = profiles.contains(&Profile::Marketplace);
    let has_home = regions.iter().any(|region| region.as_str() == Region::MARKETPLACE);
    if is_for_marketplace && !regions.is_empty() && !has_home {
        let message =
            format!("`regions` lacks `{}`, which Marketplace takes images from (A3)", Region::MARKETPLACE);
        problems.push(
            Problem::warning(table.span_of("regions"), message)
                .hint("add it, or leave out the profile `marketplace`"),
        );
    }
    let share_with = table.parsed_list(problems, "share_with", ACCOUNT_COUNT_MAX, account);
    let copy_to = table.parsed_list(problems, "copy_to", COPY_COUNT_MAX, super::marketplace::role);
    let watermarks = table.parsed_list(problems, "watermarks", WATERMARK_COUNT_MAX, watermark);
    let parameter = table.parsed(problems, "parameter", parameter).map(|path| path.value);
    let channels = table.parsed_list(problems, "channels", CHANNEL_COUNT_MAX, channel);
    Publish {
        regions,
        copy_to: copy_to.map(values).unwrap_or_default(),
        share_with: share_with.map(values).unwrap_or_default(),
        deprecate_after_days: table
            .integer(problems, "deprecate_after_days", FRESH_DAYS)
            .map(|days| days.value),
        deregistration_protection: table
            .parsed(problems, "deregistration_protection", protection)
            .map(|protection| protection.value),
        watermarks: watermarks.map(values).unwrap_or_default(),
        parameter,
        channels: channels.map(values).unwrap_or_default(),
        keys: keys(&table, problems, is_for_marketplace),
        tags: tags(&table, problems),
    }
}

fn keys(
    table: &Table<'_>,
    problems: &mut Problems<'_>,
    is_for_marketplace: bool,
) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    let Some(pairs) = table.free_table(problems, "keys", "keys") else { return keys };
    for (region, value) in pairs.entries() {
        let Some(key) = string_of(problems, region.value, value) else { continue };
        if let Err(flaw) = Region::parse(region.value) {
            problems.push(Problem::error(region.span, flaw.message));
            continue;
        }
        if is_for_marketplace && region.value == Region::MARKETPLACE {
            let message =
                "AWS Marketplace takes unencrypted images only, and takes them from this region (A6)";
            let hint = "leave the key out, or the profile `marketplace`";
            problems.push(Problem::error(region.span, message).hint(hint));
            continue;
        }
        let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_/:".contains(letter);
        if !(1..=2048).contains(&key.value.len()) || !key.value.chars().all(is_allowed) {
            let message = format!("`{}` is not a key", key.value);
            problems.push(
                Problem::error(key.span, message).hint("write one such as `alias/golden`, or a key's ARN"),
            );
            continue;
        }
        keys.insert(region.value.to_owned(), key.value.to_owned());
    }
    keys
}

fn parameter(text: &str) -> Result<String, Flaw> {
    let named = channel_parameter(text, "latest").map(|_| text.to_owned());
    named.map_err(|error| Flaw::new(error.to_string()).hint("write one such as `/golden/web`"))
}

fn channel(text: &str) -> Result<String, Flaw> {
    let named = channel_parameter("/golden", text).map(|_| text.to_owned());
    named.map_err(|error| Flaw::new(error.to_string()).hint("write one such as `latest`"))
}

/// Tells whether a text is the ARN of an organization or of a unit of one.
pub fn is_organization(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "organizations", "", account, resource] = parts[..] else { return false };
    let is_id = |text: &str, start: &str| {
        text.strip_prefix(start).is_some_and(|rest| {
            (6..=68).contains(&rest.len())
                && rest
                    .bytes()
                    .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-')
        })
    };
    let is_resource = match resource.split('/').collect::<Vec<_>>()[..] {
        ["organization", organization] => is_id(organization, "o-"),
        ["ou", organization, unit] => is_id(organization, "o-") && is_id(unit, "ou-"),
        _ => false,
    };
    partition.starts_with("aws")
        && account.len() == 12
        && account.bytes().all(|letter| letter.is_ascii_digit())
        && is_resource
}

fn account(text: &str) -> Result<String, Flaw> {
    if text.len() == 12 && text.bytes().all(|letter| letter.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    if is_organization(text) {
        return Ok(text.to_owned());
    }
    if text.starts_with("arn:") {
        return Err(Flaw::new(format!("`{text}` is not an organization, nor a unit of one"))
            .hint("write one such as `arn:aws:organizations::111122223333:organization/o-abcdefghij`"));
    }
    let flaw = Flaw::new(format!("`{text}` is not an account"));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    Err(flaw.hint(if digits.len() == 12 {
        format!("write `{digits}`")
    } else {
        "write its 12 digits, such as `111122223333`".to_owned()
    }))
}

fn tags(table: &Table<'_>, problems: &mut Problems<'_>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    let Some(pairs) = table.free_table(problems, "tags", "tags") else { return tags };
    for (key, value) in pairs.entries() {
        let Some(text) = string_of(problems, key.value, value) else { continue };
        let lower = key.value.to_ascii_lowercase();
        if names::is_secret_value(text.value) {
            let message = format!(
                "the value of `{}` is a secret, and everybody who sees the image reads its tags",
                key.value
            );
            problems.push(Problem::error(text.span, message).hint(names::SECRET_HINT));
            continue;
        }
        let flaw = if lower.starts_with("aws:") || lower.starts_with("amint:") || lower == "name" {
            Some("is a tag that AWS or amint sets")
        } else if !(1..=TAG_KEY_CHARS_MAX).contains(&key.value.chars().count()) {
            Some("has not between 1 and 128 characters")
        } else if text.value.chars().count() > TAG_VALUE_CHARS_MAX {
            Some("has a value of more than 256 characters")
        } else {
            None
        };
        match flaw {
            Some(flaw) => problems.push(Problem::error(key.span, format!("`{}` {flaw}", key.value))),
            None => drop(tags.insert(key.value.to_owned(), text.value.to_owned())),
        }
    }
    if tags.len() > TAG_COUNT_MAX {
        let message = format!("`tags` has {} entries, more than {TAG_COUNT_MAX}", tags.len());
        problems.push(Problem::error(table.span_of("tags"), message));
    }
    tags
}

#[cfg(test)]
mod tests {
    use crate::section::testing::{errors, recipe, warnings};

    #[test]
    fn goes_nowhere_unless_told() {
        assert!(recipe("").publish.regions.is_empty());
        assert!(warnings("").is_empty());
    }

    #[test]
    fn reports_each_wrong_region() {
        let found =
            errors("[publish]\nregions = [\"us-east-1\", \"us-east-1a\", \"Frankfurt\", \"us-east-1\"]\n");
        let texts: Vec<_> = found.iter().map(|(text, _, _)| text.as_str()).collect();
        assert_eq!(texts, ["\"us-east-1a\"", "\"Frankfurt\"", "\"us-east-1\""]);
    }

    #[test]
    fn reports_each_wrong_account_and_tag() {
        let found = errors(
            "[publish]\nshare_with = [\"1111-2222-3333\", \"444455556666\"]\ndeprecate_after_days = 0\n\
             [publish.tags]\nteam = \"web\"\n\"amint:x\" = \"y\"\ncount = 3\n",
        );
        let texts: Vec<_> = found.iter().map(|(text, _, _)| text.as_str()).collect();
        assert_eq!(texts, ["\"1111-2222-3333\"", "0", "\"amint:x\"", "3"]);
        let good = "[publish]\nshare_with = [\"444455556666\"]\ndeprecate_after_days = 365\ntags = { team = \"web\" }\n";
        let publish = recipe(good).publish;
        assert_eq!((publish.share_with.len(), publish.deprecate_after_days), (1, Some(365)));
        assert_eq!(publish.tags["team"], "web");
    }

    #[test]
    fn reads_protection_and_watermarks() {
        let text = "[publish]\nderegistration_protection = \"with-cooldown\"\nwatermarks = [\"golden\"]\n";
        let publish = recipe(text).publish;
        assert_eq!(
            (publish.deregistration_protection, publish.watermarks),
            (Some(super::DeregistrationProtection::WithCooldown), vec!["golden".to_owned()])
        );
        let found =
            errors("[publish]\nderegistration_protection = \"yes\"\nwatermarks = [\"gold:en\", \"ok\"]\n");
        let texts: Vec<_> = found.iter().map(|(text, _, _)| text.as_str()).collect();
        assert_eq!(texts, ["\"yes\"", "\"gold:en\"", "\"ok\""]);
    }

    #[test]
    fn reports_what_cannot_be_a_channel() {
        let found = errors("[publish]\nparameter = \"golden\"\nchannels = [\"latest\", \"a/b\"]\n");
        let texts: Vec<_> = found.iter().map(|(text, _, _)| text.as_str()).collect();
        assert_eq!(texts, ["\"golden\"", "\"a/b\""]);
        let publish = recipe("[publish]\nparameter = \"/golden/web\"\nchannels = [\"latest\"]\n").publish;
        assert_eq!(
            (publish.parameter.as_deref(), publish.channels),
            (Some("/golden/web"), vec!["latest".to_owned()])
        );
    }

    #[test]
    fn reads_organizations_and_keys() {
        let organization = "arn:aws:organizations::111122223333:organization/o-abcdefghij";
        let text = format!(
            "[harden]\nprofiles = [\"private\"]\n[publish]\nshare_with = [\"{organization}\"]\n\
             keys = {{ eu-west-1 = \"alias/golden\" }}\n"
        );
        let publish = recipe(&text).publish;
        assert_eq!(
            (publish.share_with, publish.keys["eu-west-1"].as_str()),
            (vec![organization.to_owned()], "alias/golden")
        );
        let found = errors(
            "[publish]\nshare_with = [\"arn:aws:organizations::1:organization/o-x\"]\n\
             keys = { us-east-1 = \"alias/golden\", Frankfurt = \"x\", eu-west-1 = \"a key\" }\n",
        );
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn warns_when_marketplace_could_not_take_the_image() {
        assert_eq!(warnings("[publish]\nregions = [\"eu-west-1\"]\n").len(), 1);
        assert!(warnings("[publish]\nregions = [\"eu-west-1\", \"us-east-1\"]\n").is_empty());
        let private = "[harden]\nprofiles = [\"private\"]\n[publish]\nregions = [\"eu-west-1\"]\n";
        assert!(warnings(private).is_empty());
    }
}
