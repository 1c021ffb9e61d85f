//! A thousand messages, judged by the openssl command and by the library.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use amint_identity::{Certificates, Expect, Form, verify};

use crate::support::*;

fn openssl(folder: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("openssl");
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn is_absent() -> bool {
    let is_absent = !openssl(Path::new("/"), &["version"]);
    if is_absent {
        eprintln!("SKIPPED: needs openssl");
    }
    is_absent
}

/// Makes a key and its certificate for each of the two message forms, and returns the list that trusts them.
fn make_keys(folder: &Path) -> String {
    let run = |arguments: &str| {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        assert!(openssl(folder, &arguments), "{arguments:?}");
    };
    run(
        "req -x509 -newkey rsa:2048 -nodes -keyout rsa2048.key -out rsa2048.pem -subj /O=test -days 100 -sha256",
    );
    run(
        "genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -pkeyopt dsa_paramgen_q_bits:160 -out dsa",
    );
    run("genpkey -paramfile dsa -out pkcs7.key");
    run("req -x509 -new -key pkcs7.key -out pkcs7.pem -subj /O=test -days 100 -sha1");
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    format!("[rsa2048 eu-west-1]\n{}[pkcs7 eu-west-1]\n{}", text("rsa2048.pem"), text("pkcs7.pem"))
}

/// A document that no other message has.
fn document(number: usize) -> String {
    let text = str::from_utf8(LOCAL_DOCUMENT).unwrap();
    text.replace("i-0123456789abcdef0", &format!("i-{number:017x}"))
        .replace("abc", &"é\\u00e9x".repeat(number % 50))
}

/// Messages that openssl signs are accepted, and with any change refused.
fn openssl_signs(folder: &Path, number: usize, expect: &Expect) {
    let (form, digest) = if number.is_multiple_of(2) { ("rsa2048", "sha256") } else { ("pkcs7", "sha1") };
    let (document, input, output) = (document(number), format!("{number}.in"), format!("{number}.out"));
    fs::write(folder.join(&input), &document).unwrap();
    let (key, certificate) = (format!("{form}.key"), format!("{form}.pem"));
    let mut arguments = vec!["smime", "-sign", "-binary", "-nodetach", "-md", digest, "-outform", "DER"];
    arguments.extend(["-signer", &certificate, "-inkey", &key, "-in", &input, "-out", &output]);
    if number.is_multiple_of(3) {
        arguments.push("-nocerts");
    }
    assert!(openssl(folder, &arguments));
    let mut message = fs::read(folder.join(&output)).unwrap();
    let verified = verify(document.as_bytes(), &message, expect).unwrap();
    assert_eq!(verified.form.as_str(), form);
    let last = message.len() - 1;
    message[last] ^= 1;
    assert!(verify(document.as_bytes(), &message, expect).is_err());
}

/// Messages signed locally, whole or with one byte changed: what openssl refuses, the library refuses.
fn openssl_judges(folder: &Path, number: usize, expect: &Expect) -> (bool, bool) {
    let form = if number.is_multiple_of(2) { Form::Rsa2048 } else { Form::Pkcs7 };
    let document = document(number);
    let mut message = decode(&sign(form, document.as_bytes()));
    if !number.is_multiple_of(5) {
        let at = (number * 7919) % message.len();
        message[at] = message[at].wrapping_add(u8::try_from(number % 255 + 1).unwrap());
    }
    let (input, output) = (format!("{number}.in"), format!("{number}.out"));
    fs::write(folder.join(&input), &message).unwrap();
    let certificate = format!("local-{form}.pem");
    let mut arguments = vec!["smime", "-verify", "-binary", "-noverify", "-nointern", "-inform", "DER"];
    arguments.extend(["-certfile", &certificate, "-in", &input, "-out", &output]);
    let is_openssl_content =
        openssl(folder, &arguments) && fs::read(folder.join(&output)).unwrap() == document.as_bytes();
    (is_openssl_content, verify(document.as_bytes(), &message, expect).is_ok())
}

#[test]
fn openssl_and_the_library_agree_on_a_thousand_messages() {
    if is_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let expect = Expect::new().forms([Form::Rsa2048, Form::Pkcs7]);
    let theirs = expect.clone().certificates(Certificates::parse(&make_keys(folder)).unwrap());
    let list = keys().certificates(&["eu-west-1"], pending()).unwrap();
    let ours = expect.certificates(Certificates::parse(&list).unwrap());
    for section in list.split('[').skip(1) {
        let (heading, pem) = section.split_once('\n').unwrap();
        let form = heading.split(' ').next().unwrap();
        fs::write(folder.join(format!("local-{form}.pem")), pem).unwrap();
    }
    let work = |from: usize| {
        (from..1000).step_by(2).fold([0; 3], |[both, stricter, neither], number| {
            if number % 4 < 2 {
                openssl_signs(folder, number, &theirs);
                return [both + 1, stricter, neither];
            }
            match openssl_judges(folder, number, &ours) {
                (true, true) => [both + 1, stricter, neither],
                (true, false) => [both, stricter + 1, neither],
                (false, false) => [both, stricter, neither + 1],
                (false, true) => panic!("message {number} is accepted, and openssl refuses it"),
            }
        })
    };
    let counts = std::thread::scope(|scope| {
        let other = scope.spawn(|| work(1));
        let mine = work(0);
        let other = other.join().unwrap();
        [mine[0] + other[0], mine[1] + other[1], mine[2] + other[2]]
    });
    // Stricter: parts that the signature does not cover, such as the list of digests, must be right as well.
    assert_eq!(counts.iter().sum::<u32>(), 1000);
    assert!(counts[0] >= 600 && counts[1] < 100 && counts[2] > 250, "{counts:?}");
}

#[test]
fn openssl_verifies_the_samples_and_local_signatures() {
    if is_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let list = keys().certificates(&["eu-west-1"], pending()).unwrap();
    let pem = list.split('[').nth(3).unwrap().split_once('\n').unwrap().1;
    fs::write(folder.path().join("certificate.pem"), pem).unwrap();
    fs::write(folder.path().join("document"), LOCAL_DOCUMENT).unwrap();
    fs::write(folder.path().join("signature"), decode(&sign(Form::Signature, LOCAL_DOCUMENT))).unwrap();
    assert!(openssl(
        folder.path(),
        &["x509", "-in", "certificate.pem", "-pubkey", "-noout", "-out", "public.pem"]
    ));
    let arguments = ["dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "document"];
    assert!(openssl(folder.path(), &arguments));
    for section in list.split('[').skip(1) {
        let pem = section.split_once('\n').unwrap().1;
        fs::write(folder.path().join("certificate.pem"), pem).unwrap();
        let arguments =
            ["verify", "-check_ss_sig", "-CAfile", "certificate.pem", "-auth_level", "0", "certificate.pem"];
        assert!(openssl(folder.path(), &arguments), "{section}");
    }
}
