//! Documents, keys and signatures that the tests share.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use amint_identity::local::LocalKeys;
use amint_identity::{Certificates, Expect, Form};

pub(crate) const A_DOCUMENT: &[u8] = include_bytes!("../data/a-dsa-us-east-1-2016.document.json");
pub(crate) const A_PKCS7: &[u8] = include_bytes!("../data/a-dsa-us-east-1-2016.pkcs7.pem");
pub(crate) const C_DOCUMENT: &[u8] = include_bytes!("../data/c-rsa2048-us-west-2-2021.document.json");
pub(crate) const C_RSA2048: &[u8] = include_bytes!("../data/c-rsa2048-us-west-2-2021.pkcs7.b64");
pub(crate) const C_PEM: &[u8] = include_bytes!("../data/c-rsa2048-us-west-2-2021.pkcs7.pem");
pub(crate) const LOCAL_DOCUMENT: &[u8] = include_bytes!("../data/local.document.json");
pub(crate) const LOCAL_KEYS: &str = include_str!("../data/local-keys.txt");

/// 2026-01-02T03:04:05Z, the pending time of the local document.
pub(crate) fn pending() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_323_045)
}

pub(crate) fn keys() -> LocalKeys {
    LocalKeys::from_secret_text(LOCAL_KEYS).unwrap()
}

pub(crate) fn sign(form: Form, document: &[u8]) -> Vec<u8> {
    keys().sign(form, document, pending()).unwrap().into_bytes()
}

/// Trusts the local keys for the region of the local document, in all forms.
pub(crate) fn local() -> Expect {
    let list = keys().certificates(&["eu-west-1"], pending()).unwrap();
    Expect::new().forms(Form::ALL).certificates(Certificates::parse(&list).unwrap()).at(pending())
}

/// Decodes base64 with or without lines of PEM, independently of the crate.
pub(crate) fn decode(text: &[u8]) -> Vec<u8> {
    let text = str::from_utf8(text).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in body.trim_end_matches('=').chars() {
        bits = (bits << 6 | u32::try_from(alphabet.find(letter).unwrap()).unwrap()) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

/// Replaces the one place where `from` stands.
pub(crate) fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let places: Vec<usize> =
        (0..bytes.len()).filter(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(from))).collect();
    assert_eq!(places.len(), 1, "the place to replace stands {} times", places.len());
    [bytes.get(..places[0]).unwrap(), to, bytes.get(places[0] + from.len()..).unwrap()].concat()
}
