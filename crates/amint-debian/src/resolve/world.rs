//! The part of the universe that a request can reach, read as far as somebody asks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::policy::Policy;
use super::request::Request;
use crate::package::{MultiArch, PackageRecord, RelationKind};
use crate::relation::{self, RelationText};
use crate::universe::Universe;
use crate::version;

/// A package of the universe, by its place.
pub(super) type Place = usize;

/// What packages need and exclude, in terms of the versions that may be installed.
pub(super) struct World<'a> {
    pub(super) universe: &'a Universe,
    pub(super) policy: Policy<'a>,
    architecture: &'a str,
    recommends: bool,
    options: RefCell<HashMap<u32, Rc<[Place]>>>,
    needs: RefCell<HashMap<Place, Rc<Needs<'a>>>>,
}

/// What a package needs and excludes.
#[derive(Debug)]
pub(super) struct Needs<'a> {
    /// `Pre-Depends`, `Depends` and, in the end, `Recommends`.
    pub(super) groups: Vec<Group<'a>>,
    /// `Conflicts` and `Breaks` that exclude something.
    pub(super) exclusions: Vec<Exclusion<'a>>,
}

/// A dependency with its alternatives.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) kind: RelationKind,
    pub(super) text: &'a str,
    /// The packages that fulfil each alternative, in the order in which `apt` tries them.
    pub(super) alternatives: Vec<Vec<Place>>,
}

/// A relation that keeps packages away.
#[derive(Debug)]
pub(super) struct Exclusion<'a> {
    pub(super) kind: RelationKind,
    pub(super) text: &'a str,
    pub(super) targets: Vec<Place>,
}

impl Group<'_> {
    /// Tells whether the package does not work without it.
    pub(super) fn is_critical(&self) -> bool {
        self.kind != RelationKind::Recommends
    }

    /// Returns all packages that fulfil it.
    pub(super) fn targets(&self) -> impl Iterator<Item = Place> + '_ {
        self.alternatives.iter().flatten().copied()
    }
}

impl<'a> World<'a> {
    pub(super) fn new(request: &Request<'a>, policy: Policy<'a>) -> Self {
        Self {
            universe: request.universe,
            policy,
            architecture: request.architecture,
            recommends: request.recommends,
            options: RefCell::default(),
            needs: RefCell::default(),
        }
    }

    pub(super) fn record(&self, place: Place) -> &'a PackageRecord {
        &self.universe.packages()[place]
    }

    /// Tells whether a dependency is one that is followed.
    pub(super) fn is_followed(&self, group: &Group<'_>) -> bool {
        self.recommends || group.is_critical()
    }

    /// Returns the versions that may be installed, the best one first.
    pub(super) fn options(&self, id: u32) -> Rc<[Place]> {
        if let Some(known) = self.options.borrow().get(&id) {
            return Rc::clone(known);
        }
        let options: Rc<[Place]> = self.policy.options(id).into();
        self.options.borrow_mut().insert(id, Rc::clone(&options));
        options
    }

    /// Tells whether a package may be installed in this version.
    fn is_option(&self, place: Place) -> bool {
        self.options(self.universe.id_of(place)).contains(&place)
    }

    /// Returns what a package needs and excludes.
    pub(super) fn needs(&self, place: Place) -> Rc<Needs<'a>> {
        if let Some(known) = self.needs.borrow().get(&place) {
            return Rc::clone(known);
        }
        let needs = Rc::new(self.read_needs(place));
        self.needs.borrow_mut().insert(place, Rc::clone(&needs));
        needs
    }

    fn read_needs(&self, place: Place) -> Needs<'a> {
        let record = self.record(place);
        let mut groups = Vec::new();
        for kind in [RelationKind::PreDepends, RelationKind::Depends, RelationKind::Recommends] {
            for text in relation::groups(record.relation_text(kind)) {
                let relations = relation::alternatives(text).filter_map(Result::ok);
                let alternatives = relations.map(|relation| self.fulfilling(&relation)).collect();
                groups.push(Group { kind, text, alternatives });
            }
        }
        let mut exclusions = Vec::new();
        for kind in [RelationKind::Conflicts, RelationKind::Breaks] {
            for text in relation::groups(record.relation_text(kind)) {
                let Ok(relation) = relation::read(text) else { continue };
                let mut targets = self.fulfilling(&relation);
                // A package does not exclude itself, whatever it provides (policy, section 7.4).
                let id = self.universe.id_of(place);
                targets.retain(|target| self.universe.id_of(*target) != id);
                if !targets.is_empty() {
                    exclusions.push(Exclusion { kind, text, targets });
                }
            }
        }
        Needs { groups, exclusions }
    }

    /// Returns the packages that a relation means, in the order in which `apt` tries them.
    pub(super) fn fulfilling(&self, relation: &RelationText<'_>) -> Vec<Place> {
        let mut found = Vec::new();
        let is_any = match relation.arch_qualifier {
            None | Some("native") => false,
            Some("any") => true,
            // There is but one architecture.
            Some(architecture) if architecture == self.architecture => false,
            Some(_) => return found,
        };
        // Only packages that say so serve `name:any` (the Multi-Arch specification; `deb-control(5)`).
        let is_served = |place: Place| !is_any || self.record(place).multi_arch == MultiArch::Allowed;
        if let Some(id) = self.universe.id(relation.name) {
            let options = self.options(id);
            let is_meant = |place: &Place| {
                is_served(*place) && accepts(relation, Some(self.record(*place).version.as_str()))
            };
            found.extend(options.iter().copied().filter(is_meant));
            self.add_providers(id, relation, is_served, &mut found);
        }
        if is_any && let Some(id) = self.universe.id(&format!("{}:any", relation.name)) {
            self.add_providers(id, relation, |_| true, &mut found);
        }
        if found.len() > 1 {
            found.sort_by_key(|place| self.preference(*place, relation.name));
            found.dedup();
        }
        found
    }

    fn add_providers(
        &self,
        id: u32,
        relation: &RelationText<'_>,
        is_served: impl Fn(Place) -> bool,
        found: &mut Vec<Place>,
    ) {
        for provider in self.universe.providers_of(id) {
            let version = provider.version.as_ref().map(version::Version::as_str);
            if accepts(relation, version) && is_served(provider.package) && self.is_option(provider.package) {
                found.push(provider.package);
            }
        }
    }

    /// Returns what sorts packages that fulfil the same relation: the package of that name, essential ones, protected
    /// ones, important ones; among equals, `apt` takes the one that it met last.
    fn preference(&self, place: Place, name: &str) -> impl Ord + use<> {
        let record = self.record(place);
        let id = self.universe.id_of(place);
        let option = self.options(id).iter().position(|option| *option == place);
        (
            record.name != name,
            !record.is_essential,
            !(record.is_protected || record.name == "apt"),
            record.priority,
            std::cmp::Reverse(id),
            option,
            place,
        )
    }
}

/// Tells whether a version, or a name provided without one, is meant by a relation.
fn accepts(relation: &RelationText<'_>, version: Option<&str>) -> bool {
    match (relation.constraint, version) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some((operator, wanted)), Some(found)) => operator.accepts_order(version::compare(found, wanted)),
    }
}
