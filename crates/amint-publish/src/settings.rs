//! What an image is set to once it is there: who may use it, and until when it is fresh.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::cloud::Protection;
use crate::plan::Observed;
use crate::wanted::Wanted;

/// A change of what an image is set to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Setting {
    /// Accounts may launch the image.
    ShareImage {
        /// Those that may not yet.
        accounts: BTreeSet<String>,
    },
    /// The accounts of organizations and units may launch the image. Snapshots cannot be shared so.
    ShareWithOrganizations {
        /// Those that may not yet, by their ARNs.
        arns: BTreeSet<String>,
    },
    /// Accounts may copy the snapshot, and make volumes of it.
    ShareSnapshot {
        /// Those that may not yet.
        accounts: BTreeSet<String>,
    },
    /// The image is deprecated from then on.
    Deprecate {
        /// From when on.
        at: Timestamp,
    },
    /// The image gets a watermark of the account, which goes along with everything that is made of the image.
    Watermark {
        /// Its name.
        name: String,
    },
    /// The image cannot be deregistered until that is allowed again.
    Protect {
        /// For how long after that.
        protection: Protection,
    },
}

/// Plans what has to be set: everything for an image that is not there yet.
pub(crate) fn settings(wanted: &Wanted, observed: &Observed) -> Vec<Setting> {
    let mut found = Vec::new();
    let missing = |has: &BTreeSet<String>| -> BTreeSet<String> {
        // The account itself may anyway, and cannot be added.
        let others = wanted.settings.accounts.iter().filter(|account| **account != observed.account);
        others.filter(|account| !has.contains(*account)).cloned().collect()
    };
    let accounts = missing(&observed.image_accounts);
    if !accounts.is_empty() {
        found.push(Setting::ShareImage { accounts });
    }
    let arns: BTreeSet<String> =
        wanted.settings.organizations.difference(&observed.image_organizations).cloned().collect();
    if !arns.is_empty() {
        found.push(Setting::ShareWithOrganizations { arns });
    }
    let accounts = missing(&observed.snapshot_accounts);
    if !accounts.is_empty() {
        found.push(Setting::ShareSnapshot { accounts });
    }
    let is_deprecated = observed.same_name.first().and_then(|image| image.deprecated_at);
    if let Some(at) = wanted.settings.deprecate_at.filter(|at| is_deprecated != Some(*at)) {
        found.push(Setting::Deprecate { at });
    }
    let image = observed.same_name.first();
    for name in &wanted.settings.watermarks {
        let key = format!("{}:{name}", observed.account);
        if !image.is_some_and(|image| image.watermarks.contains(&key)) {
            found.push(Setting::Watermark { name: name.clone() });
        }
    }
    // A stronger protection is left as it is.
    let has = image.and_then(|image| image.protection);
    if let Some(protection) = wanted.settings.protection.filter(|wants| has < Some(*wants)) {
        found.push(Setting::Protect { protection });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::CloudImage;
    use crate::testing::wanted;

    #[test]
    fn watermarks_are_added_and_protection_only_made_stronger() {
        let mut wanted = wanted(&[7]);
        wanted.settings.watermarks = ["golden".to_owned(), "web".to_owned()].into();
        wanted.settings.protection = Some(Protection::WithoutCooldown);
        let of = |wanted: &Wanted, protection| {
            let image = CloudImage {
                watermarks: ["123456789012:golden".to_owned()].into(),
                protection,
                ..CloudImage::default()
            };
            let account = "123456789012".to_owned();
            settings(wanted, &Observed { account, same_name: vec![image], ..Observed::default() })
        };
        let watermark = Setting::Watermark { name: "web".to_owned() };
        let protect = |protection| Setting::Protect { protection };
        assert_eq!(of(&wanted, None), [watermark.clone(), protect(Protection::WithoutCooldown)]);
        assert_eq!(of(&wanted, Some(Protection::WithCooldown)), std::slice::from_ref(&watermark));
        wanted.settings.protection = Some(Protection::WithCooldown);
        let found = of(&wanted, Some(Protection::WithoutCooldown));
        assert_eq!(found, [watermark, protect(Protection::WithCooldown)]);
    }
}
