//! OpenSSL reads what amint writes, and the other way round.

use std::fs;
use std::path::Path;
use std::process::Command;

use amint_provenance::{
    Envelope, KeyError, PemError, PublicKey, SigningKey, pae, verify_envelope, verify_signatures,
};
use amint_types::Digest;
use serde_json::json;

use super::support::{input, signed};

/// Runs OpenSSL in a folder; `None`, and loudly, where there is none.
#[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
fn openssl(folder: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = match Command::new("openssl").current_dir(folder).args(arguments).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("SKIPPED: openssl cannot be run ({error})");
            return None;
        }
    };
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

#[test]
fn openssl_reads_the_own_key() {
    let folder = tempfile::tempdir().unwrap();
    let opened = SigningKey::load_or_create(&folder.path().join("key.pem")).unwrap();
    let public = opened.key.public_key();
    let Some(pem) = openssl(folder.path(), &["pkey", "-in", "key.pem", "-pubout"]) else { return };
    assert_eq!(String::from_utf8(pem).unwrap(), public.to_pem());
    let Some(pem) = openssl(folder.path(), &["pkey", "-in", "key.pem"]) else { return };
    assert_eq!(pem, fs::read(folder.path().join("key.pem")).unwrap());
    let der = ["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"];
    let Some(der) = openssl(folder.path(), &der) else { return };
    assert_eq!(Digest::of(&der).to_string(), public.id().to_string());
}

#[test]
fn openssl_verifies_signatures_of_amint() {
    let folder = tempfile::tempdir().unwrap();
    let opened = SigningKey::load_or_create(&folder.path().join("key.pem")).unwrap();
    let envelope = Envelope::sign("text/plain", b"hello".to_vec(), &opened.key);
    fs::write(folder.path().join("public.pem"), opened.key.public_key().to_pem()).unwrap();
    fs::write(folder.path().join("message"), pae("text/plain", b"hello")).unwrap();
    fs::write(folder.path().join("signature"), &envelope.signatures()[0].signature).unwrap();
    let verify = "pkeyutl -verify -rawin -pubin -inkey public.pem -in message -sigfile signature";
    let Some(said) = openssl(folder.path(), &verify.split(' ').collect::<Vec<_>>()) else { return };
    assert!(String::from_utf8_lossy(&said).contains("Signature Verified Successfully"));
}

#[test]
fn amint_verifies_signatures_of_openssl() {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD;
    let folder = tempfile::tempdir().unwrap();
    let generate = ["genpkey", "-algorithm", "ed25519", "-out", "key.pem"];
    if openssl(folder.path(), &generate).is_none() {
        return;
    }
    let key = SigningKey::load(&folder.path().join("key.pem")).unwrap();
    let pem = openssl(folder.path(), &["pkey", "-in", "key.pem", "-pubout"]).unwrap();
    let public = PublicKey::from_pem(str::from_utf8(&pem).unwrap()).unwrap();
    assert_eq!(key.public_key(), &public);

    let payload = amint_provenance::provenance(&input()).to_json();
    let kind = amint_provenance::PAYLOAD_TYPE;
    fs::write(folder.path().join("message"), pae(kind, &payload)).unwrap();
    let sign = "pkeyutl -sign -rawin -inkey key.pem -in message";
    let signature = openssl(folder.path(), &sign.split(' ').collect::<Vec<_>>()).unwrap();
    let envelope = json!({
        "payload": base64.encode(&payload),
        "payloadType": kind,
        "signatures": [{ "keyid": public.id().to_string(), "sig": base64.encode(&signature) }],
    });
    let verified = verify_envelope(envelope.to_string().as_bytes(), std::slice::from_ref(&public)).unwrap();
    assert_eq!(verified.signers, [public.id()]);
    let own = Envelope::sign(kind, payload, &key);
    assert_eq!(own.signatures()[0].signature, signature, "Ed25519 signatures are always the same");
    assert!(verify_signatures(&signed(), &[public]).is_err());
}

#[test]
fn keys_that_do_not_fit_are_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let commands = [
        ("genpkey -algorithm x25519 -out key.pem", "X25519"),
        ("genpkey -algorithm ed448 -out key.pem", "Ed448"),
        ("genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:1024 -out key.pem", "RSA"),
        ("genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out key.pem", "ECDSA"),
    ];
    let path = folder.path().join("key.pem");
    for (command, name) in commands {
        if openssl(folder.path(), &command.split(' ').collect::<Vec<_>>()).is_none() {
            return;
        }
        let Err(KeyError::Pem { source, .. }) = SigningKey::load(&path) else { panic!("{command}") };
        assert_eq!(source, PemError::Algorithm { found: name.to_owned() });
        let public = openssl(folder.path(), &["pkey", "-in", "key.pem", "-pubout"]).unwrap();
        let refused = PublicKey::from_pem(str::from_utf8(&public).unwrap());
        assert_eq!(refused, Err(PemError::Algorithm { found: name.to_owned() }));
    }
    let encrypted = "genpkey -algorithm ed25519 -aes-256-cbc -pass pass:x -out key.pem";
    openssl(folder.path(), &encrypted.split(' ').collect::<Vec<_>>()).unwrap();
    let Err(KeyError::Pem { source, .. }) = SigningKey::load(&path) else { panic!("{encrypted}") };
    assert_eq!(source, PemError::Encrypted);
}
