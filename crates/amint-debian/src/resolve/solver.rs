//! Puts the exact problem to the solver.
//!
//! The solver is resolvo, a SAT solver made for packages: it follows requirements lazily, so that of 65,000 packages
//! only those are read that come into question, it takes the alternatives of a requirement in the order in which they
//! are given, and it knows wishes that must not make the problem unsolvable ("soft requirements"). All three would
//! have to be built on top of a plain SAT solver.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::Display;

use resolvo::conflict::ConflictNode;
use resolvo::{
    Candidates, Condition, ConditionId, ConditionalRequirement, Dependencies, DependencyProvider, Interner,
    KnownDependencies, NameId, Problem, Requirement, SolvableId, Solver, SolverCache, StringId,
    UnsolvableOrCancelled, VersionSetId, VersionSetUnionId,
};

use super::world::{Place, World};

/// A part of the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Constraint {
    /// One of the packages that were asked for, by its number.
    Root(usize),
    /// A dependency of a package, by its number.
    Group(Place, usize),
    /// An exclusion of a package, by its number.
    Exclusion(Place, usize),
}

/// Solves for the packages asked for, and tells which packages were involved if there is no solution.
///
/// Of `wishes`, as many as possible are in the solution; they are preferred as alternatives, too. If `only` is given,
/// all other constraints are left out.
pub(super) fn solve(
    world: &World<'_>,
    roots: &[Place],
    wishes: &[Place],
    only: Option<&HashSet<Constraint>>,
) -> Result<Vec<Place>, Vec<Place>> {
    let provider = Provider {
        world,
        wished: wishes.iter().copied().collect(),
        only,
        sets: RefCell::default(),
        unions: RefCell::default(),
    };
    let is_active = |index: &usize| only.is_none_or(|only| only.contains(&Constraint::Root(*index)));
    let roots =
        (0..roots.len()).filter(is_active).map(|index| provider.requirement(&[roots[index]])).collect();
    let mut solver = Solver::new(provider);
    let problem =
        Problem::new().requirements(roots).soft_requirements(wishes.iter().map(|place| solvable(*place)));
    match solver.solve(problem) {
        Ok(chosen) => Ok(chosen.into_iter().map(place).collect()),
        Err(UnsolvableOrCancelled::Unsolvable(conflict)) => {
            let graph = conflict.graph(&solver);
            let solvables = graph.graph.node_weights().filter_map(|node| match node {
                ConflictNode::Solvable(solvable) => Some(place(*solvable)),
                _ => None,
            });
            Err(solvables.collect())
        }
        // The provider never cancels.
        Err(UnsolvableOrCancelled::Cancelled(_)) => Err(Vec::new()),
    }
}

fn solvable(place: Place) -> SolvableId {
    SolvableId::from_raw(u32::try_from(place).expect("places fit 32 bits, as the universe checked"))
}

fn place(solvable: SolvableId) -> Place {
    solvable.into_raw() as Place
}

struct Provider<'w, 'a> {
    world: &'w World<'a>,
    wished: HashSet<Place>,
    only: Option<&'w HashSet<Constraint>>,
    /// A name, and the versions of it that belong to the set.
    sets: RefCell<Vec<(NameId, Vec<SolvableId>)>>,
    unions: RefCell<Vec<Vec<VersionSetId>>>,
}

impl Provider<'_, '_> {
    fn name(&self, place: Place) -> NameId {
        NameId::from_raw(self.world.universe.id_of(place))
    }

    fn is_active(&self, constraint: Constraint) -> bool {
        self.only.is_none_or(|only| only.contains(&constraint))
    }

    fn set(&self, name: NameId, members: Vec<SolvableId>) -> VersionSetId {
        let mut sets = self.sets.borrow_mut();
        sets.push((name, members));
        VersionSetId(u32::try_from(sets.len() - 1).expect("there are fewer sets than relations"))
    }

    /// Requires any of some packages, the preferred one first.
    fn requirement(&self, targets: &[Place]) -> ConditionalRequirement {
        let mut sets: Vec<(NameId, Vec<SolvableId>)> = Vec::new();
        for target in targets {
            let name = self.name(*target);
            match sets.last_mut() {
                Some((last, members)) if *last == name => members.push(solvable(*target)),
                _ => sets.push((name, vec![solvable(*target)])),
            }
        }
        let sets: Vec<_> = sets.into_iter().map(|(name, members)| self.set(name, members)).collect();
        let requirement = if let [set] = sets[..] {
            Requirement::Single(set)
        } else {
            let mut unions = self.unions.borrow_mut();
            unions.push(sets);
            let index = u32::try_from(unions.len() - 1).expect("there are fewer unions than relations");
            Requirement::Union(VersionSetUnionId(index))
        };
        ConditionalRequirement { condition: None, requirement }
    }

    fn requirements(&self, place: Place) -> Vec<ConditionalRequirement> {
        let needs = self.world.needs(place);
        let mut requirements = Vec::new();
        for (index, group) in needs.groups.iter().enumerate() {
            if !group.is_critical() || !self.is_active(Constraint::Group(place, index)) {
                continue;
            }
            let mut targets: Vec<_> = group.targets().collect();
            targets.sort_by_key(|target| !self.wished.contains(target));
            if targets.is_empty() {
                let nothing = Requirement::Single(self.set(self.name(place), Vec::new()));
                requirements.push(ConditionalRequirement { condition: None, requirement: nothing });
            } else {
                requirements.push(self.requirement(&targets));
            }
        }
        requirements
    }

    fn constrains(&self, place: Place) -> Vec<VersionSetId> {
        let needs = self.world.needs(place);
        let mut constrains = Vec::new();
        for (index, exclusion) in needs.exclusions.iter().enumerate() {
            if !self.is_active(Constraint::Exclusion(place, index)) {
                continue;
            }
            for target in &exclusion.targets {
                let options = self.world.options(self.world.universe.id_of(*target));
                let allowed = options.iter().filter(|option| !exclusion.targets.contains(option));
                constrains
                    .push(self.set(self.name(*target), allowed.map(|option| solvable(*option)).collect()));
            }
        }
        constrains
    }
}

impl Interner for Provider<'_, '_> {
    type NameId = NameId;
    type SolvableId = SolvableId;

    fn display_solvable(&self, solvable: SolvableId) -> impl Display + '_ {
        self.world.record(place(solvable))
    }

    fn display_name(&self, name: NameId) -> impl Display + '_ {
        name.into_raw()
    }

    fn display_version_set(&self, set: VersionSetId) -> impl Display + '_ {
        set.0
    }

    fn display_string(&self, string: StringId) -> impl Display + '_ {
        string.0
    }

    fn version_set_name(&self, set: VersionSetId) -> NameId {
        self.sets.borrow()[set.0 as usize].0
    }

    fn solvable_name(&self, solvable: SolvableId) -> NameId {
        self.name(place(solvable))
    }

    fn version_sets_in_union(&self, union: VersionSetUnionId) -> impl Iterator<Item = VersionSetId> {
        self.unions.borrow()[union.0 as usize].clone().into_iter()
    }

    fn resolve_condition(&self, _: ConditionId) -> Condition {
        unreachable!("no requirement has a condition")
    }
}

impl DependencyProvider for Provider<'_, '_> {
    async fn filter_candidates(
        &self,
        candidates: &[SolvableId],
        set: VersionSetId,
        inverse: bool,
    ) -> Vec<SolvableId> {
        let sets = self.sets.borrow();
        let members = &sets[set.0 as usize].1;
        candidates.iter().copied().filter(|candidate| members.contains(candidate) != inverse).collect()
    }

    async fn get_candidates(&self, name: NameId) -> Option<Candidates> {
        let options = self.world.options(name.into_raw());
        let candidates = options.iter().map(|option| solvable(*option)).collect();
        Some(Candidates { candidates, ..Candidates::default() })
    }

    async fn sort_candidates(&self, _: &SolverCache<Self>, solvables: &mut [SolvableId]) {
        let Some(first) = solvables.first() else { return };
        let options = self.world.options(self.name(place(*first)).into_raw());
        solvables.sort_by_key(|solvable| options.iter().position(|option| *option == place(*solvable)));
    }

    async fn get_dependencies(&self, solvable: SolvableId) -> Dependencies {
        let place = place(solvable);
        Dependencies::Known(KnownDependencies {
            requirements: self.requirements(place),
            constrains: self.constrains(place),
        })
    }
}
