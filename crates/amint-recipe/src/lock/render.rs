//! Writing the difference of two lock files for people: plain text, aligned, without colour.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use amint_types::format_bytes;

use super::diff::{LockDiff, PackageChange, Upgrade};

/// Longest line, where a line can be broken.
const LINE_CHARS_MAX: usize = 100;

impl LockDiff {
    /// Writes the difference for people: plain text, aligned, each line ended.
    pub fn render(&self) -> String {
        let mut output = String::new();
        let changed = |list: &[PackageChange]| -> Vec<Vec<String>> {
            let row = |package: &PackageChange| {
                vec![package.name.clone(), package.version.clone(), package.suite.clone()]
            };
            list.iter().map(row).collect()
        };
        let moved = |list: &[Upgrade]| -> Vec<Vec<String>> {
            let row = |package: &Upgrade| {
                vec![
                    package.name.clone(),
                    format!("{} ->", package.from),
                    package.to.clone(),
                    package.suite.clone(),
                ]
            };
            list.iter().map(row).collect()
        };
        section(&mut output, "upgraded", &moved(&self.upgraded));
        section(&mut output, "downgraded", &moved(&self.downgraded));
        section(&mut output, "new", &changed(&self.new));
        section(&mut output, "gone", &changed(&self.gone));
        section(&mut output, "same version with other content", &changed(&self.replaced));
        self.render_cves(&mut output);
        let lines = |items: Vec<String>| items.into_iter().map(|item| vec![item]).collect::<Vec<_>>();
        let inputs = self.inputs.iter().map(ToString::to_string).collect();
        section(&mut output, "files of the recipe", &lines(inputs));
        section(&mut output, "new suites", &lines(self.suites_new.clone()));
        section(&mut output, "suites gone", &lines(self.suites_gone.clone()));
        let _ = writeln!(output, "{}", self.summary());
        output
    }

    /// Writes the CVE ids once for each source package: its binary packages share them.
    fn render_cves(&self, output: &mut String) {
        let mut by_source: BTreeMap<&str, BTreeSet<CveId<'_>>> = BTreeMap::new();
        for package in &self.upgraded {
            let ids = by_source.entry(&package.source).or_default();
            ids.extend(package.cves.iter().map(|id| CveId::new(id)));
        }
        by_source.retain(|_, ids| !ids.is_empty());
        if by_source.is_empty() {
            return;
        }
        let count = by_source.values().flatten().collect::<BTreeSet<_>>().len();
        let _ = writeln!(output, "CVE ids in the changelogs ({count})");
        let width = by_source.keys().map(|source| source.chars().count()).max().unwrap_or_default();
        for (source, ids) in by_source {
            let mut line = format!("  {source:<width$} ");
            for CveId { text: id, .. } in ids {
                if line.len() + 1 + id.len() > LINE_CHARS_MAX {
                    let _ = writeln!(output, "{line}");
                    line = " ".repeat(width + 3);
                }
                let _ = write!(line, " {id}");
            }
            let _ = writeln!(output, "{line}");
        }
        output.push('\n');
    }

    /// Writes the difference in one line.
    pub fn summary(&self) -> String {
        let counts = [
            (self.upgraded.len(), "upgraded"),
            (self.downgraded.len(), "downgraded"),
            (self.new.len(), "new"),
            (self.gone.len(), "gone"),
            (self.replaced.len(), "with other content"),
        ];
        let mut parts: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if parts.is_empty() {
            parts.push("no package changed".to_owned());
        } else if self.fetch_bytes > 0 {
            parts.push(format!("{} to fetch", format_bytes(self.fetch_bytes)));
        }
        match self.inputs.len() {
            0 => {}
            1 => parts.push("1 file of the recipe changed".to_owned()),
            count => parts.push(format!("{count} files of the recipe changed")),
        }
        parts.join(", ")
    }
}

/// A CVE id in the order of its numbers, which have four digits or more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct CveId<'t> {
    year: &'t str,
    digits: usize,
    text: &'t str,
}

impl<'t> CveId<'t> {
    fn new(text: &'t str) -> Self {
        let mut parts = text.splitn(3, '-').skip(1);
        let year = parts.next().unwrap_or_default();
        Self { year, digits: parts.next().map_or(0, str::len), text }
    }
}

/// Writes a title with the number of rows, and the rows with their columns aligned.
fn section(output: &mut String, title: &str, rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(output, "{title} ({})", rows.len());
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(output, "  {}", cells.join("  ").trim_end());
    }
    output.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Stage;
    use crate::lock::testing::package;

    #[test]
    fn names_the_cves_of_a_source_once_and_breaks_long_lines() {
        let mut diff = LockDiff::default();
        for name in ["linux-image-amd64", "linux-libc-dev"] {
            let mut upgrade =
                Upgrade::new(&package(name, "6.12.1", Stage::Base), &package(name, "6.12.2", Stage::Base));
            upgrade.source = "linux".to_owned();
            upgrade.cves = (0..20).map(|number| format!("CVE-2026-{}", 1000 + number)).collect();
            diff.upgraded.push(upgrade);
        }
        let text = diff.render();
        assert_eq!(text.matches("CVE-2026-1007").count(), 1, "{text}");
        assert!(text.lines().all(|line| line.len() <= LINE_CHARS_MAX), "{text}");
        assert!(text.contains("(20)\n  linux  CVE-2026-1000 CVE"), "{text}");
    }
}
