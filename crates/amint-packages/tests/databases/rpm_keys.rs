//! Keys that rpm trusts, and keys that signed packages.

use std::path::Path;
use std::process::Command;

use amint_packages::rpm::read_database;

use crate::rpm::{install, made, rpm, run, sorted};

fn gpg(home: &Path, arguments: &[&str]) -> String {
    run(Command::new("gpg").env("GNUPGHOME", home).args(["--batch", "--quiet"]).args(arguments))
}

#[test]
fn keys_are_named_and_kept_apart_from_packages() {
    let Some(made) = made() else { return };
    if ["gpg", "rpmsign"].iter().any(|tool| Command::new(tool).arg("--version").output().is_err()) {
        eprintln!("SKIPPED: needs gpg and rpmsign");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (home, database) = (folder.path().join("gpg"), folder.path().join("db"));
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let user = "signer@example.org";
    gpg(&home, &["--passphrase", "", "--quick-generate-key", user, "rsa2048", "sign", "never"]);
    let key = folder.path().join("key.asc");
    std::fs::write(&key, gpg(&home, &["--armor", "--export", user])).unwrap();
    let packages: Vec<_> = made
        .packages()
        .into_iter()
        .map(|package| {
            let copy = folder.path().join(package.file_name().unwrap());
            std::fs::copy(package, &copy).unwrap();
            copy
        })
        .collect();
    let signed = packages.iter().find(|path| path.to_string_lossy().contains("filesystem")).unwrap();
    let program = run(Command::new("sh").args(["-c", "command -v gpg"]));
    let sign = run(Command::new("rpmsign")
        .env("GNUPGHOME", &home)
        .args(["--define", &format!("_gpg_name {user}"), "--define", &format!("__gpg {}", program.trim())])
        .arg("--addsign")
        .arg(signed));
    // The agent that gpg started ends with its folder; told to, it ends at once.
    let _ = Command::new("gpgconf").env("GNUPGHOME", &home).args(["--kill", "all"]).output();
    install(&database, &packages);
    run(rpm(&database).arg("--import").arg(&key));

    let content = std::fs::read(database.join("rpmdb.sqlite")).unwrap();
    let log = std::fs::read(database.join("rpmdb.sqlite-wal")).ok();
    let found = read_database(&content, log.as_deref()).unwrap();
    assert!(found.packages.iter().all(|package| package.name != "gpg-pubkey"));
    let ask = |what: &[&str]| run(rpm(&database).env("LC_ALL", "C").args(["-q", "--qf"]).args(what));

    let told = ask(&["%{VERSION} %{RELEASE} %{SUMMARY}\n", "gpg-pubkey"]);
    let keys: Vec<String> = found
        .keys
        .iter()
        .map(|key| format!("{} {} {}", key.version, key.release, key.summary.clone().unwrap_or_default()))
        .collect();
    assert_eq!(keys, sorted(&told), "{sign}");

    for package in &found.packages {
        let told = ask(&["%{RSAHEADER:pgpsig}", &package.name]);
        let id = told.split("Key ID ").nth(1).map(ToOwned::to_owned);
        assert_eq!(package.key_id, id, "{}", package.name);
    }
    assert_eq!(found.packages.iter().filter(|package| package.key_id.is_some()).count(), 1);
}
