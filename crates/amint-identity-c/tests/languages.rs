//! C and Python meet the same documents as the library does, and come to the same verdicts.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests: a failure is the end of the test, and one that is left out says so"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use amint_identity::local::LocalKeys;
use amint_identity::{Expect, Form, Refusal, verify};

const CRATE: &str = env!("CARGO_MANIFEST_DIR");
const HEADER: &str = include_str!("../include/amint_identity.h");

/// The folder with the shared and the static library: cargo puts them beside the tests.
fn libraries() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

fn is_absent(tool: &str) -> bool {
    let is_absent = !Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if is_absent {
        eprintln!("SKIPPED: needs {tool}");
    }
    is_absent
}

/// One document, what is expected of it, and the code that must come.
struct Vector {
    document: String,
    signature: String,
    expected: Vec<(&'static str, String)>,
    code: u32,
}

/// Makes the documents that all languages judge.
fn vectors(folder: &Path) -> Vec<Vector> {
    let data = format!("{CRATE}/../amint-identity/tests/data");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let keys = fs::read_to_string(format!("{data}/local-keys.txt")).unwrap();
    let keys = LocalKeys::from_secret_text(&keys).unwrap();
    let now = SystemTime::now();
    fs::write(path("trust.pem"), keys.certificates(&["eu-west-1"], now).unwrap()).unwrap();
    let local = format!("{data}/local.document.json");
    for form in Form::ALL {
        let signed = keys.sign(form, &fs::read(&local).unwrap(), now).unwrap();
        fs::write(path(form.as_str()), signed).unwrap();
    }
    let edited = fs::read_to_string(&local).unwrap().replace("abc", "xyz");
    fs::write(path("edited.json"), edited).unwrap();
    let mut vectors = Vec::new();
    let mut add = |document: &str, signature: &str, expected: &[(&'static str, &str)], code| {
        let expected = expected.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        vectors.push(Vector {
            document: document.to_owned(),
            signature: signature.to_owned(),
            expected,
            code,
        });
    };
    let (a, c) = (format!("{data}/a-dsa-us-east-1-2016"), format!("{data}/c-rsa2048-us-west-2-2021"));
    let (a_document, a_signature) = (format!("{a}.document.json"), format!("{a}.pkcs7.pem"));
    let (c_document, c_signature) = (format!("{c}.document.json"), format!("{c}.pkcs7.b64"));
    add(&a_document, &a_signature, &[("form", "pkcs7"), ("region", "us-east-1")], 0);
    add(&a_document, &a_signature, &[], 3);
    add(&c_document, &c_signature, &[("image", "ami-1"), ("image", "ami-0fa9e1f64142cde17")], 0);
    add(&c_document, &c_signature, &[("product-code", "abc")], 20);
    add(&c_document, &c_signature, &[("max-age-seconds", "60")], 27);
    add(&c_document, &a_signature, &[("form", "pkcs7")], 4);
    add(&c_document, &c_document, &[], 2);
    let trust = path("trust.pem");
    for form in Form::ALL {
        let all = [("form", form.as_str()), ("also-trust", &trust), ("product-code", "abc")];
        add(&local, &path(form.as_str()), &all, 0);
        add(&path("edited.json"), &path(form.as_str()), &all, if form == Form::Signature { 14 } else { 4 });
    }
    add(&local, &path("rsa2048"), &[], 12);
    add(
        &local,
        &path("rsa2048"),
        &[("certificates", &trust), ("any-product-code", "q"), ("any-product-code", "abc")],
        0,
    );
    add(&local, &path("rsa2048"), &[("certificates", &trust), ("private-ip", "own")], 25);
    vectors
}

/// Runs the example of a language on every document.
fn judge(example: &[String], folder: &Path) {
    for vector in vectors(folder) {
        let mut command = Command::new(&example[0]);
        command.args(&example[1..]).args([&vector.document, &vector.signature]);
        command.args(vector.expected.iter().flat_map(|(name, value)| [*name, value.as_str()]));
        let output = command.env("LD_LIBRARY_PATH", libraries()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let code = text.split(' ').next().unwrap();
        assert_eq!(code, vector.code.to_string(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.success(), vector.code == 0);
        let read = |path: &str| fs::read(path).unwrap();
        if vector.expected.is_empty() {
            let library = verify(&read(&vector.document), &read(&vector.signature), &Expect::new());
            assert_eq!(library.map_or_else(|refusal| refusal.code(), |_| 0), vector.code);
        }
    }
    // A setting that is not understood leaves no hole.
    let c = format!("{CRATE}/../amint-identity/tests/data/c-rsa2048-us-west-2-2021");
    let mut command = Command::new(&example[0]);
    command.args(&example[1..]).args([format!("{c}.document.json"), format!("{c}.pkcs7.b64")]);
    let output = command.args(["produkt-code", "abc"]).env("LD_LIBRARY_PATH", libraries()).output().unwrap();
    assert!(output.stdout.starts_with(b"-1 misuse"), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Compiles the C example; the arguments tell how to link.
fn compile(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let program = folder.join("verify").to_str().unwrap().to_owned();
    let mut command = Command::new("cc");
    command.args(["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", &program]);
    command.args(["-I", &format!("{CRATE}/include"), &format!("{CRATE}/examples/verify.c")]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    vec![program]
}

#[test]
fn c_with_the_shared_library_judges_as_the_library_does() {
    if is_absent("cc") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let libraries = libraries();
    let example = compile(folder.path(), &["-L", libraries.to_str().unwrap(), "-lamint_identity_c"]);
    judge(&example, folder.path());
}

#[test]
fn c_with_the_static_library_judges_as_the_library_does() {
    if is_absent("cc") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let library = libraries().join("libamint_identity_c.a");
    let example = compile(folder.path(), &[library.to_str().unwrap(), "-lpthread", "-ldl", "-lm"]);
    judge(&example, folder.path());
}

#[test]
fn python_judges_as_the_library_does() {
    if is_absent("python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let library = libraries().join("libamint_identity_c.so").to_str().unwrap().to_owned();
    let script = format!("{CRATE}/examples/verify.py");
    judge(&["python3".to_owned(), script, library], folder.path());
}

#[test]
fn the_header_has_every_reason_with_its_code_and_meaning() {
    for (name, code, explanation) in Refusal::reasons() {
        let constant = name.to_uppercase().replace('-', "_");
        let lines = format!("/* {explanation} */\n#define AMINT_IDENTITY_{constant} {code}\n");
        assert!(HEADER.contains(&lines), "the header lacks:\n{lines}");
    }
    for (name, code) in [
        ("NOT_ON_EC2", amint_identity_c::NOT_ON_EC2),
        ("HOP_LIMIT", amint_identity_c::HOP_LIMIT),
        ("FORBIDDEN", amint_identity_c::FORBIDDEN),
        ("UNREADABLE", amint_identity_c::UNREADABLE),
    ] {
        assert!(HEADER.contains(&format!("#define AMINT_IDENTITY_{name} {code}\n")), "{name}");
    }
}
