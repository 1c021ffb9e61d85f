//! A full file system: a clear error, and the download goes on once there is room.

use std::process::{Command, Stdio};

use amint_archive::ClientSettings;
use amint_types::Hint;

use super::support::{Bench, noise, now};

const ROOT: &str = "AMINT_ARCHIVE_TEST_ROOT";
const BYTES: usize = 6 << 20;

#[test]
fn a_full_file_system_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=4m tmpfs \"$0\"";
    // A mount of the child's own goes with it, and needs no root where user namespaces are allowed.
    let unshare = ["--user", "--map-root-user", "--mount", "sh", "-c"];
    let probe = Command::new("unshare").args(unshare).arg(mount).arg(folder.path()).status();
    if !probe.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no private tmpfs can be mounted here (unshare, mount)");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(unshare).arg(format!("{mount} && exec \"$@\"")).arg(folder.path());
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "disk_full::child_on_a_small_file_system", "--ignored", "--nocapture"]);
    let output = command.env(ROOT, folder.path()).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("survived"), "{text}");
}

#[test]
#[ignore = "the child of another test"]
fn child_on_a_small_file_system() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    let mut bench = Bench::new();
    bench.settings = ClientSettings::new(std::path::Path::new(&root).join("cache"), now());
    let file = bench.package("a", &noise(1, BYTES));
    let error = bench.get(std::slice::from_ref(&file)).unwrap_err();
    assert!(error.is_full(), "{error:?}");
    assert!(error.hint().unwrap().contains("free space"), "{:?}", error.hint());
    assert_eq!(bench.client().cached(&file.sha256), None);
    assert_eq!(bench.server.requests().len(), 1, "a full disk does not pass by trying again");
    println!("survived");
}
