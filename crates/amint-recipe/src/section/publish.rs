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

pub(crate) const KEYS: [&str; 6] =
    ["regions", "share_with", "deprecate_after_days", "parameter", "channels", "tags"];

/// Most regions of a recipe: more than AWS has.
const REGION_COUNT_MAX: usize = 64;
/// Most accounts that an image is shared with ("Amazon EC2 service quotas", sharing of AMIs).
const ACCOUNT_COUNT_MAX: usize = 1000;
/// Most channels that publishing moves.
const CHANNEL_COUNT_MAX: usize = 16;
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
    /// The accounts that may launch the image, and copy its snapshot: 12 digits each.
    #[schemars(default, inner(regex(pattern = "^[0-9]{12}$")))]
    pub share_with: Vec<String>,
    /// How many days after its build the image is deprecated. Without it never.
    #[schemars(range(min = 1, max = 3650))]
    pub deprecate_after_days: Option<u32>,
    /// The path of parameters of Systems Manager below which each channel has one that names the image: `/golden/web`.
    /// Without it `/amint/` and the name of the image.
    #[schemars(regex(pattern = "^(/[A-Za-z0-9_.-]+)+$"))]
    pub parameter: Option<String>,
    /// The channels that publishing moves to the image, such as `latest`; `amint promote` moves others.
    #[schemars(default, inner(regex(pattern = "^[A-Za-z0-9_.-]+$")))]
    pub channels: Vec<String>,
    /// Tags of image and snapshot, besides those of amint itself.
    #[schemars(default)]
    pub tags: BTreeMap<String, String>,
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
    let parameter = table.parsed(problems, "parameter", parameter).map(|path| path.value);
    let channels = table.parsed_list(problems, "channels", CHANNEL_COUNT_MAX, channel);
    Publish {
        regions,
        share_with: share_with.map(values).unwrap_or_default(),
        deprecate_after_days: table
            .integer(problems, "deprecate_after_days", FRESH_DAYS)
            .map(|days| days.value),
        parameter,
        channels: channels.map(values).unwrap_or_default(),
        tags: tags(&table, problems),
    }
}

fn parameter(text: &str) -> Result<String, Flaw> {
    let named = channel_parameter(text, "latest").map(|_| text.to_owned());
    named.map_err(|error| Flaw::new(error.to_string()).hint("write one such as `/golden/web`"))
}

fn channel(text: &str) -> Result<String, Flaw> {
    let named = channel_parameter("/golden", text).map(|_| text.to_owned());
    named.map_err(|error| Flaw::new(error.to_string()).hint("write one such as `latest`"))
}

fn account(text: &str) -> Result<String, Flaw> {
    if text.len() == 12 && text.bytes().all(|letter| letter.is_ascii_digit()) {
        return Ok(text.to_owned());
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
    fn warns_when_marketplace_could_not_take_the_image() {
        assert_eq!(warnings("[publish]\nregions = [\"eu-west-1\"]\n").len(), 1);
        assert!(warnings("[publish]\nregions = [\"eu-west-1\", \"us-east-1\"]\n").is_empty());
        let private = "[harden]\nprofiles = [\"private\"]\n[publish]\nregions = [\"eu-west-1\"]\n";
        assert!(warnings(private).is_empty());
    }
}
