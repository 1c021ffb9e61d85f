//! Decides which packages are installed on an empty system, as `apt` would decide.
//!
//! In three steps. A walk in the order of `apt` finds out what `apt` prefers. A SAT solver (resolvo) solves the exact
//! problem with these preferences: it gives the same answer where that of `apt` holds together, and repairs it where it
//! does not. What nothing leads to in the end is left out.
//!
//! As for `apt`, only one version of each package comes into question, its candidate, unless another one is asked for
//! by name: a version that no pin prefers never comes in unnoticed.
//!
//! Rules: Debian policy, chapter 7; `apt_preferences(5)`; `deb-control(5)` for `Multi-Arch`. There is but one
//! architecture, besides `all`.

mod explain;
mod order;
mod policy;
mod prune;
mod request;
mod roots;
mod solver;
mod unsolvable;
mod walk;
mod world;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

pub use order::install_order;
pub use request::{Chosen, Pin, PinTarget, Request, Solution, Wanted};
pub use unsolvable::{Problem, Unsolvable};

use policy::Policy;
use roots::Roots;
use walk::Walk;
use world::{Place, World};

/// How often recommendations of packages are followed that only the solver brought in.
const RECOMMENDS_ROUNDS_MAX: usize = 10;

/// Chooses the packages to install.
pub fn resolve<'a>(request: &Request<'a>) -> Result<Solution<'a>, Unsolvable> {
    let mut policy = Policy::new(request);
    let roots = roots::find(request, &mut policy)?;
    let world = World::new(request, policy);
    let places = roots.places();
    let wishes = Walk::choices(&world, &places);
    let mut chosen = match solver::solve(&world, &places, &wishes, None) {
        Ok(chosen) => chosen,
        Err(involved) => return Err(explain::explain(&world, &roots, &involved)),
    };
    if request.recommends {
        chosen = follow_recommendations(&world, &places, &wishes, chosen);
    }
    Ok(solution(&world, &roots, &chosen))
}

/// Adds what packages recommend that the walk did not meet.
fn follow_recommendations(
    world: &World<'_>,
    roots: &[Place],
    wishes: &[Place],
    mut chosen: Vec<Place>,
) -> Vec<Place> {
    let walked: HashSet<Place> = wishes.iter().copied().collect();
    let mut wishes = wishes.to_vec();
    for _ in 0..RECOMMENDS_ROUNDS_MAX {
        let new: HashSet<Place> = chosen.iter().copied().filter(|place| !walked.contains(place)).collect();
        if new.is_empty() {
            break;
        }
        let all: HashSet<Place> = chosen.iter().copied().collect();
        let known: HashSet<Place> = wishes.iter().copied().collect();
        let missing = prune::missing_recommendations(world, &all);
        let fresh: Vec<_> = missing.into_iter().filter(|place| !known.contains(place)).collect();
        if fresh.is_empty() {
            break;
        }
        wishes.extend(fresh);
        match solver::solve(world, roots, &wishes, None) {
            Ok(more) => chosen = more,
            Err(_) => break,
        }
    }
    chosen
}

fn solution<'a>(world: &World<'a>, roots: &Roots, chosen: &[Place]) -> Solution<'a> {
    let reasons = prune::reachable(world, &roots.with_reasons(), chosen);
    let requested: HashSet<Place> = roots.requested().collect();
    let mut packages: Vec<_> = reasons
        .into_iter()
        .map(|(place, reason)| Chosen {
            record: world.record(place),
            is_requested: requested.contains(&place),
            reason,
        })
        .collect();
    packages.sort_by(|left, right| left.record.name.cmp(&right.record.name));
    Solution { packages }
}
