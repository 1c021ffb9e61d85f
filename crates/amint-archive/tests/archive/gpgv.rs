//! The same verdicts as `gpgv`, on what Debian signs and on what is made here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use amint_archive::{ArchiveError, Client, ClientSettings, SignatureError, Suite, SuiteIndex};
use amint_types::{Cancel, NullSink};
use jiff::Timestamp;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::SignatureType;

use super::keys::{Key, Spec, SubkeySpec, clearsign};
use super::repository::Release;

const DEBIAN_KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

pub(crate) fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED: `{program}` is not installed");
    }
    found
}

/// Returns the primary keys whose signatures are good for `gpgv`, read as apt reads it: a key that expired or was
/// revoked does not count.
pub(crate) fn gpgv(keyring: &Path, path: &Path) -> Vec<String> {
    let mut command = Command::new("gpgv");
    command.args(["--status-fd", "1", "--keyring"]).arg(keyring).arg(path);
    let output = command.output().unwrap();
    let status = String::from_utf8_lossy(&output.stdout);
    let mut good = Vec::new();
    let mut is_good = false;
    for line in status.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.get(1) {
            Some(&"NEWSIG") => is_good = false,
            Some(&"GOODSIG") => is_good = true,
            Some(&"VALIDSIG") if is_good => good.push((*words.last().unwrap()).to_owned()),
            Some(&"BADARMOR" | &"NODATA" | &"UNEXPECTED") => return Vec::new(),
            _ => {}
        }
    }
    good.sort();
    good.dedup();
    good
}

/// Asks our own code for the same, with the file as a local repository.
fn ours(keyring: &Path, signed: &[u8], suite: &str, now: Timestamp) -> Result<SuiteIndex, ArchiveError> {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repository");
    let release = repository.join("dists").join(suite);
    fs::create_dir_all(&release).unwrap();
    fs::write(release.join("InRelease"), signed).unwrap();
    let client = Client::new(ClientSettings::new(folder.path().join("cache"), now)).unwrap();
    let suite = Suite {
        uri: repository.display().to_string(),
        suite: suite.to_owned(),
        components: vec!["main".to_owned()],
        keyring: keyring.to_owned(),
    };
    let mut found = client.indexes(&[suite], "amd64", "indexes", &NullSink, &Cancel::new())?;
    Ok(found.remove(0))
}

/// Tells whether an error comes after the signature was found good: the index is not there, or it is too old.
fn is_past_the_signature(error: &ArchiveError) -> bool {
    matches!(
        error,
        ArchiveError::Local { .. } | ArchiveError::Expired { .. } | ArchiveError::UnknownArchitecture { .. }
    )
}

fn suite_of(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().find_map(|line| line.strip_prefix("Codename: ")).unwrap().to_owned()
}

fn lists() -> Vec<PathBuf> {
    let entries = fs::read_dir("/var/lib/apt/lists").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    found.retain(|path| path.to_string_lossy().ends_with("InRelease"));
    found.sort();
    found
}

#[test]
fn agrees_with_gpgv_on_what_debian_signs() {
    let keyring = Path::new(DEBIAN_KEYRING);
    let lists = lists();
    if lists.is_empty() || !keyring.exists() || !has("gpgv") {
        eprintln!("SKIPPED: this host has no lists of apt or no keyring of Debian");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let changed = folder.path().join("InRelease");
    let mut accepted = 0;
    for path in lists {
        let bytes = fs::read(&path).unwrap();
        let suite = suite_of(&bytes);
        let theirs = gpgv(keyring, &path);
        let error = ours(keyring, &bytes, &suite, Timestamp::now()).unwrap_err();
        assert_eq!(is_past_the_signature(&error), !theirs.is_empty(), "{}: {error:?}", path.display());
        accepted += usize::from(!theirs.is_empty());
        // One bit of the text: at its start, in its middle, in its last line. A damaged signature is another matter:
        // there, `gpgv` minds the checksum of the armour, which RFC 9580 (section 6.1) says not to.
        let signature = bytes.windows(15).rposition(|window| window == b"-----BEGIN PGP ").unwrap();
        for place in [100, signature / 2, signature - 3] {
            let mut bytes = bytes.clone();
            bytes[place] ^= 1;
            fs::write(&changed, &bytes).unwrap();
            let theirs = gpgv(keyring, &changed);
            let error = ours(keyring, &bytes, &suite, Timestamp::now()).unwrap_err();
            let text = format!("{} byte {place}: {error:?}, gpgv {theirs:?}", path.display());
            assert!(theirs.is_empty() && !is_past_the_signature(&error), "{text}");
        }
    }
    eprintln!("agreed on {accepted} files that Debian signed");
}

#[test]
fn agrees_with_gpgv_on_keys_of_all_kinds() {
    if !has("gpgv") {
        return;
    }
    let now = Timestamp::now();
    let at = u32::try_from(now.as_second()).unwrap() - 3_600;
    let day = 24 * 60 * 60;
    let good = Spec::good(at - 100 * day);
    let sub = |subkey| Spec { subkey: Some(subkey), ..good.clone() };
    let specs = [
        ("good", good.clone(), true),
        ("expires later", Spec { lifetime: Some(200 * day), ..good.clone() }, true),
        ("expired", Spec { lifetime: Some(50 * day), ..good.clone() }, false),
        ("revoked", Spec { is_revoked: true, ..good.clone() }, false),
        ("subkey", sub(SubkeySpec::good()), true),
        ("subkey expired", sub(SubkeySpec { lifetime: Some(50 * day), ..SubkeySpec::good() }), false),
        ("subkey revoked", sub(SubkeySpec { is_revoked: true, ..SubkeySpec::good() }), false),
        ("subkey unconfirmed", sub(SubkeySpec { is_confirmed: false, ..SubkeySpec::good() }), false),
    ];
    let folder = tempfile::tempdir().unwrap();
    let (keyring, path) = (folder.path().join("keyring.gpg"), folder.path().join("InRelease"));
    let release = Release::new(Timestamp::from_second(i64::from(at)).unwrap());
    // What the text looks like must not matter to either.
    let text = format!("{}\n -----BEGIN PGP\n- x\n--\n\u{20ac}", release.text());
    for (name, spec, is_good) in specs {
        let key = Key::new(spec);
        Key::keyring(&keyring, &[&key]);
        let signed =
            clearsign(&text, |text| vec![key.sign(text, SignatureType::Text, HashAlgorithm::Sha256, at)]);
        fs::write(&path, &signed).unwrap();
        let theirs = gpgv(&keyring, &path);
        assert_eq!(!theirs.is_empty(), is_good, "gpgv, {name}");
        match ours(&keyring, &signed, "trixie", now).unwrap_err() {
            ArchiveError::Signature { source, .. } => assert!(!is_good, "{name}: {source}"),
            // The text is no Release, which is known only after its signature was found good.
            error => assert!(is_good && matches!(error, ArchiveError::Release { .. }), "{name}: {error:?}"),
        }
    }
}

#[test]
fn accepts_what_gpg_signs_but_for_weak_hashes() {
    if !has("gpg") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    let path = folder.path().join("Release");
    let gpg = |arguments: &[&str]| {
        let mut command = Command::new("gpg");
        command.arg("--homedir").arg(&home).args([
            "--batch",
            "--quiet",
            "--no-autostart",
            "--passphrase",
            "",
        ]);
        let output = command.args(arguments).output().unwrap();
        (output.status.success(), output.stdout)
    };
    // Its own agent is needed to make keys, and ends with its home.
    let mut command = Command::new("gpg");
    command.arg("--homedir").arg(&home).args(["--batch", "--quiet", "--passphrase", "", "--quick-gen-key"]);
    let is_made =
        command.args(["throwaway@mirror.example", "rsa2048", "sign", "never"]).status().unwrap().success();
    if !is_made {
        eprintln!("SKIPPED: `gpg` makes no keys here");
        return;
    }
    let keyring = folder.path().join("keyring.gpg");
    fs::write(&keyring, gpg(&["--export"]).1).unwrap();
    let release = Release::new(Timestamp::now() - jiff::SignedDuration::from_hours(1));
    let text = release
        .text()
        .replace("Label: Test\n", "Label: Test \t \n")
        .replace("Description", "X-Empty:\nDescription");
    fs::write(&path, text).unwrap();
    for (hash, is_good) in [("SHA256", true), ("SHA384", true), ("SHA512", true), ("SHA1", false)] {
        let (is_signed, signed) =
            gpg(&["--digest-algo", hash, "--output", "-", "--clear-sign", path.to_str().unwrap()]);
        assert!(is_signed, "{hash}");
        let error = ours(&keyring, &signed, "trixie", Timestamp::now()).unwrap_err();
        match error {
            ArchiveError::Signature { source, .. } => {
                assert!(!is_good && matches!(*source, SignatureError::WeakHash { .. }), "{hash}: {source}");
            }
            error => assert!(is_good && is_past_the_signature(&error), "{hash}: {error:?}"),
        }
    }
    let _ = Command::new("gpgconf").arg("--homedir").arg(&home).args(["--kill", "all"]).status();
}
