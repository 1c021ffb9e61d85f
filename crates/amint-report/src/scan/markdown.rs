//! The difference of two scans as Markdown (`CommonMark` with GitHub's tables), for merge requests and tickets.
//!
//! Every value is escaped: names and paths come from images, and must make neither links, nor mentions, nor markup.

use std::fmt::Write as _;

use amint_types::scan::{ScanFinding, ScannedPackage, User};
use amint_types::scan_difference::{Changes, ScanDifference, Side};

use super::text::{finding_message, line};

/// How many rows each table shows; the rest is counted. A page of a code host has room for about 65,000 characters.
const ROWS_MAX: usize = 100;

/// Escapes text so that Markdown shows it as it is.
pub(super) fn escaped(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    for character in line(text).chars() {
        match character {
            '<' => output.push_str("&lt;"),
            '>' => output.push_str("&gt;"),
            '&' => output.push_str("&amp;"),
            // A code host makes a mention of a name after `@` and a reference of a number after `#`, escaped or not,
            // and a link of `://`: an empty comment after them parts the word.
            '@' | '#' => write!(output, "{character}<!-- -->").expect("writing to memory cannot fail"),
            ':' => output.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '+' | '!' | '|' | '~' | '=' => {
                output.push('\\');
                output.push(character);
            }
            other => output.push(other),
        }
    }
    // GitHub makes a link of anything that begins so.
    output.replace("www.", "www&#46;")
}

/// Writes what two scans differ in as Markdown.
pub fn difference_markdown(difference: &ScanDifference) -> String {
    let mut page = Page(String::new());
    page.line("# What changed between two scans");
    page.line("| | Old | New |\n| --- | --- | --- |");
    let row = |name: &str, value: &dyn Fn(&Side) -> String| {
        format!("| {name} | {} | {} |", escaped(&value(&difference.old)), escaped(&value(&difference.new)))
    };
    page.rows(&[
        row("Image", &|side| side.target.name.clone()),
        row("Scanned", &|side| side.scanned_at.strftime("%Y-%m-%d %H:%M UTC").to_string()),
        row("Verdict", &|side| side.verdict.as_str().to_owned()),
    ]);
    if difference.is_empty() {
        page.line("Nothing differs.");
        return page.0;
    }
    page.findings(&difference.findings);
    page.packages(difference);
    page.inventory(difference);
    page.0
}

struct Page(String);

impl Page {
    /// Adds a paragraph.
    fn line(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(text);
        self.0.push('\n');
    }

    /// Adds rows to the table before.
    fn rows(&mut self, rows: &[String]) {
        for row in rows {
            self.0.push_str(row);
            self.0.push('\n');
        }
    }

    fn table(&mut self, title: &str, head: &[&str], rows: &[String]) {
        if rows.is_empty() {
            return;
        }
        self.line(&format!("## {title} ({})", rows.len()));
        self.line(&format!("| {} |", head.join(" | ")));
        let rule = vec!["---"; head.len()];
        self.rows(&[format!("| {} |", rule.join(" | "))]);
        self.rows(rows.get(..ROWS_MAX).unwrap_or(rows));
        if rows.len() > ROWS_MAX {
            self.line(&format!("… and {} more.", rows.len() - ROWS_MAX));
        }
    }

    fn findings(&mut self, findings: &Changes<ScanFinding>) {
        let head = ["Severity", "Finding", "What", "Where"];
        let row = |finding: &ScanFinding| {
            cells(&[&state(finding), &finding.rule, &finding_message(finding), &finding.path])
        };
        self.table("New findings", &head, &findings.new.iter().map(row).collect::<Vec<_>>());
        self.table("Findings that are gone", &head, &findings.gone.iter().map(row).collect::<Vec<_>>());
        let changed: Vec<String> = findings
            .changed
            .iter()
            .map(|change| {
                let (old, new) = (state(&change.old), state(&change.new));
                cells(&[&old, &new, &change.new.rule, &finding_message(&change.new), &change.new.path])
            })
            .collect();
        self.table("Findings that weigh differently", &["Old", "New", "Finding", "What", "Where"], &changed);
    }

    fn packages(&mut self, difference: &ScanDifference) {
        let packages = &difference.packages;
        let head = ["Kind", "Package", "Version"];
        let row = |package: &ScannedPackage| cells(&[package.kind.as_str(), &package.name, &package.version]);
        let changed: Vec<String> = packages
            .changed
            .iter()
            .map(|change| {
                cells(&[change.kind.as_str(), &change.name, &change.old_version, &change.new_version])
            })
            .collect();
        self.table("Packages in another version", &["Kind", "Package", "Old", "New"], &changed);
        self.table("New packages", &head, &packages.new.iter().map(row).collect::<Vec<_>>());
        self.table("Packages that are gone", &head, &packages.gone.iter().map(row).collect::<Vec<_>>());
    }

    fn inventory(&mut self, difference: &ScanDifference) {
        self.changes("Kernels", &difference.kernels, |kernel| {
            let default = if kernel.is_default { " (default)" } else { "" };
            (format!("{}{default}", kernel.release), kernel.command_line.clone().unwrap_or_default())
        });
        self.changes("Users", &difference.users, |user| (user.name.clone(), user_text(user)));
        self.changes("Services", &difference.services, |service| {
            (service.name.clone(), service.program.clone().unwrap_or_default())
        });
        self.changes("Ports", &difference.ports, |port| (port.port.clone(), port.service.clone()));
        self.changes("Files that give rights", &difference.privileged, |file| {
            let capabilities = file.capabilities.as_deref().unwrap_or_default();
            (file.path.clone(), format!("{} {} {capabilities}", file.mode, file.owner))
        });
        self.changes("Certificates", &difference.certificates, |one| {
            let until = one.not_after.strftime("%Y-%m-%d");
            (one.path.clone(), format!("{}, until {until}, {}", one.subject, one.fingerprint.short()))
        });
        self.changes("Files that differ from their package", &difference.modified_files, |file| {
            (file.path.clone(), format!("{} ({})", file.change, file.package))
        });
        if let Some(files) = &difference.files {
            self.changes("Files", files, |file| {
                let size = file.bytes.map(|bytes| format!(", {bytes} bytes")).unwrap_or_default();
                (file.path.clone(), format!("{} {} {}{size}", file.kind, file.mode, file.owner))
            });
        }
    }

    fn changes<T>(&mut self, title: &str, changes: &Changes<T>, describe: impl Fn(&T) -> (String, String)) {
        let row = |state: &str, thing: &T| {
            let (name, detail) = describe(thing);
            cells(&[state, &name, detail.trim()])
        };
        let mut rows: Vec<String> = changes.new.iter().map(|thing| row("new", thing)).collect();
        rows.extend(changes.gone.iter().map(|thing| row("gone", thing)));
        rows.extend(changes.changed.iter().map(|change| {
            let ((old_name, old), (name, new)) = (describe(&change.old), describe(&change.new));
            let name = if old_name == name { name } else { format!("{old_name} → {name}") };
            let detail = if old == new { new } else { format!("{} → {}", old.trim(), new.trim()) };
            cells(&["changed", &name, detail.trim()])
        }));
        self.table(title, &["", "What", "Detail"], &rows);
    }
}

fn state(finding: &ScanFinding) -> String {
    let mut text = finding.severity.to_string();
    if finding.is_exploited {
        text.push_str(", exploited");
    }
    if finding.not_affected.is_some() {
        text.push_str(", not affected");
    }
    if finding.waived.is_some() {
        text.push_str(", accepted");
    }
    text
}

fn user_text(user: &User) -> String {
    format!(
        "uid {}, gid {}, password {}, shell {}, home {}, groups {}, {} keys",
        user.uid,
        user.gid,
        user.password,
        user.shell,
        user.home,
        user.groups.join(" "),
        user.authorized_keys.len()
    )
}

fn cells(cells: &[&str]) -> String {
    let escaped: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
    format!("| {} |", escaped.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_makes_neither_markup_nor_links_nor_mentions() {
        assert_eq!(
            escaped("a|b\n[x](http://y) <i> `c`"),
            "a\\|b \\[x\\]\\(http&#58;//y\\) &lt;i&gt; \\`c\\`"
        );
        assert_eq!(escaped("@root #1 www.x.y"), "@<!-- -->root #<!-- -->1 www&#46;x.y");
    }
}
