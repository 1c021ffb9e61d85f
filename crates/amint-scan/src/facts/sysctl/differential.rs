//! The evaluator against systemd-sysctl itself, which sets the kernel of a network namespace of its own.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{SYSTEMD, Settings};
use crate::testing::Fixture;

/// Keys that each network namespace has for itself, and that change no other.
const KEYS: [&str; 9] = [
    "net.ipv4.conf.all.log_martians",
    "net.ipv4.conf.all.secure_redirects",
    "net.ipv4.conf.all.send_redirects",
    "net.ipv4.conf.default.log_martians",
    "net.ipv4.conf.default.secure_redirects",
    "net.ipv4.conf.default.send_redirects",
    "net.ipv4.conf.lo.log_martians",
    "net.ipv4.conf.lo.secure_redirects",
    "net.ipv4.conf.lo.send_redirects",
];
/// Neither 0 nor 1, so that what is not set is told from what is.
const UNSET: &str = "7";
const FOLDERS: [&str; 4] = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"];
const NAMES: [&str; 5] = ["10-a.conf", "20-b.conf", "30-c.conf", "40-d.txt", ".50-e.conf"];

/// In the namespaces: puts the folders in place, sets every key to what no file sets, applies, and tells the values.
const SCRIPT: &str = r#"
set -eu
tree=$1 program=$2; shift 2
for folder in /etc /run /usr/local/lib /usr/lib; do
  mkdir -p "$tree$folder/sysctl.d"
done
mount -t tmpfs none /run
mount -t tmpfs none /usr/local/lib
mkdir -p /run/sysctl.d /usr/local/lib/sysctl.d
for folder in /etc /run /usr/local/lib /usr/lib; do
  mount --bind "$tree$folder/sysctl.d" "$folder/sysctl.d"
done
for key in "$@"; do echo 7 >"/proc/sys/$(echo "$key" | tr . /)"; done
"$program" >/dev/null 2>&1 || true
for key in "$@"; do cat "/proc/sys/$(echo "$key" | tr . /)"; done
"#;

fn line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "net.ipv4.conf.all.log_martians",
        "net/ipv4/conf/all/log_martians",
        "net.ipv4.conf.default.secure_redirects",
        "net.ipv4.conf.lo.send_redirects",
        "net.ipv4.conf.all.send_redirects",
        "net.ipv4.conf.*.log_martians",
        "net.ipv4.conf.*.*_redirects",
        "net/ipv4/conf/*/secure_redirects",
        "net.ipv4.conf.[ad]*.send_redirects",
        "net.ipv4.conf.??.log_martians",
        "net.ipv4.*.log_martians",
        "net.ipv4.conf.lo/x.log_martians",
    ]);
    let form = prop::sample::select(vec![
        "KEY=VALUE",
        "KEY = VALUE",
        "  KEY =VALUE  ",
        "-KEY = VALUE",
        "- KEY=VALUE",
        "-KEY",
        "KEY",
        "# KEY = VALUE",
        ";KEY=VALUE",
        "KEY VALUE",
        "",
    ]);
    (key, form, 0..2_u8)
        .prop_map(|(key, form, value)| form.replace("KEY", key).replace("VALUE", &value.to_string()))
}

type File = (&'static str, &'static str, Option<Vec<String>>);

fn files() -> impl Strategy<Value = Vec<File>> {
    let folder = prop::sample::select(FOLDERS.to_vec());
    let name = prop::sample::select(NAMES.to_vec());
    // None is a link to /dev/null.
    let content = prop::option::weighted(0.85, prop::collection::vec(line(), 0..6));
    prop::collection::vec((folder, name, content), 1..6)
}

#[test]
fn systemd_sysctl_leaves_the_kernel_with_the_same_values() {
    let Some(program) = SYSTEMD.iter().find(|program| Path::new(program).exists()) else {
        eprintln!("SKIPPED: systemd-sysctl is not here");
        return;
    };
    let unshare = |arguments: &[&str]| {
        let is_root = rustix::process::geteuid().is_root();
        let own: &[&str] = if is_root { &[] } else { &["--user", "--map-root-user"] };
        Command::new("unshare").args(own).args(["--mount", "--net"]).args(arguments).output()
    };
    if !unshare(&["true"]).is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no namespaces can be made here");
        return;
    }
    let mut runner = TestRunner::new(Config { cases: 100, ..Config::default() });
    let compared = runner.run(&files(), |files| {
        let mut fixture = Fixture::new().file("/usr/lib/systemd/systemd-sysctl", "");
        let mut told = String::new();
        let mut seen = Vec::new();
        for (folder, name, content) in &files {
            let path = format!("{folder}/{name}");
            if seen.contains(&path) {
                continue;
            }
            let _ = writeln!(told, "-- {path}\n{content:?}");
            fixture = match content {
                Some(lines) => fixture.file(&path, &(lines.join("\n") + "\n")),
                None => fixture.link("/dev/null", &path),
            };
            seen.push(path);
        }
        let ours: Vec<String> = fixture.with(|cx| {
            let settings = Settings::load(cx).unwrap();
            let value = |key: &&str| {
                settings.effective(key).map_or(UNSET.to_owned(), |setting| setting.value.clone())
            };
            KEYS.iter().map(value).collect()
        });
        let tree = fixture.as_ref().to_string_lossy().into_owned();
        let mut arguments = vec!["sh", "-c", SCRIPT, "sh", &tree, program];
        arguments.extend(KEYS);
        let output = unshare(&arguments).unwrap();
        prop_assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let theirs: Vec<&str> = text.lines().collect();
        prop_assert_eq!(ours, theirs, "{}", told);
        Ok(())
    });
    if let Err(error) = compared {
        panic!("{error}");
    }
}
