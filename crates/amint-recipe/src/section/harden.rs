//! `[harden]`: which rules the image is hardened with and judged by.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use amint_types::Severity;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Flaw, Problem, Problems};
use crate::table::{Table, values};
use crate::text::{Choice, choose, names, plain};
use crate::{defaults, schema};

pub(crate) const KEYS: [&str; 3] = ["profiles", "gate", "waive"];
pub(crate) const WAIVE_KEYS: [&str; 7] = ["rule", "reason", "owner", "until", "path", "package", "version"];

/// Most waivers of a recipe.
const WAIVER_COUNT_MAX: usize = 500;
/// Most characters of a waiver's reason.
const REASON_CHARS_MAX: usize = 1000;
/// Most characters of the name of who answers for a waiver.
const OWNER_CHARS_MAX: usize = 200;
/// Most characters of a waiver's package or version.
const PACKAGE_CHARS_MAX: usize = 300;
/// Most characters of a waiver's path.
const PATH_CHARS_MAX: usize = 4096;

/// Says which rules the image is hardened with and judged by (B6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Harden {
    /// Sets of rules, each both applied to the image and checked afterwards.
    #[schemars(default = "defaults::profiles", length(min = 1))]
    pub profiles: Vec<Profile>,
    /// The mildest severity of a violation that stops the image.
    #[schemars(schema_with = "schema::severity", default = "defaults::gate")]
    pub gate: Severity,
    /// Violations that are accepted for a while.
    #[schemars(default)]
    pub waive: Vec<Waiver>,
}

/// A set of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
#[non_exhaustive]
pub enum Profile {
    /// What AWS Marketplace demands of an AMI (A2).
    Marketplace,
    /// What AWS's guidelines for shared Linux AMIs ask for (A11).
    SharedLinux,
    /// A hardened system, in the spirit of the CIS benchmarks' first level (B6).
    Hardened,
    /// A hardened system of the second level: all of the first, and what costs comfort or features (B6).
    #[serde(rename = "hardened-2")]
    HardenedLevel2,
    /// An image that never leaves its organisation.
    Private,
}

impl Profile {
    /// Returns the name that recipes use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Marketplace => "marketplace",
            Self::SharedLinux => "shared-linux",
            Self::Hardened => "hardened",
            Self::HardenedLevel2 => "hardened-2",
            Self::Private => "private",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Choice for Profile {
    const WHAT: &'static str = "a profile";
    const ALL: &'static [Self] =
        &[Self::Marketplace, Self::SharedLinux, Self::Hardened, Self::HardenedLevel2, Self::Private];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Choice for Severity {
    const WHAT: &'static str = "a severity";
    const ALL: &'static [Self] = &Severity::ALL;

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// A violation that is accepted, for a reason, by somebody, and for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Waiver {
    /// The rule's id, such as `SSH-012`, or that of an advisory, such as `CVE-2024-6387`.
    #[schemars(extend("pattern" = schema::RULE_PATTERN))]
    pub rule: String,
    /// Why the violation is accepted.
    #[schemars(length(min = 1, max = 1000))]
    pub reason: String,
    /// Who answers for it: a person or a team.
    #[schemars(length(min = 1, max = 200))]
    pub owner: String,
    /// The last day on which it is accepted, without quotes: `2027-03-31`.
    #[schemars(schema_with = "schema::date")]
    pub until: Date,
    /// Only violations at this absolute path in the image; `*` stands for anything. Without it all of the rule.
    #[schemars(length(max = 4096), extend("pattern" = "^[/*]"))]
    pub path: Option<String>,
    /// Only violations of this package; `*` stands for anything.
    #[schemars(length(min = 1, max = 300))]
    pub package: Option<String>,
    /// Only violations of this version of the package; `*` stands for anything.
    #[schemars(length(min = 1, max = 300))]
    pub version: Option<String>,
}

impl Waiver {
    /// Tells whether the waiver has ended by `today`.
    pub fn is_expired(&self, today: Date) -> bool {
        self.until < today
    }
}

impl Default for Harden {
    fn default() -> Self {
        Self { profiles: defaults::profiles(), gate: defaults::gate(), waive: Vec::new() }
    }
}

/// Returns the section and the places of the days on which waivers end.
pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> (Harden, Vec<Range<usize>>) {
    let Some(table) = root.table(problems, "harden", "[harden]", &KEYS) else {
        return (Harden::default(), Vec::new());
    };
    let profiles = table.parsed_list(problems, "profiles", Profile::ALL.len(), choose::<Profile>).map(values);
    if profiles.as_ref().is_some_and(Vec::is_empty)
        && problems.snippet(table.span_of("profiles")).trim() == "[]"
    {
        let problem =
            Problem::error(table.span_of("profiles"), "`profiles` is empty: nothing would be checked");
        problems.push(problem.hint("`private` asks for the least"));
    }
    let gate = table.parsed(problems, "gate", choose::<Severity>);
    let (waive, spans) = parse_waivers(&table, problems);
    let harden = Harden {
        profiles: profiles.unwrap_or_else(defaults::profiles),
        gate: gate.map_or_else(defaults::gate, |gate| gate.value),
        waive,
    };
    (harden, spans)
}

/// Returns the waivers of a table `[harden]` and the places of the days on which they end.
pub(crate) fn parse_waivers(
    harden: &Table<'_>,
    problems: &mut Problems<'_>,
) -> (Vec<Waiver>, Vec<Range<usize>>) {
    let tables = harden.tables(problems, "waive", "[[harden.waive]]", WAIVER_COUNT_MAX, &WAIVE_KEYS);
    let mut seen = HashSet::new();
    let mut waivers = Vec::with_capacity(tables.len());
    let mut spans = Vec::with_capacity(tables.len());
    for table in tables {
        for key in ["rule", "reason", "owner", "until"] {
            table.require(problems, key);
        }
        let rule = table.parsed(problems, "rule", names::rule);
        let reason = table.parsed(problems, "reason", plain("reason", REASON_CHARS_MAX, true));
        let owner = table.parsed(problems, "owner", plain("owner", OWNER_CHARS_MAX, false));
        let until = table.date(problems, "until");
        let path = table.parsed(problems, "path", pattern).map(|path| path.value);
        let [package, version] = ["package", "version"].map(|key| {
            table.parsed(problems, key, plain(key, PACKAGE_CHARS_MAX, false)).map(|text| text.value)
        });
        if table.has("version") && !table.has("package") {
            let problem = Problem::error(table.span_of("version"), "`version` without `package`");
            problems.push(problem.hint("say which package has that version"));
        }
        let Some(rule) = rule else { continue };
        if !seen.insert((rule.value.clone(), path.clone(), package.clone(), version.clone())) {
            let message = format!("`{}` is waived twice", rule.value);
            problems.push(Problem::error(rule.span.clone(), message));
        }
        let (Some(reason), Some(owner), Some(until)) = (reason, owner, until) else { continue };
        waivers.push(Waiver {
            rule: rule.value,
            reason: reason.value,
            owner: owner.value,
            until: until.value,
            path,
            package,
            version,
        });
        spans.push(until.span);
    }
    (waivers, spans)
}

fn pattern(text: &str) -> Result<String, Flaw> {
    let text = plain("path", PATH_CHARS_MAX, false)(text)?;
    if text.starts_with(['/', '*']) {
        return Ok(text);
    }
    Err(Flaw::new(format!("`{text}` is not an absolute path")).hint("paths in the image start with `/`"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::section::testing::{errors, messages, recipe};

    const WAIVER: &str = "[[harden.waive]]\nrule = \"SSH-012\"\nreason = \"forwards TCP\"\nowner = \"net\"\nuntil = 2027-03-31\n";

    #[test]
    fn asks_for_marketplace_and_shared_linux_by_default() {
        let harden = recipe("").harden;
        assert_eq!(harden.profiles, [Profile::Marketplace, Profile::SharedLinux]);
        assert_eq!(harden.gate, Severity::High);
    }

    #[test]
    fn ends_waivers_after_their_last_day() {
        let recipe = recipe(WAIVER);
        assert!(recipe.expired_waivers(date(2027, 3, 31)).is_empty());
        assert_eq!(recipe.expired_waivers(date(2027, 4, 1))[0].rule, "SSH-012");
    }

    #[test]
    fn wants_a_rule_a_reason_an_owner_and_a_day() {
        assert_eq!(
            messages("[[harden.waive]]\npath = \"/etc\"\n"),
            [
                "missing key `owner` in `[[harden.waive]]`",
                "missing key `reason` in `[[harden.waive]]`",
                "missing key `rule` in `[[harden.waive]]`",
                "missing key `until` in `[[harden.waive]]`",
            ]
        );
        let found = errors(&WAIVER.replace("\"forwards TCP\"", "\" \""));
        assert_eq!(found[0].1, "`reason` is empty");
    }

    #[test]
    fn tells_how_to_write_a_day() {
        let hint = |until: &str| errors(&WAIVER.replace("2027-03-31", until))[0].2.clone();
        assert_eq!(hint("\"2027-03-31\""), "write it without quotes: `2027-03-31`");
        assert_eq!(hint("2027-03-31T00:00:00Z"), "write `2027-03-31`");
        assert_eq!(hint("\"next year\""), "write a day such as `2027-03-31`");
        assert_eq!(messages(&WAIVER.replace("2027-03-31", "2027-02-30")), ["invalid date"]);
    }

    #[test]
    fn refuses_one_waiver_twice_but_not_for_two_paths() {
        assert_eq!(messages(&format!("{WAIVER}{WAIVER}")), ["`SSH-012` is waived twice"]);
        assert_eq!(recipe(&format!("{WAIVER}{WAIVER}path = \"/etc/*\"\n")).harden.waive.len(), 2);
    }

    #[test]
    fn waives_advisories_for_a_package_and_a_version() {
        let text = WAIVER.replace("SSH-012", "GHSA-jfh8-c2jp-5v3q");
        let waiver =
            recipe(&format!("{text}package = \"@babel/*\"\nversion = \"1.*\"\n")).harden.waive.remove(0);
        assert_eq!((waiver.rule.as_str(), waiver.owner.as_str()), ("GHSA-jfh8-c2jp-5v3q", "net"));
        assert_eq!((waiver.package.as_deref(), waiver.version.as_deref()), (Some("@babel/*"), Some("1.*")));
        assert_eq!(messages(&format!("{WAIVER}version = \"1\"\n")), ["`version` without `package`"]);
    }

    #[test]
    fn tells_known_profiles_and_severities() {
        let found = errors("[harden]\nprofiles = [\"shared_linux\", \"cis\"]\ngate = \"hihg\"\n");
        assert_eq!(found[0].2, "did you mean `shared-linux`?");
        assert_eq!(
            found[1].2,
            "known: `marketplace`, `shared-linux`, `hardened`, `hardened-2` and `private`"
        );
        assert_eq!(found[2].2, "did you mean `high`?");
        assert_eq!(messages("[harden]\nprofiles = []\n"), ["`profiles` is empty: nothing would be checked"]);
    }
}
