//! The sources that apt itself sees, over generated lists (`apt-get indextargets`).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use amint_packages::repositories::{Repository, read_apt};
use tempfile::TempDir;

/// How many roots with lists are compared.
const ROOTS: u64 = 12;
/// Kind, address, suite, component; flat sources have no component.
type Target = (String, String, String, String);

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn one<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Writes a list in lines. No address stands twice: apt refuses what contradicts itself.
fn lines(numbers: &mut Numbers, address: &mut u32) -> String {
    let mut text = String::from("# a comment\n\n");
    for _ in 0..numbers.below(6) {
        *address += 1;
        let start = numbers.one(&["", "#", "  ", "\t"]);
        let kind = numbers.one(&["deb", "deb-src"]);
        let options = numbers.one(&[
            "",
            "[arch=amd64] ",
            "[ arch=amd64,arm64 trusted=yes ] ",
            "[trusted=no lang=none]\t",
        ]);
        let place = match numbers.one(&["http://", "https://", "mirror+http://", "cdrom:"]) {
            "cdrom:" => format!("cdrom:[A Disk _{address}_]/"),
            scheme => format!("{scheme}h{address}.example/x"),
        };
        let suite = numbers.one(&[
            "trixie main",
            "trixie/updates main contrib",
            "stable\tmain  non-free",
            "./",
            "flat/",
        ]);
        let end = numbers.one(&["", " # note", "  "]);
        writeln!(text, "{start}{kind} {options}{place} {suite}{end}").unwrap();
    }
    text
}

fn paragraphs(numbers: &mut Numbers, address: &mut u32) -> String {
    let mut text = String::from("# a comment\n");
    for _ in 0..numbers.below(4) {
        *address += 2;
        let field = numbers.one(&["Types", "types", "TYPES"]);
        let kinds = numbers.one(&["deb", "deb-src", "deb deb-src"]);
        let enabled = numbers.one(&["", "Enabled: yes\n", "Enabled: no\n", "enabled: false\n"]);
        let suites = numbers.one(&["trixie", "trixie trixie-updates", "trixie\n trixie-security"]);
        let parts = numbers.one(&["main", "main contrib", "main\n contrib\n non-free"]);
        let other = numbers.one(&[
            "",
            "Architectures: amd64 arm64\n",
            "X-Unknown: yes\n",
            "# within\nTrusted: yes\n",
        ]);
        writeln!(
            text,
            "{field}: {kinds}\nURIs: http://p{address}.example/a http://q{address}.example/b/\n{enabled}Suites: {suites}\n\
             Components: {parts}\n{other}"
        )
        .unwrap();
    }
    text
}

/// Asks apt, within a root of its own.
fn asked(root: &Path) -> Option<BTreeSet<Target>> {
    let output = Command::new("apt-get")
        .env("LC_ALL", "C")
        .args([
            "indextargets",
            "--no-release-info",
            "-o",
            "APT::Architecture=amd64",
            "-o",
            "Acquire::Languages=none",
        ])
        .args(["--format", "$(CREATED_BY)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "-o"])
        .arg(format!("Dir={}", root.display()))
        .output()
        .ok()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let targets = String::from_utf8(output.stdout).unwrap();
    let targets = targets.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split('|').collect();
        let kind = match fields[0] {
            "Packages" => "deb",
            "Sources" => "deb-src",
            _ => return None,
        };
        let part = if fields[3].starts_with('$') { "" } else { fields[3] };
        Some(target(kind, fields[1], fields[2], part))
    });
    Some(targets.collect())
}

fn target(kind: &str, uri: &str, suite: &str, component: &str) -> Target {
    // apt writes disks with the name alone.
    let uri = uri.replace("cdrom://", "cdrom:").replace(['[', ']'], "");
    let uri = uri.trim_end_matches('/');
    (kind.to_owned(), uri.to_owned(), suite.to_owned(), component.to_owned())
}

fn read(repository: &Repository) -> Vec<Target> {
    let mut targets = Vec::new();
    for kind in &repository.types {
        for uri in &repository.uris {
            for suite in &repository.suites {
                let parts = repository.components.iter().map(String::as_str);
                let flat = repository.components.is_empty().then_some("");
                targets.extend(parts.chain(flat).map(|part| target(kind, uri, suite, part)));
            }
        }
    }
    targets
}

#[test]
fn apt_sees_the_same_sources_in_generated_lists() {
    let mut numbers = Numbers(7);
    let (mut address, mut compared) = (0, 0);
    for _ in 0..ROOTS {
        let root = TempDir::new().unwrap();
        for folder in [
            "etc/apt/sources.list.d",
            "var/lib/apt/lists/partial",
            "var/cache/apt/archives/partial",
            "var/lib/dpkg",
        ] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("var/lib/dpkg/status"), "").unwrap();
        let mut found = BTreeSet::new();
        for (path, text) in [
            ("sources.list", lines(&mut numbers, &mut address)),
            ("sources.list.d/a.list", lines(&mut numbers, &mut address)),
            ("sources.list.d/b.sources", paragraphs(&mut numbers, &mut address)),
            ("sources.list.d/c.list.save", "deb http://never.example x main\n".to_owned()),
        ] {
            fs::write(root.path().join("etc/apt").join(path), &text).unwrap();
            let name = path.rsplit('/').next().unwrap();
            let file = read_apt(name, text.as_bytes());
            let all = file.iter().flat_map(|file| &file.repositories).filter(|one| one.is_enabled);
            found.extend(all.flat_map(read));
            assert!(file.is_none_or(|file| file.problems.is_empty()), "{text}");
        }
        let Some(wanted) = asked(root.path()) else {
            eprintln!("SKIPPED: apt-get is not installed");
            return;
        };
        assert_eq!(found, wanted);
        compared += wanted.len();
    }
    assert!(compared > 100, "only {compared} sources were compared");
}
