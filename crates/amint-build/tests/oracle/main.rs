//! The resolver against `apt-get install --simulate`, over the same index files of Debian 12 and 13.
//!
//! `apt-get update` fetches the indexes into a private root; both sides read these very files. For each set of
//! packages, both must refuse, or both must install the same packages in the same versions on an empty system. The
//! differences that remain are listed in `differences.rs`, each with its reason; one that is not listed fails the
//! test, and so does a listed one that is gone.
//!
//! It needs apt, Debian's keyring and a mirror (`AMINT_DEBIAN_MIRROR`, or the host's own sources), and says so when
//! something is missing.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests: a failure ends the test, and a skipped test says so"
)]

mod apt;
mod cases;
mod differences;
mod lists;
mod sets;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use amint_debian::resolve::{Request, resolve};

use apt::Apt;
use cases::Case;
use lists::Release;

/// What is installed: versions by name; `None` if it was refused.
type Outcome = Option<BTreeMap<String, String>>;

#[test]
fn agrees_with_apt_on_debian_12() {
    compare("bookworm");
}

#[test]
fn agrees_with_apt_on_debian_13() {
    compare("trixie");
}

fn compare(codename: &'static str) {
    let release = match Release::fetch(codename) {
        Ok(release) => release,
        Err(reason) => {
            eprintln!("skipped: {reason}");
            return;
        }
    };
    let cases = cases::all(&release);
    assert!(cases.len() >= 100, "at least 200 sets are compared over both releases");
    let differing = differing(&release, &cases);
    let listed = differences::of(codename);
    let mut complaints = Vec::new();
    for (label, text) in &differing {
        match listed.iter().find(|listed| listed.set == label) {
            Some(listed) => eprintln!("{codename}: differs as known: {label}: {text} ({})", listed.reason),
            None => complaints.push(format!("{label}: {text}")),
        }
    }
    for gone in listed.iter().filter(|listed| !differing.contains_key(listed.set)) {
        complaints.push(format!("{}: listed as different, but it is the same", gone.set));
    }
    let equal = cases.len() - differing.len();
    eprintln!("{codename}: {} sets, {equal} equal, {} differing", cases.len(), differing.len());
    assert!(complaints.is_empty(), "{codename}:\n{}", complaints.join("\n"));
    assert!(equal * 100 >= cases.len() * 98, "{codename}: less than 98 % are equal");
}

/// Compares all sets on two threads, as apt takes a second for each, and returns those that differ.
fn differing(release: &Release, cases: &[Case]) -> BTreeMap<String, String> {
    let apt = Apt::new(release);
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let expected = apt.simulate(case);
                    let (outcome, story) = ours(release, case);
                    if outcome != expected {
                        let text = tell(outcome.as_ref(), expected.as_ref(), &story);
                        found.lock().unwrap().insert(case.label.clone(), text);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

/// Returns what the resolver says, and its story if it refuses.
fn ours(release: &Release, case: &Case) -> (Outcome, String) {
    let request = Request {
        install: &case.install,
        with_essential: case.with_essential,
        recommends: case.recommends,
        pins: &case.pins,
        holds: &case.holds,
        ..Request::new(&release.universe, "amd64")
    };
    match resolve(&request) {
        Ok(solution) => {
            let version = |record: &amint_debian::package::PackageRecord| record.version.to_string();
            let packages = solution.packages.iter();
            let packages = packages.map(|chosen| (chosen.record.name.clone(), version(chosen.record)));
            (Some(packages.collect()), String::new())
        }
        Err(error) => (None, error.details().join("; ")),
    }
}

fn tell(
    ours: Option<&BTreeMap<String, String>>,
    apt: Option<&BTreeMap<String, String>>,
    story: &str,
) -> String {
    match (ours, apt) {
        (Some(_), None) => "only apt refuses".to_owned(),
        (None, _) => format!("apt does not refuse, we do: {story}"),
        (Some(ours), Some(apt)) => {
            let only = |one: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
                let differs = |(name, version): &(&String, &String)| other.get(*name) != Some(version);
                let words = one.iter().filter(differs).map(|(name, version)| format!("{name} {version}"));
                words.collect::<Vec<_>>().join(", ")
            };
            format!("only apt: [{}]; only we: [{}]", only(apt, ours), only(ours, apt))
        }
    }
}
