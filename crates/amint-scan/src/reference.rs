//! The reference page of all rules.

use std::fmt::Write;

use crate::{Profile, rules};

/// Returns the reference page of all rules, as Markdown.
pub fn reference_markdown() -> String {
    let mut page = String::from(
        "# Rules\n\nEach rule is checked on the files of an image. A rule with a fix is made true by hardening. A rule \
         that cannot look is reported as not evaluated and never as passed.\n\n\
         | id | asks for | marketplace | shared-linux | hardened | private | fix |\n|---|---|---|---|---|---|---|\n",
    );
    for rule in rules() {
        let meta = rule.meta();
        let severities = Profile::ALL
            .map(|profile| meta.severities.under(profile).map_or("–", amint_types::Severity::as_str));
        let fix = if rule.fix().is_some() { "yes" } else { "–" };
        let anchor = meta.id.to_ascii_lowercase();
        let _ = writeln!(
            page,
            "| [{}](#{anchor}) | {} | {} | {fix} |",
            meta.id,
            meta.title,
            severities.join(" | ")
        );
    }
    for rule in rules() {
        let meta = rule.meta();
        let _ = write!(page, "\n## {}\n\n**{}.** {}\n\n", meta.id, capital(meta.title), meta.rationale);
        let _ = writeln!(page, "Remedy: {}\n", meta.remedy);
        let _ = writeln!(page, "Serves: {}.", meta.requirements.join(", "));
    }
    page
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
}
