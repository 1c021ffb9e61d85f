//! What an image is set to once it is there: who may use it, and until when it is fresh.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

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
    found
}
