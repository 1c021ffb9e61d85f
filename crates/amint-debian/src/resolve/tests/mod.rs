mod explain;
mod order;
mod property;
mod rules;
mod versions;

use super::*;
use crate::testing::index;
use crate::universe::{OriginInfo, Universe};

/// Makes a universe out of suites, each with its packages; a suite called `…-backports` is not automatic.
fn universe(suites: &[(&str, &str)]) -> Universe {
    let mut universe = Universe::new();
    for (id, lines) in suites {
        let is_backports = id.ends_with("-backports");
        let origin = OriginInfo {
            id: (*id).to_owned(),
            suite: (*id).to_owned(),
            not_automatic: is_backports,
            but_automatic_upgrades: is_backports,
            ..OriginInfo::default()
        };
        universe.add_index(origin, index(lines).as_bytes()).unwrap();
    }
    universe
}

fn wanted(names: &str) -> Vec<Wanted> {
    names.split_whitespace().map(Wanted::from_text).collect()
}

/// Returns the solution as `name version` words, sorted by name.
fn shown(result: &Result<Solution<'_>, Unsolvable>) -> Vec<String> {
    match result {
        Ok(solution) => solution.packages.iter().map(|chosen| chosen.record.to_string()).collect(),
        Err(error) => panic!("{error}: {:?}", error.details()),
    }
}

/// Returns the names that are installed out of one suite.
fn install(lines: &str, names: &str) -> String {
    let universe = universe(&[("stable", lines)]);
    let install = wanted(names);
    let result = resolve(&Request { install: &install, ..Request::new(&universe, "amd64") });
    shown(&result).iter().filter_map(|word| word.split(' ').next()).collect::<Vec<_>>().join(" ")
}

/// Returns why nothing can be installed out of one suite.
fn refusal(lines: &str, names: &str) -> Unsolvable {
    let universe = universe(&[("stable", lines)]);
    let install = wanted(names);
    resolve(&Request { install: &install, ..Request::new(&universe, "amd64") }).unwrap_err()
}
