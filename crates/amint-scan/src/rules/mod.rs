//! All rules, by family. A new rule is one file and one line in its family's `RULES`.

mod accounts;
mod audit;
mod boot;
mod change;
mod crypto;
mod files;
mod identity;
mod kernel;
mod network;
mod packages;
mod residues;
mod rights;
mod secrets;
mod services;
mod software;
mod ssh;

pub(crate) use kernel::{KERNEL_SETTINGS, UNUSED_MODULES};

use std::sync::LazyLock;

use crate::Rule;

pub use rights::source_manifest;

static FAMILIES: &[&[&dyn Rule]] = &[
    accounts::RULES,
    audit::RULES,
    boot::RULES,
    crypto::RULES,
    files::RULES,
    identity::RULES,
    kernel::RULES,
    network::RULES,
    packages::RULES,
    residues::RULES,
    rights::RULES,
    secrets::RULES,
    services::RULES,
    software::RULES,
    ssh::RULES,
];

static ALL: LazyLock<Vec<&'static dyn Rule>> = LazyLock::new(|| {
    let mut all: Vec<&dyn Rule> = FAMILIES.iter().flat_map(|family| family.iter().copied()).collect();
    all.sort_by_key(|rule| rule.meta().id);
    all
});

/// Returns all rules, by id.
pub fn rules() -> &'static [&'static dyn Rule] {
    &ALL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    #[test]
    fn rules_are_sorted_unique_and_asked_by_some_profile() {
        let ids: Vec<&str> = rules().iter().map(|rule| rule.meta().id).collect();
        assert!(ids.is_sorted_by(|left, right| left < right), "{ids:?}");
        for rule in rules() {
            let meta = rule.meta();
            assert!(meta.severities.under_all(&Profile::ALL).is_some(), "{}", meta.id);
            assert!(!meta.requirements.is_empty(), "{}", meta.id);
            for sentence in [meta.rationale, meta.remedy] {
                assert!(sentence.ends_with('.') && sentence.len() > 20, "{}", meta.id);
            }
            assert!(meta.title.len() <= 70 && !meta.title.ends_with('.'), "{}", meta.id);
        }
    }
}
