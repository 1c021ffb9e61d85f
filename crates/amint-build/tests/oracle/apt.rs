//! What apt would install.

use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use amint_debian::resolve::{PinTarget, Wanted};

use crate::Outcome;
use crate::cases::Case;
use crate::lists::{self, Release};

pub(crate) struct Apt<'r> {
    release: &'r Release,
    essential: Vec<String>,
    count: AtomicUsize,
}

impl<'r> Apt<'r> {
    pub(crate) fn new(release: &'r Release) -> Self {
        let mut essential: Vec<String> = Vec::new();
        for record in release.universe.packages().iter().filter(|record| record.is_essential) {
            if !essential.contains(&record.name) {
                essential.push(record.name.clone());
            }
        }
        Self { release, essential, count: AtomicUsize::new(0) }
    }

    /// Lets apt simulate the installation on an empty system.
    pub(crate) fn simulate(&self, case: &Case) -> Outcome {
        let root = self.release.root.path();
        let mut apt = lists::command(root, "apt-get");
        apt.args(["install", "--simulate", "-o"]);
        apt.arg(format!("APT::Install-Recommends={}", case.recommends));
        if !case.pins.is_empty() || !case.holds.is_empty() {
            let number = self.count.fetch_add(1, Ordering::Relaxed);
            let preferences = root.join(format!("etc/preferences-{number}"));
            fs::write(&preferences, stanzas(case)).unwrap();
            apt.arg("-o").arg(format!("Dir::Etc::preferences={}", preferences.display()));
        }
        if case.with_essential {
            apt.args(&self.essential);
        }
        apt.args(case.install.iter().map(argument));
        let output = apt.output().unwrap();
        if !output.status.success() {
            return None;
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let installed = text.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("Inst ")?.split_once(" (")?;
            Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
        });
        Some(installed.collect())
    }
}

fn argument(wanted: &Wanted) -> String {
    match (&wanted.version, &wanted.suite) {
        (Some(version), _) => format!("{}={version}", wanted.name),
        (None, Some(suite)) => format!("{}/{suite}", wanted.name),
        (None, None) => wanted.name.clone(),
    }
}

/// Writes pins, and holds as pins that nothing goes before: on an empty system apt knows no other holds.
fn stanzas(case: &Case) -> String {
    let mut text = String::new();
    for (name, version) in &case.holds {
        writeln!(text, "Package: {name}\nPin: version {version}\nPin-Priority: 1001\n").unwrap();
    }
    for pin in &case.pins {
        let target = match &pin.target {
            PinTarget::Suite(suite) => format!("release n={suite}"),
            PinTarget::Version(version) => format!("version {version}"),
            PinTarget::Vendor(vendor) => format!("release o={vendor}"),
            PinTarget::Label(label) => format!("release l={label}"),
        };
        writeln!(text, "Package: {}\nPin: {target}\nPin-Priority: {}\n", pin.package, pin.priority).unwrap();
    }
    text
}
