//! In which order packages are unpacked and their first scripts run.

use std::collections::{HashMap, HashSet};

use amint_debian::relation::{Relation, parse_dependencies, parse_provides};

use super::package::Candidate;

/// The packages in groups: each group's `preinst` scripts run before its files are unpacked, once the groups before
/// are there. The first group is unpacked first and runs its scripts afterwards: without its files nothing runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Groups {
    /// The essential system (Debian policy, section 3.8) with all that it needs, and packages without a `preinst`.
    pub(super) first: Vec<usize>,
    /// All others, those that others pre-depend on first.
    pub(super) later: Vec<Vec<usize>>,
}

/// Puts packages into groups.
pub(super) fn groups(candidates: &[Candidate], is_base: bool) -> Groups {
    let names = Names::of(candidates);
    let essential = if is_base { names.closure(candidates) } else { HashSet::new() };
    let has_script = |index: usize| {
        candidates[index].deb.control_file("preinst").is_some_and(|script| !is_for_upgrades_only(script))
    };
    let (first, mut waiting): (Vec<usize>, Vec<usize>) =
        (0..candidates.len()).partition(|index| essential.contains(index) || !has_script(*index));
    let mut later = Vec::new();
    while !waiting.is_empty() {
        let still: HashSet<usize> = waiting.iter().copied().collect();
        let is_ready = |index: &usize| {
            let needs = names.needs(&candidates[*index], &["Pre-Depends"]);
            needs.iter().all(|need| need == index || !still.contains(need))
        };
        let (ready, rest): (Vec<usize>, Vec<usize>) = waiting.iter().copied().partition(is_ready);
        if ready.is_empty() {
            // Packages that pre-depend on each other cannot be put in any order: dpkg could not, either.
            later.push(rest);
            break;
        }
        later.push(ready);
        waiting = rest;
    }
    Groups { first, later }
}

/// Tells whether a `preinst` does nothing at a first installation: all that debhelper writes for configuration files and
/// folders that moved looks at the version that was there before (`dpkg-maintscript-helper(1)`).
pub(super) fn is_for_upgrades_only(script: &[u8]) -> bool {
    const HELPERS: [&str; 4] = ["rm_conffile", "mv_conffile", "symlink_to_dir", "dir_to_symlink"];
    String::from_utf8_lossy(script).lines().map(str::trim).all(|line| {
        let mut words = line.split_whitespace();
        line.is_empty()
            || line.starts_with('#')
            || line == "set -e"
            || line == "exit 0"
            || (words.next() == Some("dpkg-maintscript-helper")
                && words.next().is_some_and(|word| HELPERS.contains(&word))
                && !line.contains([';', '&', '|', '`', '(']))
    })
}

/// Which packages have a name, or provide it.
struct Names(HashMap<String, Vec<usize>>);

impl Names {
    fn of(candidates: &[Candidate]) -> Self {
        let mut names: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, candidate) in candidates.iter().enumerate() {
            names.entry(candidate.name.clone()).or_default().push(index);
            let provides = candidate.deb.control().get("Provides").unwrap_or_default();
            for relation in parse_provides(provides).unwrap_or_default() {
                names.entry(relation.name).or_default().push(index);
            }
        }
        Self(names)
    }

    /// Returns what a package needs by these fields, among the packages at hand.
    fn needs(&self, candidate: &Candidate, fields: &[&str]) -> Vec<usize> {
        let texts = fields.iter().filter_map(|field| candidate.deb.control().get(field));
        let alternatives: Vec<Vec<Relation>> =
            texts.flat_map(|text| parse_dependencies(text).unwrap_or_default()).collect();
        let of = |relation: &Relation| self.0.get(&relation.name).cloned().unwrap_or_default();
        alternatives.iter().flatten().flat_map(of).collect()
    }

    /// Returns the essential packages with all that they need.
    fn closure(&self, candidates: &[Candidate]) -> HashSet<usize> {
        let is_essential = |index: &usize| candidates[*index].deb.control().get("Essential") == Some("yes");
        let mut found: HashSet<usize> = (0..candidates.len()).filter(is_essential).collect();
        let mut open: Vec<usize> = found.iter().copied().collect();
        while let Some(index) = open.pop() {
            for need in self.needs(&candidates[index], &["Depends", "Pre-Depends"]) {
                if found.insert(need) {
                    open.push(need);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::is_for_upgrades_only;

    #[test]
    fn knows_scripts_that_only_upgrades_need() {
        let generated = b"#!/bin/sh\nset -e\n# Automatically added\n\
            dpkg-maintscript-helper rm_conffile /etc/a 1.2\\~ -- \"$@\"\n# End\n";
        assert!(is_for_upgrades_only(generated));
        assert!(!is_for_upgrades_only(b"#!/bin/sh\nset -e\nadduser --system x\n"));
        let hidden = b"dpkg-maintscript-helper rm_conffile /etc/a 1 -- \"$@\"; adduser x\n";
        assert!(!is_for_upgrades_only(hidden));
    }
}
