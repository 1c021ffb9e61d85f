//! Which version of a package is its candidate (`apt_preferences(5)`).

use std::collections::HashMap;

use super::request::{Pin, PinTarget, Request};
use crate::package::PackageRecord;
use crate::universe::{OriginInfo, Universe};

/// Decides which versions may be installed.
///
/// For nearly every package this is one version: `apt`'s candidate. There are two where a preferred version, as of a
/// lock file, is another one than the candidate.
pub(super) struct Policy<'a> {
    universe: &'a Universe,
    architecture: &'a str,
    pins: &'a [Pin],
    /// Versions that were told by name, through a wish or a hold; `None` for a hold of a version that is not there.
    fixed: HashMap<u32, Option<usize>>,
    preferred: HashMap<&'a str, &'a crate::version::Version>,
}

impl<'a> Policy<'a> {
    pub(super) fn new(request: &Request<'a>) -> Self {
        let preferred = request.preferred.iter().map(|(name, version)| (name.as_str(), version));
        Self {
            universe: request.universe,
            architecture: request.architecture,
            pins: request.pins,
            fixed: HashMap::new(),
            preferred: preferred.collect(),
        }
    }

    /// Allows only one version of a package from now on, or none.
    pub(super) fn fix(&mut self, id: u32, place: Option<usize>) {
        self.fixed.insert(id, place);
    }

    /// Tells whether the version was told by name.
    pub(super) fn is_fixed(&self, id: u32) -> bool {
        self.fixed.contains_key(&id)
    }

    /// Returns the versions that may be installed, the best one first.
    pub(super) fn options(&self, id: u32) -> Vec<usize> {
        if let Some(place) = self.fixed.get(&id) {
            return place.iter().copied().collect();
        }
        let mut options = Vec::new();
        if !self.preferred.is_empty() {
            options.extend(self.preferred_version(id));
        }
        if let Some(candidate) = self.candidate(id)
            && !options.contains(&candidate)
        {
            options.push(candidate);
        }
        options
    }

    fn preferred_version(&self, id: u32) -> Option<usize> {
        let wanted = |place: &usize| {
            let record = &self.universe.packages()[*place];
            let wanted = self.preferred.get(record.name.as_str());
            wanted.is_some_and(|version| version.as_str() == record.version.as_str())
        };
        self.versions(id).filter(wanted).max_by_key(|place| self.priority(*place))
    }

    /// Returns the version of the highest priority, and of those the newest one.
    fn candidate(&self, id: u32) -> Option<usize> {
        let mut best: Option<(usize, i32)> = None;
        for place in self.versions(id) {
            let priority = self.priority(place);
            if priority <= 0 {
                continue;
            }
            let packages = self.universe.packages();
            let is_better = best.is_none_or(|(other, other_priority)| {
                priority
                    .cmp(&other_priority)
                    .then_with(|| packages[place].version.cmp(&packages[other].version))
                    .is_gt()
            });
            if is_better {
                best = Some((place, priority));
            }
        }
        best.map(|(place, _)| place)
    }

    /// Returns all versions for the architecture, whatever their priority.
    pub(super) fn versions(&self, id: u32) -> impl Iterator<Item = usize> + '_ {
        self.universe.versions_of(id).iter().map(|place| *place as usize).filter(|place| {
            let architecture = self.universe.packages()[*place].architecture.as_str();
            architecture == "all" || architecture == self.architecture
        })
    }

    /// Returns how much a version is preferred.
    ///
    /// A pin that names the package goes before one for all packages; of several the first one counts.
    pub(super) fn priority(&self, place: usize) -> i32 {
        let record = &self.universe.packages()[place];
        let origins = || record.origins().map(|origin| &self.universe.origins()[origin]);
        let specific = self.pins.iter().filter(|pin| pin.package != "*" && glob(&pin.package, &record.name));
        for pin in specific {
            if matches(&pin.target, record, origins()) {
                return pin.priority;
            }
        }
        let general = |origin: &OriginInfo| {
            let mut pins = self.pins.iter().filter(|pin| pin.package == "*");
            let pin = pins.find(|pin| matches(&pin.target, record, std::iter::once(origin)));
            pin.map_or_else(|| origin.default_priority(), |pin| pin.priority)
        };
        origins().map(general).max().unwrap_or(0)
    }
}

fn matches<'o>(
    target: &PinTarget,
    record: &PackageRecord,
    mut origins: impl Iterator<Item = &'o OriginInfo>,
) -> bool {
    match target {
        PinTarget::Version(pattern) => glob(pattern, record.version.as_str()),
        PinTarget::Suite(pattern) => origins.any(|origin| {
            [&origin.id, &origin.suite, &origin.codename]
                .iter()
                .any(|name| !name.is_empty() && glob(pattern, name))
        }),
        PinTarget::Vendor(pattern) => origins.any(|origin| glob(pattern, &origin.vendor)),
        PinTarget::Label(pattern) => origins.any(|origin| glob(pattern, &origin.label)),
    }
}

/// Matches a text against a pattern in which `*` and `?` stand for anything.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut here) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while here < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, here));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[here] => {
                at += 1;
                here += 1;
            }
            _ => {
                let Some((star_at, star_here)) = star else { return false };
                star = Some((star_at, star_here + 1));
                (at, here) = (star_at + 1, star_here + 1);
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn matches_globs() {
        for (pattern, text) in [
            ("*", ""),
            ("nginx", "nginx"),
            ("nginx*", "nginx-light"),
            ("*-dev", "lib-dev-dev"),
            ("1.2?.*", "1.26.3"),
        ] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("nginx", "nginx-light"), ("a?", "a"), ("a*b", "abc")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }
}
