//! `[publish]`: where the image goes.

use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Problem, Problems};
use crate::section::Profile;
use crate::table::{Table, values};
use crate::text::Region;

pub(crate) const KEYS: [&str; 1] = ["regions"];

/// Most regions of a recipe: more than AWS has.
const REGION_COUNT_MAX: usize = 64;

/// Says where the image goes once it is built and tested.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Publish {
    /// The AWS regions that the image is published to, the first one first.
    #[schemars(default)]
    pub regions: Vec<Region>,
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
    Publish { regions }
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
    fn warns_when_marketplace_could_not_take_the_image() {
        assert_eq!(warnings("[publish]\nregions = [\"eu-west-1\"]\n").len(), 1);
        assert!(warnings("[publish]\nregions = [\"eu-west-1\", \"us-east-1\"]\n").is_empty());
        let private = "[harden]\nprofiles = [\"private\"]\n[publish]\nregions = [\"eu-west-1\"]\n";
        assert!(warnings(private).is_empty());
    }
}
