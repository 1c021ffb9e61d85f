//! The evaluator against sshd itself: the same generated configurations, the same answers.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use amint_disk::tree::DirTree;
use amint_scan::sshd::{Condition, SshdConfig};
use amint_scan::{Context, Profile, ScanRequest};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

const ASKED: [&str; 9] = [
    "PasswordAuthentication",
    "KbdInteractiveAuthentication",
    "PermitRootLogin",
    "PermitEmptyPasswords",
    "X11Forwarding",
    "AllowTcpForwarding",
    "MaxAuthTries",
    "Banner",
    "PubkeyAuthentication",
];

/// One line, or a block of lines, of a generated configuration.
#[derive(Clone, Debug)]
enum Item {
    Line(String),
    Match(String),
    Include(Vec<Item>),
}

fn line() -> impl Strategy<Value = Item> {
    let switch = prop_oneof![Just("yes"), Just("no"), Just("YES"), Just("\"no\"")];
    let keyword = prop_oneof![
        Just("PasswordAuthentication"),
        Just("passwordauthentication"),
        Just("KbdInteractiveAuthentication"),
        Just("ChallengeResponseAuthentication"),
        Just("PermitEmptyPasswords"),
        Just("X11Forwarding"),
        Just("AllowTcpForwarding"),
        Just("PubkeyAuthentication"),
    ];
    let separator = prop_oneof![Just(" "), Just("="), Just("\t"), Just(" = ")];
    let end = prop_oneof![Just(""), Just(" "), Just(" # said twice"), Just("\r")];
    prop_oneof![
        6 => (keyword, separator, switch, end).prop_map(|(key, separator, value, end)| format!("{key}{separator}{value}{end}")),
        2 => prop_oneof![Just("yes"), Just("no"), Just("without-password"), Just("prohibit-password"), Just("forced-commands-only")]
            .prop_map(|value| format!("  PermitRootLogin {value}")),
        2 => (1..9_u32).prop_map(|tries| format!("MaxAuthTries {tries}")),
        1 => Just("Banner \"/etc/issue net\"".to_owned()),
        1 => Just("Banner /etc/is\\\\sue".to_owned()),
        1 => Just("# PasswordAuthentication yes".to_owned()),
    ]
    .prop_map(Item::Line)
}

fn items(depth: u32) -> BoxedStrategy<Vec<Item>> {
    let condition = prop_oneof![
        Just("User alice"),
        Just("User bob"),
        Just("user a*,!alice"),
        Just("User root,alice"),
        Just("all"),
        Just("User=alice"),
    ];
    let block = condition.prop_map(|text| Item::Match(text.to_owned()));
    let item = if depth == 0 {
        prop_oneof![5 => line(), 1 => block].boxed()
    } else {
        prop_oneof![5 => line(), 1 => block, 2 => items(depth - 1).prop_map(Item::Include)].boxed()
    };
    prop::collection::vec(item, 0..7).boxed()
}

/// Writes a configuration below `folder`, which is a folder of the tree and of the host alike.
fn write(folder: &Path, name: &str, items: &[Item]) -> PathBuf {
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Line(line) => text.push_str(line),
            Item::Match(condition) => write!(text, "Match {condition}").unwrap(),
            Item::Include(items) => {
                let inner = format!("{name}-{index}");
                write(folder, &format!("{inner}.conf"), items);
                write!(text, "Include {}/{inner}*.conf", folder.display()).unwrap();
            }
        }
        text.push('\n');
    }
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn request() -> ScanRequest {
    ScanRequest {
        profiles: vec![Profile::Marketplace],
        waivers: Vec::new(),
        today: jiff::civil::date(2026, 11, 23),
        user: "ec2-user".to_owned(),
        ports: Vec::new(),
    }
}

/// Asks sshd what a user's connection gets.
fn ask_sshd(
    program: &Path,
    config: &Path,
    host_key: &Path,
    user: &str,
) -> Result<Vec<(String, String)>, String> {
    let connection = format!("user={user},host=client.example,addr=192.0.2.1,laddr=192.0.2.2,lport=22");
    let output = Command::new(program)
        .arg("-T")
        .args(["-C", &connection])
        .arg("-f")
        .arg(config)
        .arg("-h")
        .arg(host_key)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect())
}

fn meets(condition: &Condition, user: &str) -> bool {
    condition.criteria.iter().all(|criterion| criterion.kind == "user") && condition.may_match_user(user)
}

/// What sshd prints for a value that the evaluator has brought into its own form.
fn as_printed(keyword: &str, value: &str) -> String {
    match (keyword, value) {
        ("PermitRootLogin", "prohibit-password") => "without-password".to_owned(),
        ("Banner", "") => "none".to_owned(),
        _ => value.to_owned(),
    }
}

#[test]
fn the_evaluator_answers_as_sshd_does() {
    let program = Path::new("/usr/sbin/sshd");
    if !program.exists() {
        eprintln!("SKIPPED: no sshd on this machine (package openssh-server)");
        return;
    }
    let scratch = TempDir::new().unwrap();
    let host_key = scratch.path().join("key");
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&host_key).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: ssh-keygen is missing or failed");
        return;
    }
    // Older versions insist on their folder for privilege separation.
    let _ = fs::create_dir_all("/run/sshd");
    let probe = scratch.path().join("probe");
    fs::write(&probe, "").unwrap();
    if let Err(error) = ask_sshd(program, &probe, &host_key, "alice") {
        eprintln!("SKIPPED: sshd -T does not work here: {error}");
        return;
    }
    let mut runner = TestRunner::new(Config { cases: 96, failure_persistence: None, ..Config::default() });
    runner.run(&items(2), |items| compare(program, &host_key, &items)).unwrap();
}

fn compare(program: &Path, host_key: &Path, items: &[Item]) -> Result<(), TestCaseError> {
    let dir = TempDir::new().unwrap();
    // The files have the same paths for sshd on this machine and for the evaluator inside the tree.
    let inside = dir.path().join(dir.path().strip_prefix("/").unwrap());
    fs::create_dir_all(inside.join("conf")).unwrap();
    fs::create_dir_all(dir.path().join("conf")).unwrap();
    fs::create_dir_all(dir.path().join("etc/ssh")).unwrap();
    fs::create_dir_all(dir.path().join("usr/sbin")).unwrap();
    fs::write(dir.path().join("usr/sbin/sshd"), "").unwrap();
    let folder = dir.path().join("conf");
    let main = write(&folder, "main", items);
    for entry in fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), inside.join("conf").join(entry.file_name())).unwrap();
    }
    fs::copy(&main, dir.path().join("etc/ssh/sshd_config")).unwrap();

    let tree = DirTree::open(dir.path()).unwrap();
    let request = request();
    let cx = Context::new(&tree, &request);
    let config = SshdConfig::load(&cx).unwrap().expect("there is a server");
    prop_assert!(config.problems().is_empty(), "{:?}", config.problems());
    for user in ["alice", "bob", "root"] {
        let answers = ask_sshd(program, &main, host_key, user).map_err(TestCaseError::fail)?;
        for keyword in ASKED {
            let ours = config.effective(keyword, &|condition| meets(condition, user));
            let ours = as_printed(keyword, &ours.text());
            let lower = keyword.to_ascii_lowercase();
            let theirs = answers.iter().find(|(key, _)| *key == lower).map(|(_, value)| value.as_str());
            prop_assert_eq!(Some(ours.as_str()), theirs, "{} for {}", keyword, user);
            // Whatever sshd answers for somebody must be among the values that rules look at.
            let reachable = config.reachable(keyword, Some(user));
            let is_seen =
                reachable.iter().any(|setting| Some(as_printed(keyword, &setting.text()).as_str()) == theirs);
            prop_assert!(is_seen, "{} for {} is not among {:?}", keyword, user, reachable);
        }
    }
    Ok(())
}
