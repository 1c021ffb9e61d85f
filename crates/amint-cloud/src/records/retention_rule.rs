use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// A rule of the recycle bin: what is removed and matches it stays there for some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RetentionRule {
    /// Eleven letters and digits.
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) description: String,
    pub(crate) kind: BinKind,
    pub(crate) retention_days: i64,
    /// A resource with any of these matches; without any, the rule is for the whole region.
    pub(crate) resource_tags: BTreeSet<RuleTag>,
    /// A resource with any of these does not match.
    pub(crate) excluded_tags: BTreeSet<RuleTag>,
    pub(crate) tags: Tags,
    /// From when on it holds things back.
    pub(crate) available: Timestamp,
    pub(crate) lock: Option<RuleLock>,
}

/// What a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum BinKind {
    /// Snapshots.
    EbsSnapshot,
    /// Images.
    Ec2Image,
}

/// A tag that a rule asks for; without a value, any value will do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct RuleTag {
    pub(crate) resource_tag_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource_tag_value: Option<String>,
}

/// The lock of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RuleLock {
    /// How many days the rule stays locked after it is unlocked.
    pub(crate) delay_days: i64,
    /// When the unlocking is over; none while it is locked.
    pub(crate) ends: Option<Timestamp>,
}

impl RuleTag {
    fn is_on(&self, tags: &Tags) -> bool {
        let value = tags.get(&self.resource_tag_key);
        value.is_some_and(|value| self.resource_tag_value.as_ref().is_none_or(|wanted| wanted == value))
    }
}

impl RetentionRule {
    /// Tells whether it is for what has certain tags, rather than for the whole region.
    pub(crate) fn is_of_tags(&self) -> bool {
        !self.resource_tags.is_empty()
    }

    /// Tells whether it holds back something with these tags.
    pub(crate) fn is_match(&self, tags: &Tags) -> bool {
        let is_any = |wanted: &BTreeSet<RuleTag>| wanted.iter().any(|tag| tag.is_on(tags));
        (!self.is_of_tags() || is_any(&self.resource_tags)) && !is_any(&self.excluded_tags)
    }

    /// Returns the state of its lock; none when it never had one.
    pub(crate) fn lock_state(&self, now: Timestamp) -> Option<&'static str> {
        self.lock.as_ref().map(|lock| match lock.ends {
            None => "locked",
            Some(end) if now < end => "pending_unlock",
            Some(_) => "unlocked",
        })
    }

    /// Tells whether it can be neither changed nor removed.
    pub(crate) fn is_locked(&self, now: Timestamp) -> bool {
        self.lock_state(now).is_some_and(|state| state != "unlocked")
    }
}
