//! What all tests cover, held against what the endpoint serves.

use std::collections::BTreeSet;

use crate::{
    ebs, identity, images, instances, marketplace, networks, organization, parameters, recycle_bin, settings,
    snapshots, templates,
};

/// Whatever is in one of these lists was answered with success: the test that has the list looks for that.
const COVERED: &[&[&str]] = &[
    ebs::BLOCKS,
    identity::ROLES,
    identity::USERS,
    images::LIFE,
    images::MARKS,
    images::SHARING,
    instances::FLEET,
    instances::LIFE,
    marketplace::CATALOG,
    networks::FOUND,
    networks::GROUPS,
    networks::KEYS,
    networks::TAGS,
    organization::POLICIES,
    organization::QUOTAS,
    parameters::KEYS,
    parameters::PARAMETERS,
    parameters::TRAIL,
    recycle_bin::BIN,
    recycle_bin::RULES,
    settings::SETTINGS,
    snapshots::KEEPING,
    snapshots::SHARING,
    snapshots::VOLUMES,
    templates::SCALING,
    templates::TEMPLATES,
    templates::USERS,
];

#[test]
fn every_operation_of_the_endpoint_is_covered() {
    let covered: BTreeSet<&str> = COVERED.iter().flat_map(|list| list.iter().copied()).collect();
    let served = amint_cloud::operation_names();
    let served: BTreeSet<&str> = served.iter().map(String::as_str).collect();
    let missing: Vec<&&str> = served.difference(&covered).collect();
    assert!(missing.is_empty(), "served, and asked for by no test here: {missing:?}");
    let unknown: Vec<&&str> = covered.difference(&served).collect();
    assert!(unknown.is_empty(), "listed, and not served: {unknown:?}");
}
