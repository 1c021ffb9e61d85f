//! The certificates that came with the crate, and how they are replaced.

use std::fs;

use amint_identity::{Certificates, CertificatesError, Expect, Form, Origin, verify};

use crate::support::*;

#[test]
fn every_region_has_a_strong_certificate() {
    let all: Vec<_> = Certificates::embedded().iter().collect();
    assert_eq!(all.len(), 90);
    let regions = |form| -> std::collections::BTreeSet<String> {
        all.iter().filter(|info| info.form == form).flat_map(|info| info.regions.clone()).collect()
    };
    assert_eq!(regions(Form::Rsa2048).len(), 39);
    assert_eq!(regions(Form::Signature), regions(Form::Rsa2048));
    assert_eq!(regions(Form::Pkcs7).len(), 29);
    for info in &all {
        let key = match info.form {
            Form::Rsa2048 => ("rsa", 2048),
            Form::Pkcs7 if info.regions[0].starts_with("cn-") => ("rsa", 2048),
            Form::Pkcs7 => ("dsa", 1024),
            _ => ("rsa", 1024),
        };
        assert_eq!(info.key, key, "{info:?}");
        assert!(info.not_before < info.not_after && info.origin == Origin::Embedded);
    }
}

#[test]
fn a_folder_replaces_the_certificates() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Certificates::read(folder.path()), Err(CertificatesError::Empty)));
    let list = include_str!("../../data/certificates.pem");
    let section = list.split('[').find(|section| section.starts_with("rsa2048 us-west-2]")).unwrap();
    let pem = section.split_once('\n').unwrap().1;
    fs::create_dir(folder.path().join("rsa2048")).unwrap();
    fs::write(folder.path().join("rsa2048/us-west-2.pem"), pem).unwrap();
    let plain = Certificates::read(folder.path()).unwrap();
    verify(C_DOCUMENT, C_RSA2048, &Expect::new().certificates(plain)).unwrap();
    fs::write(folder.path().join("more.pem"), keys().certificates(&["eu-west-1"], pending()).unwrap())
        .unwrap();
    let both = Certificates::read(folder.path()).unwrap();
    assert_eq!(both.iter().count(), 4);
    let expect = Expect::new().certificates(both);
    verify(LOCAL_DOCUMENT, &sign(Form::Rsa2048, LOCAL_DOCUMENT), &expect).unwrap();
    // What is not in the folder is not trusted.
    assert!(verify(A_DOCUMENT, A_PKCS7, &expect.forms([Form::Pkcs7])).is_err());
    let file = Certificates::read(&folder.path().join("more.pem")).unwrap();
    let all = Certificates::embedded().clone().and(file);
    assert_eq!(all.iter().count(), 93);
}

#[test]
fn damaged_lists_are_refused_with_the_line() {
    let list = keys().certificates(&["eu-west-1"], pending()).unwrap();
    let wrong = |list: &str, line| match Certificates::parse(list) {
        Err(CertificatesError::Form { line: found, .. }) => assert_eq!(found, line),
        other => panic!("{other:?}"),
    };
    wrong(&list.replace("[rsa2048 eu-west-1]", "[rsa2048]"), 2);
    wrong(&list.replace("[rsa2048 eu-west-1]", "[rsa4096 eu-west-1]"), 2);
    wrong(&list.replace("[pkcs7 eu-west-1]\n", ""), list[..list.find("[sig").unwrap()].lines().count() - 1);
    wrong(list.trim_end().trim_end_matches('-'), list.lines().count());
    wrong("[rsa2048 eu-west-1]\n-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", 4);
    assert!(matches!(Certificates::parse("# nothing\n"), Err(CertificatesError::Empty)));
    assert!(matches!(Certificates::read("/does/not/exist".as_ref()), Err(CertificatesError::Read { .. })));
}
