//! The evaluator against sshd itself: the same generated configurations, the same answers.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::cell::Cell;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use amint_disk::tree::DirTree;
use amint_scan::sshd::{Connection, SshdConfig};
use amint_scan::{Context, Profile, ScanRequest};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

/// Every keyword that a rule asks for and `sshd -T` prints.
const ASKED: [&str; 38] = [
    "AllowAgentForwarding",
    "AllowStreamLocalForwarding",
    "AllowTcpForwarding",
    "AuthenticationMethods",
    "AuthorizedKeysFile",
    "AuthorizedPrincipalsFile",
    "Banner",
    "Ciphers",
    "ClientAliveCountMax",
    "ClientAliveInterval",
    "DisableForwarding",
    "ExposeAuthInfo",
    "ForceCommand",
    "GatewayPorts",
    "GSSAPIAuthentication",
    "HostbasedAcceptedAlgorithms",
    "HostbasedAuthentication",
    "HostKeyAlgorithms",
    "IgnoreRhosts",
    "KbdInteractiveAuthentication",
    "KexAlgorithms",
    "LoginGraceTime",
    "LogLevel",
    "MACs",
    "MaxAuthTries",
    "MaxSessions",
    "MaxStartups",
    "PasswordAuthentication",
    "PermitEmptyPasswords",
    "PermitRootLogin",
    "PermitTunnel",
    "PermitUserEnvironment",
    "PubkeyAcceptedAlgorithms",
    "PubkeyAuthentication",
    "StrictModes",
    "TrustedUserCAKeys",
    "UsePAM",
    "X11Forwarding",
];
/// Keywords with the values that are tried; all may stand in `Match` blocks.
const VALUES: [(&str, &[&str]); 28] = [
    ("AllowAgentForwarding", &["yes", "no"]),
    ("AllowStreamLocalForwarding", &["yes", "no", "local", "remote"]),
    ("AllowTcpForwarding", &["yes", "no", "local", "remote"]),
    ("AuthenticationMethods", &["publickey", "publickey,password publickey,keyboard-interactive"]),
    ("AuthorizedKeysFile", &["none", ".ssh/a", "/etc/keys/%u .ssh/b", "\"%h/x y\""]),
    ("AuthorizedPrincipalsFile", &["none", "/etc/principals/%u"]),
    ("ClientAliveCountMax", &["0", "3", "9"]),
    ("ClientAliveInterval", &["0", "15", "300"]),
    ("DisableForwarding", &["yes", "no"]),
    ("ExposeAuthInfo", &["yes", "no"]),
    ("ForceCommand", &["none", "/bin/true -x"]),
    ("GatewayPorts", &["yes", "no", "clientspecified"]),
    ("GSSAPIAuthentication", &["yes", "no"]),
    ("HostbasedAcceptedAlgorithms", &["+ssh-rsa", "-ecdsa*"]),
    ("HostbasedAcceptedKeyTypes", &["ssh-ed25519", "^rsa-sha2-256"]),
    ("HostbasedAuthentication", &["yes", "no"]),
    ("IgnoreRhosts", &["yes", "no", "shosts-only"]),
    ("LogLevel", &["INFO", "VERBOSE", "QUIET"]),
    ("MaxSessions", &["0", "4", "10"]),
    ("PermitTunnel", &["yes", "no", "ethernet", "point-to-point"]),
    ("PubkeyAcceptedAlgorithms", &["+ssh-rsa", "ssh-ed25519,rsa-sha2-512", "-*cert*,ecdsa*"]),
    ("PubkeyAcceptedKeyTypes", &["^rsa-sha2-512", "ssh-ed25519"]),
    ("RSAAuthentication", &["yes"]),
    ("RequiredRSASize", &["2048"]),
    ("SkeyAuthentication", &["yes", "no"]),
    ("DSAAuthentication", &["yes", "no"]),
    ("TrustedUserCAKeys", &["none", "/etc/ssh/ca.pub"]),
    ("X11UseLocalhost", &["yes", "no"]),
];
/// Keywords that a `Match` block must not hold.
const GLOBAL_VALUES: [(&str, &[&str]); 11] = [
    ("Ciphers", &["aes256-ctr,3des-cbc", "+aes128-cbc,3des-cbc", "-aes*", "^aes256-gcm@openssh.com"]),
    ("HostKeyAlgorithms", &["+ssh-rsa", "-*cert*", "ssh-ed25519"]),
    ("KexAlgorithms", &["+diffie-hellman-group1-sha1", "-sntrup*,ecdh*", "curve25519-sha256"]),
    ("KeyRegenerationInterval", &["3600"]),
    ("LoginGraceTime", &["0", "60", "120"]),
    ("MACs", &["-umac*,hmac-sha1*", "+hmac-md5", "hmac-sha2-512"]),
    ("MaxStartups", &["10:30:60", "5:50:20"]),
    ("PermitUserEnvironment", &["yes", "no"]),
    ("StrictModes", &["yes", "no"]),
    ("UsePAM", &["yes", "no"]),
    ("UsePrivilegeSeparation", &["sandbox"]),
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
    let valued = |table: &'static [(&'static str, &'static [&'static str])]| {
        let pair = prop::sample::select(table);
        pair.prop_flat_map(|(keyword, values)| {
            prop::sample::select(values).prop_map(move |value| format!("{keyword} {value}"))
        })
    };
    prop_oneof![
        8 => valued(&VALUES),
        1 => valued(&GLOBAL_VALUES),
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
        Just("Group root"),
        Just("Group !root,*"),
        Just("Host *.example,!x"),
        Just("Host other"),
        Just("Address 192.0.2.0/24"),
        Just("Address 2001:db8::/32,!192.0.2.1"),
        Just("Address 192.0.*"),
        Just("LocalAddress 192.0.2.2,10.0.0.0/8"),
        Just("LocalPort 22"),
        Just("LocalPort 2222 User alice"),
        Just("User alice Address 192.0.2.1"),
        Just("User root Host client.example"),
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
        rights: Vec::new(),
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

/// The connection that sshd is asked about; only root is an account of this machine.
fn connection(user: &str) -> Connection {
    Connection {
        user: user.to_owned(),
        groups: if user == "root" { vec!["root".to_owned()] } else { Vec::new() },
        host: "client.example".to_owned(),
        address: "192.0.2.1".to_owned(),
        local_address: "192.0.2.2".to_owned(),
        local_port: 22,
        ..Connection::default()
    }
}

/// What sshd prints for a value that the evaluator has brought into its own form.
fn as_printed(keyword: &str, value: &str) -> String {
    match (keyword, value) {
        ("PermitRootLogin", "prohibit-password") => "without-password".to_owned(),
        ("Banner", "") => "none".to_owned(),
        ("LogLevel", "QUIET") => "SILENT".to_owned(),
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
    let started = Instant::now();
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    // A slow machine compares fewer, never none.
    let compared = Cell::new(0_u32);
    let case = |items: Vec<Item>| {
        if started.elapsed() > SOME_SECONDS {
            return Ok(());
        }
        compared.set(compared.get() + 1);
        compare(program, &host_key, &items)
    };
    runner.run(&items(2), case).unwrap();
    eprintln!("compared {} configurations", compared.get());
    assert!(compared.get() > 10, "this machine is too slow for the comparison to say anything");
}

/// How many configurations are compared, and for how long at most.
const CASES: u32 = 300;
const SOME_SECONDS: Duration = Duration::from_secs(20);

fn compare(program: &Path, host_key: &Path, items: &[Item]) -> Result<(), TestCaseError> {
    let dir = TempDir::new().unwrap();
    // The files have the same paths for sshd on this machine and for the evaluator inside the tree.
    let inside = dir.path().join(dir.path().strip_prefix("/").unwrap());
    fs::create_dir_all(inside.join("conf")).unwrap();
    fs::create_dir_all(dir.path().join("conf")).unwrap();
    fs::create_dir_all(dir.path().join("etc/ssh")).unwrap();
    fs::create_dir_all(dir.path().join("usr/sbin")).unwrap();
    // The program tells its version.
    fs::copy(program, dir.path().join("usr/sbin/sshd")).unwrap();
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
    for user in ["alice", "bob", "root"] {
        let answers = match ask_sshd(program, &main, host_key, user) {
            Ok(answers) => answers,
            // Whether enough methods are left is judged after reading, and by no rule here.
            Err(error) if error.contains("cannot be satisfied") => return Ok(()),
            Err(error) => {
                prop_assert!(!config.problems().is_empty(), "sshd refuses, and we do not: {error}");
                return Ok(());
            }
        };
        prop_assert!(config.problems().is_empty(), "{:?}", config.problems());
        let connection = connection(user);
        for keyword in ASKED {
            let ours = config.effective(keyword, &|condition| condition.is_met_by(&connection));
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
