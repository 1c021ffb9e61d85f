//! Finds the packages that a request names, before any dependency is looked at.

use std::collections::HashSet;

use super::policy::Policy;
use super::request::{Request, Wanted};
use super::unsolvable::{Known, Problem, Unsolvable};
use super::world::Place;
use crate::package::RelationKind;
use crate::relation;
use crate::universe::Universe;
use crate::version;

/// Most names that are offered instead of an unknown one.
const SIMILAR_COUNT_MAX: usize = 3;
/// Most packages whose version follows the suite of one wish.
const SUITE_COUNT_MAX: usize = 10_000;

/// The packages that must be installed.
#[derive(Debug, Default)]
pub(super) struct Roots {
    all: Vec<Root>,
    seen: HashSet<Place>,
}

/// A package that must be installed.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) place: Place,
    pub(super) reason: String,
    pub(super) is_requested: bool,
}

impl Roots {
    pub(super) fn places(&self) -> Vec<Place> {
        self.all.iter().map(|root| root.place).collect()
    }

    pub(super) fn all(&self) -> &[Root] {
        &self.all
    }

    pub(super) fn with_reasons(&self) -> Vec<(Place, String)> {
        self.all.iter().map(|root| (root.place, root.reason.clone())).collect()
    }

    pub(super) fn requested(&self) -> impl Iterator<Item = Place> + '_ {
        self.all.iter().filter(|root| root.is_requested).map(|root| root.place)
    }

    fn add(&mut self, place: Place, reason: impl Into<String>, is_requested: bool) {
        if self.seen.insert(place) {
            self.all.push(Root { place, reason: reason.into(), is_requested });
        } else if is_requested && let Some(root) = self.all.iter_mut().find(|root| root.place == place) {
            root.is_requested = true;
        }
    }
}

/// Finds the packages that must be installed, and settles versions that are told by name.
///
/// All names that cannot be found are told at once.
pub(super) fn find(request: &Request<'_>, policy: &mut Policy<'_>) -> Result<Roots, Unsolvable> {
    let universe = request.universe;
    let mut problems = Vec::new();
    for (name, version) in request.holds {
        let Some(id) = universe.id(name) else { continue };
        let held = newest(universe, policy, id, |place| is_version(universe, place, version.as_str()));
        policy.fix(id, held);
    }
    for wanted in request.install.iter().filter(|wanted| wanted.version.is_some() || wanted.suite.is_some()) {
        if let Err(problem) = settle(request, policy, wanted) {
            problems.push(problem);
        }
    }
    let mut roots = Roots::default();
    // The base comes first: what is asked for on top of it changes nothing in it unless it must.
    if request.with_essential || !request.with_priorities.is_empty() {
        add_base(request, policy, &mut roots);
    }
    for wanted in request.install {
        match wanted_place(request, policy, wanted) {
            Ok(place) => roots.add(place, "requested", true),
            Err(problem) if problems.iter().any(|other| other.package() == problem.package()) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(Unsolvable::new(problems));
    }
    Ok(roots)
}

/// Adds essential packages, and those of the priorities that were asked for.
fn add_base(request: &Request<'_>, policy: &Policy<'_>, roots: &mut Roots) {
    let universe = request.universe;
    let mut seen = HashSet::new();
    for id in (0..universe.packages().len()).map(|place| universe.id_of(place)) {
        let is_base = |place: &u32| {
            let record = &universe.packages()[*place as usize];
            record.is_essential || request.with_priorities.contains(&record.priority)
        };
        // To find the candidate takes longer: most packages are neither in any version.
        if !universe.versions_of(id).iter().any(is_base) || !seen.insert(id) {
            continue;
        }
        let Some(place) = policy.options(id).first().copied() else { continue };
        let record = &universe.packages()[place];
        if request.with_essential && record.is_essential {
            roots.add(place, "essential", false);
        } else if request.with_priorities.contains(&record.priority) {
            roots.add(place, format!("priority {}", record.priority), false);
        }
    }
}

/// Settles the version of a package for which a version or suite is told.
fn settle(request: &Request<'_>, policy: &mut Policy<'_>, wanted: &Wanted) -> Result<(), Problem> {
    let universe = request.universe;
    let name = || wanted.name.clone();
    let Some(id) = universe.id(&wanted.name).filter(|id| policy.versions(*id).next().is_some()) else {
        return Ok(());
    };
    let is_meant = |place: Place| {
        let is_version = wanted.version.as_ref().is_none_or(|version| is_version(universe, place, version));
        let is_suite = wanted.suite.as_ref().is_none_or(|suite| is_in_suite(universe, place, suite));
        is_version && is_suite
    };
    let Some(place) = newest(universe, policy, id, is_meant) else {
        let version = wanted.version.clone();
        let known = Known::of(universe, policy.versions(id));
        return Err(Problem::NoSuchVersion { name: name(), version, suite: wanted.suite.clone(), known });
    };
    if policy.is_fixed(id) && policy.options(id) != [place] {
        let held = request.holds.iter().find(|(held, _)| *held == wanted.name);
        let held = held.map(|(_, version)| version.to_string()).unwrap_or_default();
        return Err(Problem::Held { name: name(), held });
    }
    policy.fix(id, Some(place));
    if let Some(suite) = &wanted.suite {
        follow_suite(request, policy, place, suite);
    }
    Ok(())
}

/// Takes what a package needs from its suite, as far as the candidates do not fit.
fn follow_suite(request: &Request<'_>, policy: &mut Policy<'_>, first: Place, suite: &str) {
    let universe = request.universe;
    let kinds: &[RelationKind] = if request.recommends {
        &[RelationKind::PreDepends, RelationKind::Depends, RelationKind::Recommends]
    } else {
        &[RelationKind::PreDepends, RelationKind::Depends]
    };
    let mut queue = vec![first];
    let mut next = 0;
    while next < queue.len() && next < SUITE_COUNT_MAX {
        let record = &universe.packages()[queue[next]];
        next += 1;
        for text in kinds.iter().flat_map(|kind| relation::groups(record.relation_text(*kind))) {
            let relations: Vec<_> = relation::alternatives(text).filter_map(Result::ok).collect();
            let fits = |relation: &relation::RelationText<'_>, place: Place| {
                let version = universe.packages()[place].version.as_str();
                relation.constraint.is_none_or(|(operator, wanted)| {
                    operator.accepts_order(version::compare(version, wanted))
                })
            };
            let is_fine = relations.iter().any(|relation| {
                let Some(id) = universe.id(relation.name) else { return false };
                policy.options(id).iter().any(|place| fits(relation, *place))
                    || (relation.constraint.is_none() && !universe.providers_of(id).is_empty())
            });
            if is_fine {
                // What comes from the suite anyway needs others from there as well.
                let own = relations.iter().find_map(|relation| {
                    let place = *policy.options(universe.id(relation.name)?).first()?;
                    (fits(relation, place) && is_in_suite(universe, place, suite)).then_some(place)
                });
                queue.extend(own.filter(|place| !queue.contains(place)));
                continue;
            }
            let switch = relations.iter().find_map(|relation| {
                let id = universe.id(relation.name).filter(|id| !policy.is_fixed(*id))?;
                let place = newest(universe, policy, id, |place| is_in_suite(universe, place, suite))?;
                fits(relation, place).then_some((id, place))
            });
            if let Some((id, place)) = switch {
                policy.fix(id, Some(place));
                queue.push(place);
            }
        }
    }
}

/// Finds the package for a wish.
fn wanted_place(request: &Request<'_>, policy: &Policy<'_>, wanted: &Wanted) -> Result<Place, Problem> {
    let universe = request.universe;
    let name = || wanted.name.clone();
    let Some(id) = universe.id(&wanted.name) else {
        return Err(Problem::Unknown { name: name(), similar: similar(universe, &wanted.name) });
    };
    if let Some(place) = policy.options(id).first() {
        return Ok(*place);
    }
    if let Some((_, held)) = request.holds.iter().find(|(held, _)| *held == wanted.name)
        && policy.is_fixed(id)
    {
        let known = Known::of(universe, policy.versions(id));
        return Err(Problem::HeldMissing { name: name(), held: held.to_string(), known });
    }
    let mut providers: Vec<Place> =
        universe.providers_of(id).iter().map(|provider| provider.package).collect();
    providers.retain(|place| policy.options(universe.id_of(*place)).first() == Some(place));
    providers.sort_by(|left, right| universe.packages()[*left].name.cmp(&universe.packages()[*right].name));
    providers.dedup();
    match providers[..] {
        [only] if wanted.version.is_none() && wanted.suite.is_none() => Ok(only),
        [] if policy.versions(id).next().is_some() => {
            Err(Problem::RuledOut { name: name(), known: Known::of(universe, policy.versions(id)) })
        }
        [] => Err(Problem::Unknown { name: name(), similar: similar(universe, &wanted.name) }),
        _ => {
            let providers = providers.iter().map(|place| universe.packages()[*place].name.clone()).collect();
            Err(Problem::Virtual { name: name(), providers })
        }
    }
}

/// Returns the newest version that is meant, of equal ones that of the highest priority.
fn newest(
    universe: &Universe,
    policy: &Policy<'_>,
    id: u32,
    is_meant: impl Fn(Place) -> bool,
) -> Option<Place> {
    let meant = policy.versions(id).filter(|place| is_meant(*place));
    meant.max_by(|left, right| {
        let version = |place: &Place| &universe.packages()[*place].version;
        let order = version(left).cmp(version(right));
        // The first one is taken among equals.
        order.then_with(|| policy.priority(*left).cmp(&policy.priority(*right))).then(right.cmp(left))
    })
}

fn is_version(universe: &Universe, place: Place, version: &str) -> bool {
    universe.packages()[place].version.as_str() == version
}

fn is_in_suite(universe: &Universe, place: Place, suite: &str) -> bool {
    universe.packages()[place].origins().any(|origin| universe.origins()[origin].is_called(suite))
}

/// Returns names that may have been meant.
pub(super) fn similar(universe: &Universe, name: &str) -> Vec<String> {
    let distance_max = if name.len() <= 4 { 1 } else { 2 };
    let mut found: Vec<(usize, &str)> = universe
        .names()
        .filter(|other| other.len().abs_diff(name.len()) <= distance_max)
        .filter_map(|other| Some((distance(name, other, distance_max)?, other)))
        .collect();
    found.sort_unstable();
    found.into_iter().take(SIMILAR_COUNT_MAX).map(|(_, name)| name.to_owned()).collect()
}

/// Returns how many letters are to be added, left out, changed or swapped, if not more than `most`.
fn distance(left: &str, right: &str, most: usize) -> Option<usize> {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, one) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let mut best =
                (last[column] + usize::from(one != other)).min(last[column + 1] + 1).min(current[column] + 1);
            let is_swapped =
                row > 0 && column > 0 && left[row - 1] == *other && *one == right[column - 1] && one != other;
            if is_swapped {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        if current.iter().min().is_none_or(|least| *least > most) {
            return None;
        }
        before = std::mem::replace(&mut last, current);
    }
    last.last().copied().filter(|distance| *distance <= most)
}
