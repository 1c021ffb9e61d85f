//! The program as a script meets it, and as a static file in an empty root folder.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests: a failure is the end of the test, and one that is left out says so"
)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use amint_identity::Form;
use amint_identity::local::LocalKeys;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../amint-identity/tests/data");
/// What the program must stay below, stripped.
const PROGRAM_BYTES_MAX: u64 = 4_000_000;

fn run(program: &str, arguments: &[&str]) -> (i32, String) {
    let Output { status, stdout, .. } = Command::new(program).args(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap())
}

fn verify(arguments: &[&str]) -> (i32, String) {
    run(env!("CARGO_BIN_EXE_amint-verify"), arguments)
}

fn sample(name: &str) -> String {
    format!("{DATA}/{name}")
}

#[test]
fn exit_codes_tell_verified_refused_unreadable_and_not_on_ec2() {
    let document = sample("c-rsa2048-us-west-2-2021.document.json");
    let signature = sample("c-rsa2048-us-west-2-2021.pkcs7.b64");
    let files = ["--document", &document, "--signature", &signature];
    let (code, text) = verify(&files);
    assert_eq!((code, text.lines().next().unwrap()), (0, "verified"), "{text}");
    let (code, text) = verify(&[&files[..], &["--region=us-west-2", "--product-code", "abc"]].concat());
    assert_eq!((code, text.lines().next().unwrap()), (1, "refused: product-code"), "{text}");
    let (code, text) = verify(&[&files[..], &["--json", "--image", "ami-1"]].concat());
    assert!(code == 1 && text.contains("\"reason\":\"image\""), "{text}");
    let (code, text) = verify(&[&files[..], &["--json"]].concat());
    assert!(code == 0 && text.contains("\"instance\":\"i-078517ca8a70a1dde\""), "{text}");
    assert_eq!(verify(&[&files[..], &["-q"]].concat()), (0, String::new()));
    assert_eq!(verify(&["--document", &document, "--signature", &document]).0, 3);
    assert_eq!(verify(&["--document", "/does/not/exist", "--signature", &signature]).0, 3);
    assert_eq!(verify(&["--prodct-code", "abc"]).0, 2);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (code, text) = verify(&["--endpoint", &endpoint]);
    assert_eq!((code, text.lines().next().unwrap()), (7, "unproven: not-on-ec2"), "{text}");
}

#[test]
fn the_ending_of_the_signature_file_chooses_the_form() {
    let folder = tempfile::tempdir().unwrap();
    let signature = folder.path().join("a.pkcs7");
    fs::copy(sample("a-dsa-us-east-1-2016.pkcs7.pem"), &signature).unwrap();
    let document = sample("a-dsa-us-east-1-2016.document.json");
    let files = ["--document", &document, "--signature", signature.to_str().unwrap()];
    assert_eq!(verify(&files).0, 0);
    let (code, text) = verify(&[&files[..], &["--form", "rsa2048"]].concat());
    assert!(code == 1 && text.starts_with("refused: wrong-form\n"), "{text}");
}

#[test]
fn local_keys_are_trusted_only_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let keys = LocalKeys::from_secret_text(&fs::read_to_string(sample("local-keys.txt")).unwrap()).unwrap();
    let document = sample("local.document.json");
    let now = SystemTime::now();
    let signed = keys.sign(Form::Rsa2048, &fs::read(&document).unwrap(), now).unwrap();
    fs::write(path("signature"), signed).unwrap();
    fs::write(path("trust.pem"), keys.certificates(&["eu-west-1"], now).unwrap()).unwrap();
    let (signature, trust) = (path("signature"), path("trust.pem"));
    let files = ["--document", &document, "--signature", &signature, "--form", "rsa2048"];
    assert_eq!(verify(&files).0, 1);
    for option in ["--also-trust", "--certificates"] {
        let arguments = [&files[..], &[option, &trust, "--product-code", "abc"]].concat();
        assert_eq!(verify(&arguments).0, 0);
    }
}

/// Builds the static file once; later runs find it built.
fn static_program() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = target.join("amint-verify");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/build-static.sh");
    let built = Command::new(script).arg(&program).env("CARGO_TARGET_DIR", target).output().unwrap();
    if built.status.success() {
        return Some(program);
    }
    eprintln!("SKIPPED: needs a static C library: {}", String::from_utf8_lossy(&built.stderr));
    None
}

#[test]
fn runs_as_a_small_static_file_in_an_empty_root_folder() {
    let Some(program) = static_program() else { return };
    assert!(fs::metadata(&program).unwrap().len() < PROGRAM_BYTES_MAX);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("amint-verify");
    fs::copy(&program, &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    for (name, source) in [
        ("document", "c-rsa2048-us-west-2-2021.document.json"),
        ("signature", "c-rsa2048-us-west-2-2021.pkcs7.b64"),
    ] {
        fs::copy(sample(source), folder.path().join(name)).unwrap();
    }
    let root = folder.path().to_str().unwrap();
    let arguments = [
        root,
        "/amint-verify",
        "--document",
        "/document",
        "--signature",
        "/signature",
        "--region",
        "us-west-2",
    ];
    if !Command::new("chroot")
        .args([root, "/amint-verify", "--help"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        eprintln!("SKIPPED: needs root for chroot");
        return;
    }
    let (code, text) = run("chroot", &arguments);
    assert!(code == 0 && text.starts_with("verified\n"), "{code} {text}");
    let (code, text) = run("chroot", &[&arguments[..], &["--product-code", "abc"]].concat());
    assert!(code == 1 && text.starts_with("refused: product-code\n"), "{code} {text}");
}
