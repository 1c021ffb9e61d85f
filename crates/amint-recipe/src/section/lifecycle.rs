//! `[lifecycle]`: how long the image lives.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::Problems;
use crate::table::Table;

pub(crate) const KEYS: [&str; 1] = ["keep"];

/// How many versions can be kept.
const KEEP_COUNT: RangeInclusive<u32> = 1..=1000;

/// Says how long the image lives (B5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Lifecycle {
    /// How many of the newest versions are kept; older ones may be retired. Without it all.
    #[schemars(range(min = 1, max = 1000))]
    pub keep: Option<u32>,
}

pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Lifecycle {
    let Some(table) = root.table(problems, "lifecycle", "[lifecycle]", &KEYS) else {
        return Lifecycle::default();
    };
    Lifecycle { keep: table.integer(problems, "keep", KEEP_COUNT).map(|keep| keep.value) }
}

#[cfg(test)]
mod tests {
    use crate::section::testing::{messages, recipe};

    #[test]
    fn keeps_at_least_one_version() {
        assert_eq!(recipe("[lifecycle]\nkeep = 3\n").lifecycle.keep, Some(3));
        assert_eq!(messages("[lifecycle]\nkeep = 0\n"), ["`keep` must lie between 1 and 1000"]);
    }
}
