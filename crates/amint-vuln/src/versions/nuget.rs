//! `NuGet`: semver with a fourth number; names of prereleases in any case.
//!
//! <https://learn.microsoft.com/en-us/nuget/concepts/package-versioning>

use std::cmp::Ordering;

use super::semver::{Case, compare_core, compare_prerelease, split};

pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (split(left), split(right));
    compare_core(left.0, right.0).then_with(|| compare_prerelease(left.1, right.1, Case::Ignored))
}
