//! In which order packages are installed.

use std::collections::HashMap;

use crate::package::{MultiArch, PackageRecord, RelationKind};
use crate::relation::Relation;
use crate::version::Version;

/// Orders packages so that what a package needs comes before it.
///
/// Returns groups of places in `packages`. Packages of one group need each other in a circle and can only be
/// configured together; within a group, what another one pre-depends on comes first where that is no circle, too.
/// Packages without an order among them keep that of `packages`.
pub fn install_order(packages: &[&PackageRecord]) -> Vec<Vec<usize>> {
    let index = Index::new(packages);
    let pre_needs: Vec<Vec<usize>> =
        packages.iter().map(|record| index.needs(record, &[RelationKind::PreDepends])).collect();
    let needs: Vec<Vec<usize>> = packages
        .iter()
        .map(|record| index.needs(record, &[RelationKind::PreDepends, RelationKind::Depends]))
        .collect();
    let mut groups = components(&needs);
    for group in &mut groups {
        if group.len() > 1 {
            group.sort_unstable();
            let places: HashMap<usize, usize> =
                group.iter().enumerate().map(|(at, place)| (*place, at)).collect();
            let inner: Vec<Vec<usize>> = group
                .iter()
                .map(|place| pre_needs[*place].iter().filter_map(|need| places.get(need).copied()).collect())
                .collect();
            let order = components(&inner).into_iter().flat_map(|mut part| {
                part.sort_unstable();
                part
            });
            *group = order.map(|at| group[at]).collect();
        }
    }
    groups
}

/// Finds packages by what they are called and by what they provide.
struct Index<'p> {
    packages: &'p [&'p PackageRecord],
    by_name: HashMap<String, Vec<(usize, Option<Version>)>>,
}

impl<'p> Index<'p> {
    fn new(packages: &'p [&'p PackageRecord]) -> Self {
        let mut by_name: HashMap<String, Vec<(usize, Option<Version>)>> = HashMap::new();
        for (place, record) in packages.iter().enumerate() {
            by_name.entry(record.name.clone()).or_default().push((place, Some(record.version.clone())));
            for provided in record.relations(RelationKind::Provides) {
                let version = provided.constraint.map(|(_, version)| version);
                by_name.entry(provided.name).or_default().push((place, version));
            }
        }
        Self { packages, by_name }
    }

    fn needs(&self, record: &PackageRecord, kinds: &[RelationKind]) -> Vec<usize> {
        let groups = kinds.iter().flat_map(|kind| record.dependencies(*kind));
        let mut needs: Vec<usize> =
            groups.flatten().flat_map(|relation| self.fulfilling(&relation)).collect();
        needs.sort_unstable();
        needs.dedup();
        needs
    }

    fn fulfilling(&self, relation: &Relation) -> Vec<usize> {
        let is_any = relation.arch_qualifier.as_deref() == Some("any");
        let known = self.by_name.get(&relation.name).map(Vec::as_slice).unwrap_or_default();
        let fits = |(place, version): &&(usize, Option<Version>)| {
            let is_version = match version {
                Some(version) => relation.accepts(version),
                None => relation.constraint.is_none(),
            };
            is_version && (!is_any || self.packages[*place].multi_arch == MultiArch::Allowed)
        };
        known.iter().filter(fits).map(|(place, _)| *place).collect()
    }
}

/// Returns the strongly connected components of a graph, those that edges lead to first (Tarjan's algorithm).
fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy, Default)]
    struct Node {
        number: usize,
        low: usize,
        is_open: bool,
        next_edge: usize,
    }
    let mut nodes = vec![Node::default(); edges.len()];
    let mut open = Vec::new();
    let mut found = Vec::new();
    let mut count = 0;
    for start in 0..edges.len() {
        if nodes[start].number != 0 {
            continue;
        }
        let mut path = vec![start];
        while let Some(place) = path.last().copied() {
            if nodes[place].number == 0 {
                count += 1;
                nodes[place] = Node { number: count, low: count, is_open: true, next_edge: 0 };
                open.push(place);
            }
            if let Some(target) = edges[place].get(nodes[place].next_edge).copied() {
                nodes[place].next_edge += 1;
                if nodes[target].number == 0 {
                    path.push(target);
                } else if nodes[target].is_open {
                    nodes[place].low = nodes[place].low.min(nodes[target].number);
                }
                continue;
            }
            path.pop();
            let low = nodes[place].low;
            if let Some(parent) = path.last() {
                nodes[*parent].low = nodes[*parent].low.min(low);
            }
            if low == nodes[place].number {
                let at = open.iter().rposition(|other| *other == place).unwrap_or(0);
                let component = open.split_off(at);
                for member in &component {
                    nodes[*member].is_open = false;
                }
                found.push(component);
            }
        }
    }
    found
}
