//! Which recommendations of the CIS benchmarks each rule serves.
//!
//! Recommendations are named by id only: their texts belong to CIS. Where the table comes from stands in its head
//! (`data/controls.tsv`).

use std::fmt;
use std::sync::LazyLock;

use amint_types::scan::OperatingSystem;

/// The table: rule, benchmark, recommendations.
const TABLE: &str = include_str!("../data/controls.tsv");

/// A recommendation of a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Control {
    /// The rule that serves it.
    pub rule: &'static str,
    /// The benchmark: `debian13`.
    pub benchmark: &'static str,
    /// The recommendation: `5.1.21`.
    pub id: &'static str,
    /// Whether it is asked of servers of the second level only.
    pub is_second_level: bool,
}

impl fmt::Display for Control {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cis-{} {}", self.benchmark, self.id)
    }
}

static CONTROLS: LazyLock<Vec<Control>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(read_line).collect()
});

fn read_line(line: &'static str) -> Vec<Control> {
    let mut fields = line.split('\t');
    let (Some(rule), Some(benchmark), Some(ids)) = (fields.next(), fields.next(), fields.next()) else {
        return Vec::new();
    };
    ids.split(' ')
        .map(|id| {
            let (id, is_second_level) = id.strip_suffix("/2").map_or((id, false), |id| (id, true));
            Control { rule, benchmark, id, is_second_level }
        })
        .collect()
}

/// Returns every recommendation that some rule serves, by rule and benchmark.
pub fn controls() -> &'static [Control] {
    &CONTROLS
}

/// Returns the benchmarks and their versions, by name.
pub fn benchmarks() -> impl Iterator<Item = (&'static str, &'static str)> {
    let heads = TABLE.lines().filter_map(|line| line.strip_prefix("# benchmark "));
    heads.filter_map(|head| head.split_once(' '))
}

/// Returns the benchmark of an operating system; rebuilds of Red Hat's are judged by that of `AlmaLinux`.
pub fn benchmark_of(system: &OperatingSystem) -> Option<&'static str> {
    let version = system.version_id.as_deref().unwrap_or_default();
    let major = version.split('.').next().unwrap_or_default();
    match (system.id.as_str(), major, version) {
        ("debian", "12", _) => Some("debian12"),
        ("debian", "13", _) => Some("debian13"),
        ("ubuntu", _, "24.04") => Some("ubuntu2404"),
        ("amzn", "2023", _) => Some("al2023"),
        ("almalinux" | "rhel" | "rocky" | "centos" | "ol", "9", _) => Some("almalinux9"),
        _ => None,
    }
}

/// Returns the recommendations that a rule serves in an operating system's benchmark.
pub fn controls_for(rule: &str, system: Option<&OperatingSystem>) -> Vec<String> {
    let Some(benchmark) = system.and_then(benchmark_of) else { return Vec::new() };
    let is_meant = |control: &&Control| control.rule == rule && control.benchmark == benchmark;
    controls().iter().filter(is_meant).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use amint_types::scan::SupportState;

    use super::*;
    use crate::rules;

    /// Rules of the check list that may not be there yet.
    const PENDING: [&str; 15] = [
        "ACC-006", "ACC-009", "ACC-010", "AUD-001", "BAN-001", "CRY-001", "FS-002", "KRN-003", "MAC-001",
        "NET-001", "SSH-011", "SSH-013", "SVC-002", "SVC-003", "SVC-005",
    ];
    const PENDING_TOO: [&str; 2] = ["SVC-008", "VUL-007"];

    fn system(id: &str, version: &str) -> OperatingSystem {
        OperatingSystem {
            id: id.to_owned(),
            version_id: Some(version.to_owned()),
            codename: None,
            name: id.to_owned(),
            like: Vec::new(),
            architecture: None,
            support: SupportState::Unknown,
            support_ends: None,
            long_term_support_ends: None,
        }
    }

    #[test]
    fn every_line_of_the_table_is_read_and_names_a_rule_and_a_benchmark() {
        let known: BTreeSet<&str> = benchmarks().map(|(name, _)| name).collect();
        assert_eq!(known.len(), 5);
        let rules: BTreeSet<&str> = rules().iter().map(|rule| rule.meta().id).collect();
        let mut seen = BTreeSet::new();
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let controls = read_line(line);
            assert!(!controls.is_empty(), "{line}");
            for control in controls {
                let is_number = |part: &str| part.parse::<u8>().is_ok();
                assert!(control.id.split('.').all(is_number), "{control}");
                assert!(known.contains(control.benchmark), "{control}");
                let is_pending = PENDING.contains(&control.rule) || PENDING_TOO.contains(&control.rule);
                assert!(rules.contains(control.rule) || is_pending, "{}", control.rule);
                assert!(seen.insert((control.rule, control.benchmark, control.id)), "{control} twice");
            }
        }
    }

    #[test]
    fn a_rule_is_told_in_the_benchmark_of_the_system() {
        let debian = system("debian", "13");
        assert_eq!(controls_for("SSH-003", Some(&debian)), ["cis-debian13 5.1.21"]);
        assert_eq!(controls_for("SSH-003", Some(&system("rocky", "9.4"))), ["cis-almalinux9 5.1.20"]);
        assert_eq!(controls_for("SSH-003", Some(&system("debian", "11"))), [""; 0]);
        assert_eq!(controls_for("SSH-003", None), [""; 0]);
        assert_eq!(controls_for("SEC-001", Some(&debian)), [""; 0]);
    }

    #[test]
    fn recommendations_of_the_second_level_are_marked() {
        let forwarding = controls().iter().find(|one| one.rule == "SSH-012" && one.benchmark == "debian13");
        assert!(forwarding.is_some_and(|control| control.is_second_level && control.id == "5.1.8"));
    }
}
