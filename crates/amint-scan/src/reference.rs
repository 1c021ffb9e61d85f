//! The reference page of all rules.

use std::fmt::Write;

use amint_types::Severity;

use crate::marketplace::{MARKETPLACE_CONTROLS, rules_serving};
use crate::{Profile, Rule, benchmarks, controls, looks, rules};

/// Returns the reference page of all rules, as Markdown.
pub fn reference_markdown() -> String {
    let mut page = String::from(
        "# Rules\n\nEach rule is checked on the files of an image; the boot test confirms those marked `both` on the \
         running machine. A rule with a fix is made true by hardening. A rule that cannot look is reported as not \
         evaluated and never as passed.\n\n",
    );
    table(&mut page);
    for rule in rules() {
        section(&mut page, *rule);
    }
    marketplace(&mut page);
    benchmark_versions(&mut page);
    page
}

fn table(page: &mut String) {
    let names: Vec<&str> = Profile::ALL.iter().map(|profile| profile.as_str()).collect();
    let _ = writeln!(page, "| id | asks for | {} | looks at | fix |", names.join(" | "));
    let _ = writeln!(page, "|---|---|{}---|---|", "---|".repeat(names.len()));
    for rule in rules() {
        let meta = rule.meta();
        let severities =
            Profile::ALL.map(|profile| meta.severities.under(profile).map_or("–", Severity::as_str));
        let fix = if rule.fix().is_some() { "yes" } else { "–" };
        let anchor = meta.id.to_ascii_lowercase();
        let _ = writeln!(
            page,
            "| [{}](#{anchor}) | {} | {} | {} | {fix} |",
            meta.id,
            meta.title,
            severities.join(" | "),
            looks(meta.id).as_str()
        );
    }
}

fn section(page: &mut String, rule: &dyn Rule) {
    let meta = rule.meta();
    let _ = write!(page, "\n## {}\n\n**{}.** {}\n\n", meta.id, capital(meta.title), meta.rationale);
    let _ = writeln!(page, "Remedy: {}\n", meta.remedy);
    let fix = match rule.fix() {
        Some(_) => "hardening makes it so",
        None => "none: it takes a person, or a change of the recipe",
    };
    let _ = writeln!(page, "Fix: {fix}.\n");
    let _ = writeln!(
        page,
        "Looks at: {}.\n",
        match looks(meta.id).as_str() {
            "both" => "the files, and the boot test confirms it on the running machine",
            "live" => "the running machine",
            _ => "the files",
        }
    );
    let _ = writeln!(page, "Serves: {}.", meta.requirements.join(", "));
    let by_benchmark: Vec<String> = benchmarks()
        .filter_map(|(benchmark, _)| {
            let ids: Vec<String> = controls()
                .iter()
                .filter(|control| control.rule == meta.id && control.benchmark == benchmark)
                .map(|control| {
                    format!("{}{}", control.id, if control.is_second_level { " (level 2)" } else { "" })
                })
                .collect();
            (!ids.is_empty()).then(|| format!("{benchmark} {}", ids.join(", ")))
        })
        .collect();
    if !by_benchmark.is_empty() {
        let _ = writeln!(page, "\nCIS benchmarks: {}.", by_benchmark.join("; "));
    }
}

/// The requirements of AWS Marketplace and who answers them.
fn marketplace(page: &mut String) {
    page.push_str(
        "\n## Requirements of AWS Marketplace\n\n`amint scan IMAGE --format marketplace` answers each in the form of \
         AWS's own assessments.\n\n| id | asks for | answered by |\n|---|---|---|\n",
    );
    for control in &MARKETPLACE_CONTROLS {
        let mut by = rules_serving(control);
        by.extend(control.judged);
        let by = match control.beyond_files {
            Some(why) if by.is_empty() => format!("not executed: {why}"),
            Some(why) => format!("violations by {}; otherwise not executed: {why}", by.join(", ")),
            None => by.join(", "),
        };
        let _ = writeln!(page, "| {} | {} | {by} |", control.id, control.title);
    }
}

fn benchmark_versions(page: &mut String) {
    let versions: Vec<String> = benchmarks().map(|(name, version)| format!("{name} {version}")).collect();
    let _ = writeln!(
        page,
        "\n## CIS benchmarks\n\nRecommendations are named by id, of the versions {}; those of level 2 are asked of \
         servers of the second level. A rule that serves a recommendation may cover a part of it. Which check stands \
         for which recommendation is taken from ComplianceAsCode/content (BSD-3-Clause).",
        versions.join(", ")
    );
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_rule_once_in_the_table_and_once_below() {
        let page = reference_markdown();
        for rule in rules() {
            let id = rule.meta().id;
            assert_eq!(page.matches(&format!("| [{id}](")).count(), 1);
            assert_eq!(page.matches(&format!("\n## {id}\n")).count(), 1);
        }
    }

    #[test]
    fn every_row_of_a_table_has_as_many_cells_as_its_head() {
        let page = reference_markdown();
        let mut cells = None;
        for line in page.lines() {
            let count = line.starts_with('|').then(|| line.matches('|').count());
            assert!(cells.is_none() || count.is_none() || cells == count, "{line}");
            cells = count;
        }
    }

    #[test]
    fn the_page_tells_controls_levels_and_where_a_rule_looks() {
        let page = reference_markdown();
        for told in ["debian13 5.1.8 (level 2)", "the boot test confirms it", "| MP-L1 |", "not executed: "] {
            assert!(page.contains(told), "{told}");
        }
    }
}
