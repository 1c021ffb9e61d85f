//! AWS regions.

use std::fmt;

use super::text_form;
use crate::problems::Flaw;

/// The code of an AWS region: `us-east-1`. Only its form is checked: new regions appear every year.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(String);

text_form!(Region, "^[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}$");

impl Region {
    /// The region that Marketplace takes images from (A3).
    pub const MARKETPLACE: &'static str = "us-east-1";

    /// Returns the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Flaw> {
        if is_region(text) {
            return Ok(Self(text.to_owned()));
        }
        let flaw = Flaw::new(format!("`{text}` is not a region"));
        let lower = text.trim().to_ascii_lowercase().replace(['_', ' '], "-");
        let without_zone = lower.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        Err(if is_region(&lower) {
            flaw.hint(format!("write `{lower}`"))
        } else if is_region(without_zone) {
            flaw.hint(format!("that is an availability zone: write `{without_zone}`"))
        } else {
            flaw.hint("write one such as `us-east-1`")
        })
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// Tells whether a text has the form of a region's code.
pub fn is_region(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let [first, middle @ .., last] = &parts[..] else { return false };
    (2..=4).contains(&first.len())
        && is_word(first)
        && (1..=2).contains(&middle.len())
        && middle.iter().all(|part| is_word(part) && part.len() <= 16)
        && (1..=2).contains(&last.len())
        && last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_regions_of_all_partitions() {
        for text in ["us-east-1", "ap-southeast-7", "us-gov-west-1", "cn-northwest-1", "eusc-de-east-1"] {
            assert_eq!(Region::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn tells_zones_and_other_spellings_apart() {
        let hint = |text| Region::parse(text).unwrap_err().hint.unwrap();
        assert_eq!(hint("us-east-1a"), "that is an availability zone: write `us-east-1`");
        assert_eq!(hint("US_EAST_1"), "write `us-east-1`");
        assert_eq!(hint("virginia"), "write one such as `us-east-1`");
        for text in ["", "-", "us--1", "us-east-", "us-east-123", "europe-west-1", "us-east-1/x"] {
            assert!(Region::parse(text).is_err(), "{text:?}");
        }
    }
}
