//! Files of packages that are not what their packages brought (VUL-006): from what the pass saw to findings.

use std::collections::BTreeMap;

use amint_types::Severity;
use amint_types::scan::{FindingKind, ModifiedFile, ScanFinding};

use crate::index::Index;

/// The id of the rule.
const RULE: &str = "VUL-006";
/// How many files are told one by one; the rest is counted.
const FILES_TOLD: usize = 200;
/// How many paths of one group are told.
const PATHS_TOLD: usize = 10;
/// Endings of code that needs no permission to be executed.
const CODE_ENDINGS: [&str; 14] = [
    ".so", ".ko", ".ko.xz", ".ko.zst", ".ko.gz", ".py", ".pl", ".pm", ".rb", ".js", ".php", ".jar", ".sh",
    ".mod",
];
/// Endings of units, which name what systemd starts.
const UNIT_ENDINGS: [&str; 4] = [".service", ".socket", ".timer", ".path"];
/// Where nothing is executed, whatever it is called.
const NO_CODE: [&str; 6] = [
    "/usr/share/doc/",
    "/usr/share/man/",
    "/usr/share/info/",
    "/usr/share/locale/",
    "/usr/share/lintian/",
    "/usr/include/",
];

/// Judges what differs: changed programs are told one by one, configuration and what is missing by package.
pub(crate) fn judge(index: &Index, modified: &[ModifiedFile]) -> Vec<ScanFinding> {
    let mut findings = Vec::new();
    let mut groups: BTreeMap<(Severity, &str, &str), Vec<&str>> = BTreeMap::new();
    let mut untold = 0_usize;
    for file in modified {
        let is_executable = index.find(file.path.as_bytes()).is_some_and(|id| {
            index.entry(id).kind == amint_fs::Kind::File && index.entry(id).mode & 0o111 != 0
        });
        let (severity, what) = weigh(file, is_executable);
        if severity < Severity::Medium || file.change == "missing" {
            groups.entry((severity, &file.package, what)).or_default().push(&file.path);
        } else if findings.len() < FILES_TOLD {
            let title = format!("{what} of {} is not what the package brought", file.package);
            findings.push(finding(&title, severity, &file.path, &file.package));
        } else {
            untold += 1;
        }
    }
    for ((severity, package, what), paths) in groups {
        let count = if paths.len() == 1 { format!("one {what}") } else { format!("{} {what}s", paths.len()) };
        let is_missing = what.starts_with("missing");
        let title = if is_missing {
            format!("{package} lacks files: {count}")
        } else {
            format!("{count} of {package} changed")
        };
        let first = paths.first().copied().unwrap_or("/");
        let mut found = finding(&title, severity, first, package);
        let more = if paths.len() > PATHS_TOLD { ", …" } else { "" };
        let told: Vec<&str> = paths.into_iter().take(PATHS_TOLD).collect();
        found.evidence = Some(format!("{}{more}", told.join(", ")));
        findings.push(found);
    }
    if untold > 0 {
        let title = format!("{untold} more files are not what their packages brought");
        findings.push(finding(&title, Severity::Critical, "/", ""));
    }
    findings
}

/// Returns how bad a difference is, and what differs.
fn weigh(file: &ModifiedFile, is_executable: bool) -> (Severity, &'static str) {
    let path = file.path.as_str();
    let is_document = NO_CODE.iter().any(|folder| path.starts_with(folder)) || path.contains("/__pycache__/");
    let is_program = is_executable
        || CODE_ENDINGS.iter().any(|ending| path.ends_with(ending))
        || path.contains(".so.")
        || path.starts_with("/boot/vmlinu")
        || ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/libexec/"]
            .iter()
            .any(|folder| path.starts_with(folder));
    let is_unit = UNIT_ENDINGS.iter().any(|ending| path.ends_with(ending));
    match (file.change.as_str(), file.is_configuration) {
        ("missing", true) => (Severity::Info, "missing configuration file"),
        ("missing", false) if is_program && !is_document => (Severity::Medium, "missing program or library"),
        ("missing", false) => (Severity::Low, "missing file"),
        (_, true) => (Severity::Info, "configuration file"),
        _ if is_document => (Severity::Low, "document"),
        _ if is_program => (Severity::Critical, "a program or library"),
        _ if is_unit => (Severity::High, "a unit of systemd"),
        _ if path.starts_with("/var/") || path.starts_with("/etc/") => (Severity::Low, "file"),
        _ => (Severity::Medium, "a file"),
    }
}

fn finding(title: &str, severity: Severity, path: &str, package: &str) -> ScanFinding {
    let mut found = crate::judge::blank(RULE, title, severity, path);
    found.package = Some(package.to_owned()).filter(|package| !package.is_empty());
    found.fix = Some("install the package again, and find out who changed it".to_owned());
    if severity == Severity::Info {
        found.fix = Some("nothing, if the recipe changed it on purpose".to_owned());
    }
    found.requirements = vec!["A2".to_owned(), "A7".to_owned()];
    debug_assert_eq!(found.kind, FindingKind::Rule);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, change: &str, is_configuration: bool) -> ModifiedFile {
        ModifiedFile { path: path.into(), package: "p".into(), is_configuration, change: change.into() }
    }

    #[test]
    fn programs_weigh_most_and_configuration_least() {
        let severity = |path: &str, is_executable| weigh(&file(path, "changed", false), is_executable).0;
        assert_eq!(severity("/usr/sbin/sshd", true), Severity::Critical);
        assert_eq!(severity("/usr/lib/x86_64-linux-gnu/libpam.so.0", false), Severity::Critical);
        assert_eq!(severity("/usr/lib/python3/dist-packages/yaml/x.py", false), Severity::Critical);
        assert_eq!(severity("/usr/lib/systemd/system/x.service", false), Severity::High);
        assert_eq!(severity("/usr/lib/os-release", false), Severity::Medium);
        assert_eq!(severity("/usr/share/doc/x/run.py", true), Severity::Low);
        assert_eq!(weigh(&file("/etc/x.conf", "changed", true), true).0, Severity::Info);
        assert_eq!(weigh(&file("/usr/bin/x", "missing", false), false).0, Severity::Medium);
        assert_eq!(weigh(&file("/usr/share/x", "missing", false), false).0, Severity::Low);
    }

    #[test]
    fn what_weighs_little_is_told_by_package_and_the_rest_by_file() {
        let index = Index::build(Vec::new(), &amint_types::Cancel::default()).unwrap();
        let mut modified: Vec<ModifiedFile> =
            (0..20).map(|number| file(&format!("/etc/{number}"), "changed", true)).collect();
        modified.push(file("/usr/bin/a", "changed", false));
        modified.push(file("/usr/bin/b", "changed", false));
        let found = judge(&index, &modified);
        let titles: Vec<&str> = found.iter().map(|found| found.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "a program or library of p is not what the package brought",
                "a program or library of p is not what the package brought",
                "20 configuration files of p changed"
            ]
        );
        assert!(found[2].evidence.as_deref().unwrap().ends_with("/etc/9, …"));
        assert_ne!(found[0].id, found[1].id);
    }

    #[test]
    fn more_files_than_can_be_told_are_counted() {
        let index = Index::build(Vec::new(), &amint_types::Cancel::default()).unwrap();
        let modified: Vec<ModifiedFile> =
            (0..FILES_TOLD + 7).map(|number| file(&format!("/usr/bin/{number}"), "changed", false)).collect();
        let found = judge(&index, &modified);
        assert_eq!(found.len(), FILES_TOLD + 1);
        assert_eq!(found[FILES_TOLD].title, "7 more files are not what their packages brought");
    }
}
