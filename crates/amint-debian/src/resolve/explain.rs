//! Finds the smallest reason why there is no solution, and tells it in the words of Debian.
//!
//! The solver names the packages that are involved. Out of what these need and exclude, parts are left out as long as
//! there is still no solution: every step that remains is needed for the contradiction.

use std::collections::{HashSet, VecDeque};

use super::roots::Roots;
use super::solver::{self, Constraint};
use super::unsolvable::{Known, Problem, Unsolvable, quoted};
use super::world::{Place, World};
use crate::package::RelationKind;
use crate::relation::{self, RelationText};

/// Explains why there is no solution.
pub(super) fn explain(world: &World<'_>, roots: &Roots, involved: &[Place]) -> Unsolvable {
    let places = roots.places();
    let is_unsolvable = |constraints: &[Constraint]| {
        let only: HashSet<Constraint> = constraints.iter().copied().collect();
        solver::solve(world, &places, &[], Some(&only)).is_err()
    };
    let mut core = constraints(world, &places, involved);
    if is_unsolvable(&core) {
        core = minimise(core, is_unsolvable);
    } else {
        // The solver's word still stands: then all that was asked for is told.
        core = (0..places.len()).map(Constraint::Root).collect();
    }
    let story = Story::new(world, roots, &core);
    Unsolvable::new(vec![story.tell()])
}

fn constraints(world: &World<'_>, roots: &[Place], involved: &[Place]) -> Vec<Constraint> {
    let mut constraints: Vec<_> = (0..roots.len()).map(Constraint::Root).collect();
    for place in involved.iter().copied() {
        let needs = world.needs(place);
        let groups = needs.groups.iter().enumerate().filter(|(_, group)| group.is_critical());
        constraints.extend(groups.map(|(index, _)| Constraint::Group(place, index)));
        constraints.extend((0..needs.exclusions.len()).map(|index| Constraint::Exclusion(place, index)));
    }
    constraints
}

/// Leaves out ever smaller parts as long as there is no solution without them.
fn minimise(mut core: Vec<Constraint>, is_unsolvable: impl Fn(&[Constraint]) -> bool) -> Vec<Constraint> {
    let mut size = core.len().div_ceil(2);
    loop {
        let mut start = 0;
        while start < core.len() {
            let end = (start + size).min(core.len());
            let rest: Vec<_> = core[..start].iter().chain(&core[end..]).copied().collect();
            if is_unsolvable(&rest) {
                core = rest;
            } else {
                start = end;
            }
        }
        if size == 1 {
            return core;
        }
        size = size.div_ceil(2);
    }
}

struct Story<'s, 'w> {
    world: &'s World<'w>,
    roots: &'s Roots,
    core: Vec<Constraint>,
    requested: Vec<String>,
    hint: Option<String>,
    steps: Vec<String>,
}

impl<'s, 'w> Story<'s, 'w> {
    fn new(world: &'s World<'w>, roots: &'s Roots, core: &[Constraint]) -> Self {
        Self { world, roots, core: core.to_vec(), requested: Vec::new(), hint: None, steps: Vec::new() }
    }

    fn tell(mut self) -> Problem {
        let mut queue = VecDeque::new();
        let mut seen = HashSet::new();
        for constraint in &self.core {
            if let Constraint::Root(index) = constraint {
                let root = &self.roots.all()[*index];
                if root.is_requested {
                    self.requested.push(self.name(root.place));
                }
                seen.insert(root.place);
                queue.push_back((root.place, root.reason.clone()));
            }
        }
        let mut exclusions = Vec::new();
        let mut reasons = Vec::new();
        while let Some((place, reason)) = queue.pop_front() {
            reasons.push((place, reason.clone()));
            let needs = self.world.needs(place);
            for constraint in self.core.clone() {
                match constraint {
                    Constraint::Group(owner, index) if owner == place => {
                        self.tell_group(place, &reason, index);
                        for target in needs.groups[index].targets() {
                            if seen.insert(target) {
                                queue.push_back((target, format!("needed by `{}`", self.name(place))));
                            }
                        }
                    }
                    Constraint::Exclusion(owner, index) if owner == place => exclusions.push((place, index)),
                    _ => {}
                }
            }
        }
        for (place, index) in exclusions {
            self.tell_exclusion(place, index, &reasons);
        }
        if self.hint.is_none() && self.requested.len() > 1 {
            self.hint = Some(format!("leave out one of {}", quoted(&self.requested, "and")));
        }
        Problem::Relations { requested: self.requested, steps: self.steps, hint: self.hint }
    }

    fn name(&self, place: Place) -> String {
        self.world.record(place).name.clone()
    }

    fn tell_group(&mut self, place: Place, reason: &str, index: usize) {
        let needs = self.world.needs(place);
        let group = &needs.groups[index];
        let verb = match group.kind {
            RelationKind::PreDepends => "needs to be preceded by",
            _ => "depends on",
        };
        let text = group.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut step = format!("`{}` ({reason}) {verb} {text}", self.world.record(place));
        for relation in relation::alternatives(group.text).filter_map(Result::ok) {
            if self.world.fulfilling(&relation).is_empty() {
                step += "; ";
                step += &self.missing(&relation);
            }
        }
        self.steps.push(step);
    }

    /// Tells why nothing fulfils a relation.
    fn missing(&mut self, relation: &RelationText<'_>) -> String {
        let world = self.world;
        let name = relation.name;
        let id = world.universe.id(name);
        let versions: Vec<Place> = id.map(|id| world.policy.versions(id).collect()).unwrap_or_default();
        let Some(id) = id.filter(|_| !versions.is_empty()) else {
            let providers = id.map_or(0, |id| world.universe.providers_of(id).len());
            return match providers {
                0 => format!("there is no package `{name}`"),
                _ => format!("`{name}` is only provided in no fitting version"),
            };
        };
        let known = Known::of(world.universe, versions.iter().copied());
        let fits = |known: &&Known| {
            relation.constraint.is_none_or(|(operator, wanted)| {
                operator.accepts_order(crate::version::compare(&known.version, wanted))
            })
        };
        let fitting = known.iter().find(fits);
        let options = world.options(id);
        let Some(candidate) = options.first().map(|place| Known::of(world.universe, std::iter::once(*place)))
        else {
            return format!("no version of `{name}` may be installed, because of a pin or hold");
        };
        let candidate = &candidate[0];
        match fitting {
            Some(fitting) if fitting.version == candidate.version => {
                format!("`{name}` does not serve packages of other architectures")
            }
            Some(fitting) => {
                self.hint = Some(format!("ask for `{name}={}` too, or pin it", fitting.version));
                format!("the candidate of `{name}` is {candidate}, though {fitting} is known")
            }
            None if known.len() == 1 => {
                format!("the only `{name}` is {candidate}")
            }
            None => format!("the newest `{name}` is {}", known[0]),
        }
    }

    fn tell_exclusion(&mut self, place: Place, index: usize, reasons: &[(Place, String)]) {
        let needs = self.world.needs(place);
        let exclusion = &needs.exclusions[index];
        let reason_of =
            |place: Place| reasons.iter().find(|(other, _)| *other == place).map(|(_, reason)| reason);
        let verb = if exclusion.kind == RelationKind::Breaks { "breaks" } else { "conflicts with" };
        let mut step = format!("`{}`", self.world.record(place));
        if let Some(reason) = reason_of(place) {
            step.push_str(" (");
            step.push_str(reason);
            step.push(')');
        }
        let text = exclusion.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut parts = vec![format!("{step} {verb} {text}")];
        for target in &exclusion.targets {
            if let Some(reason) = reason_of(*target) {
                let record = self.world.record(*target);
                let provided = exclusion.text.split([' ', '(', ':']).next() != Some(record.name.as_str());
                let how = if provided { ", which provides it," } else { "" };
                parts.push(format!("`{record}`{how} is {reason}"));
            }
        }
        self.steps.push(parts.join("; "));
    }
}
