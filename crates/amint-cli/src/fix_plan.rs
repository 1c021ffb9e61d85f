//! A plan of changes as a part of a recipe.

use std::collections::BTreeMap;
use std::fmt::Write;

use amint_recipe::{Recipe, RunAction, toml_string};
use amint_report::printable_line;
use amint_scan::{FixPlan, PlannedChange, Protocol, RecipeChange, ScanRequest};
use amint_types::scan::ScanFinding;

/// How many rules and advisories are named beside a change.
const RULES_NAMED: usize = 60;

/// Writes a plan as TOML: tables to merge into a recipe, each change with the findings that it clears, and as comments
/// what no recipe can say. What `recipe` has already is left out.
pub(crate) fn text(plan: &FixPlan, request: &ScanRequest, recipe: Option<&Recipe>) -> String {
    let mut page = Page { recipe, request, text: String::new(), tables: BTreeMap::new(), runs: Vec::new() };
    if plan.changes.is_empty() && plan.by_hand.is_empty() {
        return "# Nothing is to be changed.\n".to_owned();
    }
    for planned in &plan.changes {
        page.change(planned);
    }
    page.tables();
    page.by_hand(&plan.by_hand);
    page.text
}

/// One value of a list of the recipe, and what it clears.
struct Item<'a> {
    value: String,
    clears: &'a [ScanFinding],
}

struct Page<'a> {
    recipe: Option<&'a Recipe>,
    request: &'a ScanRequest,
    text: String,
    /// Values by table and key.
    tables: BTreeMap<(&'static str, &'static str), Vec<Item<'a>>>,
    /// Commands, each with the name of its step: those of one name are one step.
    runs: Vec<(&'static str, String, &'a [ScanFinding])>,
}

impl<'a> Page<'a> {
    fn change(&mut self, planned: &'a PlannedChange) {
        let clears = planned.clears.as_slice();
        match &planned.change {
            RecipeChange::Harden => self.harden(clears),
            RecipeChange::UpdatePackages => {
                self.note(
                    "Take the newest packages of the archive: run `amint update`, then build again.",
                    clears,
                );
            }
            RecipeChange::InstallPackage(name) => self.item("packages", "install", name, clears),
            RecipeChange::EnableService(unit) => self.item("services", "enable", unit, clears),
            RecipeChange::DisableService(unit) => self.item("services", "disable", unit, clears),
            RecipeChange::MaskService(unit) => self.item("services", "mask", unit, clears),
            RecipeChange::RemovePackage(name) => {
                // It refuses what another package needs, instead of removing that too.
                let command = format!("dpkg --purge -- {}", shell_word(name));
                self.run("remove packages that nobody needs", command, clears);
            }
            RecipeChange::RemovePath(path) => {
                let command = format!("rm -rf -- {}", shell_word(path));
                self.run("remove what must not go with the image", command, clears);
            }
            RecipeChange::Run(command) => {
                self.run("mend what is left", command.clone(), clears);
            }
            RecipeChange::DeclarePort(port, protocol) => self.port(*port, *protocol, clears),
            RecipeChange::DeclareRight(name) => {
                self.note(&format!("Declare the right to pass {name} on, with its document."), clears);
            }
            other => self.note(&format!("Change the recipe: {other:?}."), clears),
        }
    }

    /// Hardening with the profiles that were asked; where the recipe has them all, a build by this version does it.
    fn harden(&mut self, clears: &'a [ScanFinding]) {
        let known = self.recipe.map(|recipe| &recipe.harden.profiles);
        let missing: Vec<&str> = self
            .request
            .profiles
            .iter()
            .map(|profile| profile.as_str())
            .filter(|name| !known.is_some_and(|known| known.iter().any(|one| one.as_str() == *name)))
            .collect();
        if missing.is_empty() {
            self.note("The recipe asks for it already: build again with this version of amint.", clears);
        }
        for (place, name) in missing.into_iter().enumerate() {
            // All of them are needed; the findings are told once.
            let clears = if place == 0 { clears } else { &[] };
            let item = Item { value: toml_string(name), clears };
            self.tables.entry(("harden", "profiles")).or_default().push(item);
        }
    }

    fn item(&mut self, table: &'static str, key: &'static str, value: &str, clears: &'a [ScanFinding]) {
        let is_there = self.recipe.is_some_and(|recipe| {
            let list = match key {
                "install" => &recipe.packages.install,
                "enable" => &recipe.services.enable,
                "disable" => &recipe.services.disable,
                _ => &recipe.services.mask,
            };
            list.iter().any(|one| one == value || one.split_once('=').is_some_and(|(name, _)| name == value))
        });
        if is_there {
            let told = format!("The recipe has {key} = [{}] already: build again.", toml_string(value));
            self.note(&told, clears);
            return;
        }
        self.tables.entry((table, key)).or_default().push(Item { value: toml_string(value), clears });
    }

    fn port(&mut self, port: u16, protocol: Protocol, clears: &'a [ScanFinding]) {
        let protocol = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let is_there = self.recipe.is_some_and(|recipe| {
            recipe.ports.iter().any(|known| known.port == port && known.protocol.as_str() == protocol)
        });
        if is_there {
            self.note(&format!("The recipe opens {protocol}/{port} already: build again."), clears);
            return;
        }
        self.text.push_str("# Only if the port is meant to be open:\n");
        self.cleared(clears);
        let _ = writeln!(self.text, "[[ports]]\nport = {port}\nprotocol = \"{protocol}\"\n");
    }

    fn run(&mut self, name: &'static str, command: String, clears: &'a [ScanFinding]) {
        let is_there = self.recipe.is_some_and(|recipe| {
            recipe
                .run
                .iter()
                .any(|run| matches!(&run.action, RunAction::Command(known) if known.contains(&command)))
        });
        let is_writable = !command.contains(|letter: char| letter.is_control() && !"\n\t".contains(letter));
        if !is_writable {
            self.note(&format!("No recipe can say this command, so run it by hand: {command}"), clears);
        } else if is_there {
            self.note(&format!("The recipe runs `{command}` already, and it did not help."), clears);
        } else {
            self.runs.push((name, command, clears));
        }
    }

    fn tables(&mut self) {
        let tables = std::mem::take(&mut self.tables);
        let mut last = "";
        for ((table, key), items) in &tables {
            if *table != last {
                let _ = writeln!(self.text, "[{table}]");
            }
            last = table;
            let _ = writeln!(self.text, "{key} = [");
            for item in items {
                self.cleared(item.clears);
                let _ = writeln!(self.text, "    {},", item.value);
            }
            self.text.push_str("]\n");
            if tables.keys().filter(|(other, _)| other == table).max() == Some(&(*table, *key)) {
                self.text.push('\n');
            }
        }
        let mut runs = std::mem::take(&mut self.runs);
        runs.sort_by_key(|(name, ..)| *name);
        for step in runs.chunk_by(|one, other| one.0 == other.0) {
            for (_, _, clears) in step {
                self.cleared(clears);
            }
            let commands: Vec<&str> = step.iter().map(|(_, command, _)| command.as_str()).collect();
            let command = match commands[..] {
                [one] => toml_string(one),
                _ => lines(&commands),
            };
            let _ = writeln!(self.text, "[[run]]\nname = {}\ncommand = {command}\n", toml_string(step[0].0));
        }
    }

    fn by_hand(&mut self, findings: &[ScanFinding]) {
        if findings.is_empty() {
            return;
        }
        let _ = writeln!(self.text, "# For a person to clear ({}):", findings.len());
        for finding in findings {
            let _ = writeln!(
                self.text,
                "# - {} {}: {}",
                finding.rule,
                place(finding),
                printable_line(&finding.title)
            );
            if let Some(fix) = &finding.fix {
                let _ = writeln!(self.text, "#   {}", printable_line(fix));
            }
        }
    }

    /// Says as a comment what no table can say.
    fn note(&mut self, what: &str, clears: &[ScanFinding]) {
        let _ = writeln!(self.text, "# {}", printable_line(what));
        self.cleared(clears);
        self.text.push('\n');
    }

    /// Names what a change clears: of each rule and advisory the first finding, and how many more.
    fn cleared(&mut self, findings: &[ScanFinding]) {
        let mut by_rule: Vec<(&ScanFinding, usize)> = Vec::new();
        for finding in findings {
            match by_rule.iter_mut().find(|(first, _)| first.rule == finding.rule) {
                Some((_, count)) => *count += 1,
                None => by_rule.push((finding, 1)),
            }
        }
        for (first, count) in by_rule.iter().take(RULES_NAMED) {
            let what = printable_line(&first.title);
            let more = if *count > 1 { format!(", and {} more of it", count - 1) } else { String::new() };
            let _ = writeln!(self.text, "# clears {} {}: {what}{more}", first.rule, place(first));
        }
        let more: usize = by_rule.iter().skip(RULES_NAMED).map(|(_, count)| count).sum();
        if more > 0 {
            let _ = writeln!(self.text, "# clears {more} more");
        }
    }
}

/// Writes commands as a string of several lines (TOML, "String"): the first failure ends it.
fn lines(commands: &[&str]) -> String {
    let mut text = "\"\"\"\nset -e\n".to_owned();
    for command in commands {
        let quoted = toml_string(command);
        // Without its quotation marks, what stands in a string of one line stands in one of several too.
        text.push_str(&quoted[1..quoted.len() - 1]);
        text.push('\n');
    }
    text.push_str("\"\"\"");
    text
}

fn place(finding: &ScanFinding) -> String {
    let place = match (&finding.package, finding.line) {
        (Some(package), _) => format!("in {package}"),
        (None, Some(line)) => format!("at {}:{line}", finding.path),
        (None, None) => format!("at {}", finding.path),
    };
    printable_line(&place)
}

/// Quotes a word for `sh`.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use amint_scan::{Profile, fix_plan};
    use amint_types::Severity;
    use amint_types::scan::FindingKind;
    use jiff::civil::date;

    use super::*;

    const RECIPE: &str = "[image]\nname = \"web\"\nversion = \"1\"\n[base]\ndebian = \"trixie\"\n";

    fn request() -> ScanRequest {
        ScanRequest {
            profiles: vec![Profile::Marketplace, Profile::Hardened],
            waivers: Vec::new(),
            today: date(2026, 11, 26),
            user: "ec2-user".to_owned(),
            ports: Vec::new(),
            rights: Vec::new(),
        }
    }

    fn finding(rule: &str) -> ScanFinding {
        ScanFinding::new(FindingKind::Rule, rule, "is \"not\"\nright", Severity::High, "/etc/a\nb = 1")
    }

    fn plan() -> FixPlan {
        let changes = [
            RecipeChange::Harden,
            RecipeChange::UpdatePackages,
            RecipeChange::InstallPackage("chrony".to_owned()),
            RecipeChange::RemovePackage("telnetd".to_owned()),
            RecipeChange::EnableService("chrony.service".to_owned()),
            RecipeChange::MaskService("cups.service".to_owned()),
            RecipeChange::RemovePath("/srv/it's \"here\"\\\n".to_owned()),
            RecipeChange::RemovePath("/srv/other".to_owned()),
            RecipeChange::Run("chmod 0600 /etc/a".to_owned()),
            RecipeChange::DeclarePort(53, Protocol::Udp),
            RecipeChange::DeclareRight("oracle-jdk".to_owned()),
        ];
        let planned = |change| PlannedChange { change, clears: vec![finding("SSH-001")] };
        FixPlan { changes: changes.into_iter().map(planned).collect(), by_hand: vec![finding("EOL-001")] }
    }

    fn parsed(text: &str) -> Recipe {
        let text = format!("{RECIPE}{text}");
        let parsed = amint_recipe::parse(&text, Path::new("amint.toml"));
        parsed.unwrap_or_else(|error| panic!("{}\n{text}", error.render_plain()))
    }

    #[test]
    fn a_plan_is_a_part_of_a_recipe_whatever_findings_are_called() {
        let text = text(&plan(), &request(), None);
        let recipe = parsed(&text);
        assert_eq!(recipe.packages.install, ["chrony"]);
        assert_eq!(recipe.services.mask, ["cups.service"]);
        let profiles: Vec<&str> = recipe.harden.profiles.iter().map(|profile| profile.as_str()).collect();
        assert_eq!(profiles, ["marketplace", "hardened"]);
        assert_eq!(recipe.ports[0].port, 53);
        let RunAction::Command(command) = &recipe.run[2].action else { panic!("a command") };
        assert_eq!(command, "set -e\nrm -rf -- '/srv/it'\\''s \"here\"\\\n'\nrm -rf -- '/srv/other'\n");
        assert_eq!(recipe.run.len(), 3);
        for told in ["amint update", "oracle-jdk", "# - EOL-001 at /etc/a"] {
            assert!(text.contains(told), "{text}");
        }
    }

    #[test]
    fn what_the_recipe_has_already_is_left_out() {
        let recipe = parsed(&text(&plan(), &request(), None));
        let text = text(&plan(), &request(), Some(&recipe));
        let again = parsed(&text);
        assert_eq!((again.packages.install.len(), again.services.mask.len(), again.run.len()), (0, 0, 0));
        assert!(text.contains("build again with this version"), "{text}");
        assert_eq!(again.ports.len(), 0);
    }

    #[test]
    fn no_finding_asks_for_no_change() {
        assert_eq!(text(&fix_plan(&[]), &request(), None), "# Nothing is to be changed.\n");
    }
}
