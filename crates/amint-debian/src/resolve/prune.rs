//! Leaves out what nothing leads to, and tells why the rest is there.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

use super::world::{Group, Place, World};
use crate::package::RelationKind;

/// Keeps the packages that the roots lead to, each with the reason that was found first.
///
/// As `apt` does, it also follows recommendations that were not asked for, to packages that are there anyway.
pub(super) fn reachable(
    world: &World<'_>,
    roots: &[(Place, String)],
    chosen: &[Place],
) -> HashMap<Place, String> {
    let chosen: HashSet<Place> = chosen.iter().copied().collect();
    let mut reasons: HashMap<Place, String> = HashMap::new();
    let mut queue = VecDeque::new();
    for (place, reason) in roots {
        if chosen.contains(place) && reasons.insert(*place, reason.clone()).is_none() {
            queue.push_back(*place);
        }
    }
    // What is needed is told before what is only recommended.
    let mut recommended = VecDeque::new();
    loop {
        let (place, is_needed) = match queue.pop_front() {
            Some(place) => (place, true),
            None => match recommended.pop_front() {
                Some(place) => (place, false),
                None => return reasons,
            },
        };
        let needs = world.needs(place);
        let name = &world.record(place).name;
        let groups = needs.groups.iter().filter(|group| group.is_critical() == is_needed);
        for target in groups.flat_map(Group::targets).filter(|target| chosen.contains(target)) {
            if let Entry::Vacant(vacant) = reasons.entry(target) {
                let why = if is_needed { "needed" } else { "recommended" };
                vacant.insert(format!("{why} by {name}"));
                queue.push_back(target);
            }
        }
        if is_needed {
            recommended.push_back(place);
        }
    }
}

/// Returns recommendations that are not followed yet but could be: the first package of each.
pub(super) fn missing_recommendations(world: &World<'_>, chosen: &HashSet<Place>) -> Vec<Place> {
    let mut sorted: Vec<_> = chosen.iter().copied().collect();
    sorted.sort_unstable();
    let mut missing = Vec::new();
    for place in sorted {
        let needs = world.needs(place);
        for group in needs.groups.iter().filter(|group| group.kind == RelationKind::Recommends) {
            if !group.targets().any(|target| chosen.contains(&target)) {
                missing.extend(group.targets());
            }
        }
    }
    missing
}
