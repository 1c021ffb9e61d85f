//! Random small worlds, judged by a checker that shares no code with the resolver but the reading of relations.

use proptest::prelude::*;

use super::*;
use crate::package::{PackageRecord, RelationKind};
use crate::relation::Relation;

const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "v"];

fn relation() -> impl Strategy<Value = String> {
    let name = prop::sample::select(NAMES.to_vec());
    let constraint = prop::sample::select(vec!["", "", "", " (>= 2)", " (<< 2)", " (= 1)"]);
    (name, constraint).prop_map(|(name, constraint)| format!("{name}{constraint}"))
}

fn package(name: &'static str) -> impl Strategy<Value = String> {
    let group = prop::collection::vec(relation(), 1..=3).prop_map(|group| group.join(" | "));
    let depends = prop::collection::vec(group, 0..=3);
    let conflicts = prop::collection::vec(relation(), 0..=1);
    let provides = prop::sample::select(vec!["", "", "v", "v (= 1)", "v (= 2)", "e", "f (= 3)"]);
    let version = prop::sample::select(vec!["1", "2"]);
    let kinds = prop::sample::select(vec![("Depends", "Conflicts"), ("Pre-Depends", "Breaks")]);
    (depends, conflicts, provides, version, kinds).prop_map(
        move |(depends, conflicts, provides, version, kinds)| {
            let (depends, conflicts) = (depends.join(", "), conflicts.join(", "));
            format!(
                "{name} {version} {}: {depends}; {}: {conflicts}; Provides: {provides}\n",
                kinds.0, kinds.1
            )
        },
    )
}

fn world() -> impl Strategy<Value = String> {
    let packages =
        NAMES[..6].iter().map(|name| prop::option::weighted(0.9, package(name))).collect::<Vec<_>>();
    packages.prop_map(|packages| packages.into_iter().flatten().collect())
}

fn is_meant(record: &PackageRecord, relation: &Relation) -> bool {
    let by_name = record.name == relation.name && relation.accepts(&record.version);
    let provided = record.relations(RelationKind::Provides).into_iter().any(|provided| {
        provided.name == relation.name
            && match &provided.constraint {
                Some((_, version)) => relation.accepts(version),
                None => relation.constraint.is_none(),
            }
    });
    by_name || provided
}

/// Tells what is wrong with a set of packages.
fn flaw(set: &[&PackageRecord]) -> Option<String> {
    for record in set {
        for kind in [RelationKind::PreDepends, RelationKind::Depends] {
            for group in record.dependencies(kind) {
                if !group.iter().any(|relation| set.iter().any(|other| is_meant(other, relation))) {
                    return Some(format!("{record} lacks {group:?}"));
                }
            }
        }
        for kind in [RelationKind::Conflicts, RelationKind::Breaks] {
            for relation in record.relations(kind) {
                let others = set.iter().filter(|other| other.name != record.name);
                if let Some(other) = others.into_iter().find(|other| is_meant(other, &relation)) {
                    return Some(format!("{record} excludes {other}"));
                }
            }
        }
    }
    None
}

/// Tries all sets of packages.
fn has_solution(universe: &Universe, names: &[&str]) -> bool {
    let packages = universe.packages();
    (0_u32..1 << packages.len()).any(|bits| {
        let set: Vec<_> =
            (0..packages.len()).filter(|at| bits >> at & 1 == 1).map(|at| &packages[at]).collect();
        names.iter().all(|name| set.iter().any(|record| record.name == *name)) && flaw(&set).is_none()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn solutions_hold_and_are_found_if_there_are_any(lines in world(), recommends: bool) {
        let lines = if recommends { lines.replace("Pre-Depends", "Recommends") } else { lines };
        let universe = universe(&[("stable", &lines)]);
        let names: Vec<&str> = universe.packages().iter().take(2).map(|record| record.name.as_str()).collect();
        let install = wanted(&names.join(" "));
        let request = Request { install: &install, recommends, ..Request::new(&universe, "amd64") };
        match resolve(&request) {
            Ok(solution) => {
                let set: Vec<_> = solution.packages.iter().map(|chosen| chosen.record).collect();
                prop_assert_eq!(flaw(&set), None);
                prop_assert!(names.iter().all(|name| solution.get(name).is_some_and(|chosen| chosen.is_requested)));
                let order = install_order(&set);
                prop_assert_eq!(order.iter().map(Vec::len).sum::<usize>(), set.len());
            }
            Err(error) => {
                prop_assert!(!has_solution(&universe, &names), "refused: {:?}", error.details());
                prop_assert!(!error.details().is_empty());
            }
        }
    }
}
