//! The reader of units against systemd itself: the same generated trees, the same answers.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use amint_disk::tree::DirTree;
use amint_scan::{Context, Profile, ScanRequest, units};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

const CASES: u32 = 48;
const FOLDERS: [&str; 3] =
    ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"];
const NAMES: [&str; 6] =
    ["a.service", "b.service", "a-b.service", "t@.service", "t@x.service", "a-t@.service"];
/// Units whose settings are compared: systemd-analyze reads one at a time.
const LOADED: [&str; 4] = ["a.service", "a-b.service", "t@x.service", "a-t@y.service"];

/// One thing that lies in a generated tree.
#[derive(Clone, Debug)]
enum Item {
    Unit(usize, usize, String),
    Mask(usize, usize),
    Alias(usize, usize, usize),
    Outside(usize),
    Wants(usize, &'static str, &'static str),
    DropIn(usize, &'static str, &'static str, Option<String>),
    Preset(&'static str, String),
}

fn settings() -> impl Strategy<Value = String> {
    let key = prop_oneof![Just("NoNewPrivileges"), Just("ProtectClock")];
    let value = prop_oneof![Just("yes"), Just("no"), Just("true"), Just("0"), Just("on")];
    let line = (key, value).prop_map(|(key, value)| format!("[Service]\n{key}={value}\n"));
    prop::collection::vec(line, 0..3).prop_map(|lines| lines.concat())
}

fn item() -> impl Strategy<Value = Item> {
    let install = prop_oneof![
        Just(""),
        Just("[Install]\nWantedBy=multi-user.target\n"),
        Just("[Install]\nAlias=z.service\n"),
        Just("[Install]\nAlso=b.service\n"),
        Just("[Install]\nWantedBy=multi-user.target\nDefaultInstance=x\n"),
        Just("[Install]\nWantedBy=\n"),
    ];
    let link = prop_oneof![
        Just("a.service"),
        Just("b.service"),
        Just("a-b.service"),
        Just("t@x.service"),
        Just("t@z.service"),
        Just("a-t@y.service"),
        Just("z.service"),
    ];
    let owner = prop_oneof![Just("multi-user.target.wants"), Just("b.service.requires")];
    let folder = prop_oneof![
        Just("a.service.d"),
        Just("service.d"),
        Just("a-.service.d"),
        Just("a-b.service.d"),
        Just("t@.service.d"),
        Just("t@x.service.d"),
        Just("a-t@.service.d"),
        Just("a-@.service.d"),
        Just("z.service.d"),
    ];
    let file = prop_oneof![Just("1.conf"), Just("2.conf"), Just("3.conf"), Just("4.txt")];
    let preset = prop_oneof![
        Just("enable a.service\n"),
        Just("disable a*\n"),
        Just("disable *\n"),
        Just("enable t@.service x\n"),
        Just("# nothing\n"),
    ];
    prop_oneof![
        6 => (0..3_usize, 0..NAMES.len(), install, settings())
            .prop_map(|(folder, name, install, settings)| Item::Unit(folder, name, format!("{settings}{install}"))),
        1 => (0..3_usize, 0..NAMES.len()).prop_map(|(folder, name)| Item::Mask(folder, name)),
        1 => (0..2_usize, 0..2_usize, 0..3_usize).prop_map(|(folder, target, place)| Item::Alias(folder, target, place)),
        1 => (0..3_usize).prop_map(Item::Outside),
        4 => (0..3_usize, owner, link).prop_map(|(folder, owner, link)| Item::Wants(folder, owner, link)),
        5 => (0..3_usize, folder, file, prop::option::weighted(0.9, settings()))
            .prop_map(|(place, folder, file, content)| Item::DropIn(place, folder, file, content)),
        2 => (prop_oneof![Just("1.preset"), Just("2.preset")], prop::collection::vec(preset, 1..3))
            .prop_map(|(name, lines)| Item::Preset(name, lines.concat())),
    ]
}

/// Lays an item into the tree, unless something is there already.
fn lay(root: &Path, item: &Item) {
    let host = |path: String| {
        let path = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    let link = |target: String, path: String| {
        // A place that is taken keeps what it has.
        symlink(target, host(path)).ok();
    };
    let write = |path: String, content: &str| {
        let path = host(path);
        if fs::symlink_metadata(&path).is_err() {
            fs::write(path, content).unwrap();
        }
    };
    let unit = |rest: &str| format!("[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n{rest}");
    match item {
        Item::Unit(folder, name, rest) => {
            write(format!("{}/{}", FOLDERS[*folder], NAMES[*name]), &unit(rest));
        }
        Item::Mask(folder, name) => {
            link("/dev/null".into(), format!("{}/{}", FOLDERS[*folder], NAMES[*name]));
        }
        Item::Alias(folder, target, place) => {
            link(
                format!("{}/{}", FOLDERS[*place], NAMES[*target]),
                format!("{}/z.service", FOLDERS[*folder]),
            );
        }
        Item::Outside(folder) => {
            write("/opt/o.service".into(), &unit("[Install]\nWantedBy=multi-user.target\n"));
            link("/opt/o.service".into(), format!("{}/o.service", FOLDERS[*folder]));
        }
        Item::Wants(folder, owner, name) => {
            let template =
                name.split_once('@').map_or((*name).to_owned(), |(stem, _)| format!("{stem}@.service"));
            link(
                format!("/usr/lib/systemd/system/{template}"),
                format!("{}/{owner}/{name}", FOLDERS[*folder]),
            );
        }
        Item::DropIn(place, folder, file, content) => {
            let path = format!("{}/{folder}/{file}", FOLDERS[*place]);
            match content {
                Some(content) => write(path, content),
                None => link("/dev/null".into(), path),
            }
        }
        Item::Preset(name, content) => write(format!("/usr/lib/systemd/system-preset/{name}"), content),
    }
}

/// States and presets by `systemctl list-unit-files`.
fn listed(root: &Path) -> BTreeMap<String, (String, String)> {
    let output = Command::new("systemctl")
        .arg(format!("--root={}", root.display()))
        .args(["list-unit-files", "--no-pager", "--no-legend", "--type=service", "--plain"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let mut next = || words.next().map(str::to_owned);
            Some((next()?, (next()?, next()?)))
        })
        .collect()
}

/// Whether two settings are on, by `systemd-analyze security`; none when the unit cannot be loaded.
fn analyzed(root: &Path, name: &str) -> Option<(bool, bool)> {
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager", "--json=short"])
        .arg(format!("--root={}", root.display()))
        .arg(name)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let is_set = |field: &str| {
        let object = text.split('{').find(|object| object.contains(&format!("\"name\":\"{field}=\"")))?;
        Some(object.contains("\"set\":true"))
    };
    Some((is_set("NoNewPrivileges")?, is_set("ProtectClock")?))
}

fn request() -> ScanRequest {
    ScanRequest {
        profiles: vec![Profile::Private],
        waivers: Vec::new(),
        today: jiff::civil::date(2026, 11, 23),
        user: "ec2-user".to_owned(),
        ports: Vec::new(),
        rights: Vec::new(),
    }
}

#[test]
fn generated_trees_mean_to_amint_what_they_mean_to_systemd() {
    let has =
        |tool: &str| Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !has("systemctl") || !has("systemd-analyze") {
        eprintln!("SKIPPED: systemctl and systemd-analyze (package systemd) are not installed");
        return;
    }
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let items = prop::collection::vec(item(), 1..16);
    runner
        .run(&items, |items| {
            let scratch = TempDir::new().unwrap();
            let root = scratch.path();
            fs::create_dir_all(root.join("etc/systemd/system")).unwrap();
            fs::create_dir_all(root.join("usr/lib/systemd/system")).unwrap();
            symlink("usr/lib", root.join("lib")).unwrap();
            // What masks leads to: systemctl looks for it below the root.
            fs::create_dir(root.join("dev")).unwrap();
            fs::write(root.join("dev/null"), "").unwrap();
            for item in &items {
                lay(root, item);
            }
            let tree = DirTree::open(root).unwrap();
            let request = request();
            let cx = Context::new(&tree, &request);
            let presets = units::Presets::load(&cx).unwrap();
            for (name, (state, preset)) in listed(root) {
                let ours = units::state(&cx, &name).unwrap().map(units::UnitState::as_str);
                // A link that leads nowhere is a bad unit to systemctl, and none to amint.
                let theirs = Some(state.as_str()).filter(|state| *state != "bad");
                prop_assert_eq!(ours, theirs, "state of {}", name);
                if ["enabled", "disabled"].contains(&preset.as_str()) && !name.contains('@') {
                    prop_assert_eq!(presets.enables(&name), preset == "enabled", "preset of {}", name);
                }
            }
            for name in LOADED {
                let Some(theirs) = analyzed(root, name) else { continue };
                let Some(unit) = units::load(&cx, name).unwrap() else {
                    return Err(TestCaseError::fail(format!("{name} is not loaded")));
                };
                let is_on = |key| units::switch(&unit, "Service", key).unwrap_or(false);
                prop_assert_eq!(
                    (is_on("NoNewPrivileges"), is_on("ProtectClock")),
                    theirs,
                    "settings of {}",
                    name
                );
            }
            Ok(())
        })
        .unwrap();
}
