//! Every kind of secret is found in the form that its provider documents, and not in half of it.

use std::collections::BTreeSet;

use amint_secrets::kinds;

use crate::make::{Random, fill, kinds_of, scan};
use crate::shapes::SHAPES;

/// Kinds that are structures, not text: their tests make them whole.
const STRUCTURES: &[&str] =
    &["java-", "keepass-", "der-", "private-key-", "pkcs12", "openvpn-", "tor-", "git-crypt", "file-"];

#[test]
fn every_kind_of_text_has_a_form_here() {
    let shaped: BTreeSet<&str> = SHAPES.iter().map(|(kind, _)| *kind).collect();
    for kind in kinds() {
        let is_structure = STRUCTURES.iter().any(|start| kind.id.starts_with(start));
        assert!(is_structure || shaped.contains(kind.id), "{} has no form", kind.id);
    }
    assert!(shaped.len() > 240, "{}", shaped.len());
}

#[test]
fn finds_every_kind_in_its_documented_form() {
    let mut missing = Vec::new();
    for (index, (kind, form)) in SHAPES.iter().enumerate() {
        for round in 0..5 {
            let mut random = Random::new(index as u64 * 31 + round + 1);
            let value = fill(form, &mut random);
            let text = format!("# settings\nfirst = 1\n{value}\nlast = 2\n");
            let (found, _) = scan("/srv/app/settings", text.as_bytes());
            if !kinds_of(&found).contains(kind) {
                missing.push(format!("{kind}: round {round} of `{form}`, found {:?}", kinds_of(&found)));
            }
        }
    }
    assert!(missing.is_empty(), "{}\n{missing:#?}", missing.len());
}

#[test]
fn never_tells_a_value() {
    for (index, (kind, form)) in SHAPES.iter().enumerate() {
        let value = fill(form, &mut Random::new(index as u64 + 1));
        let (found, _) = scan("/srv/app/settings", value.as_bytes());
        for finding in found {
            let told = format!("{finding:?}");
            for part in
                value.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| part.len() > 14)
            {
                let is_public = *kind == "aws-unique-id" || form.contains(part);
                assert!(is_public || !told.contains(part), "{kind}: {told}");
            }
        }
    }
}

#[test]
fn half_of_a_value_is_nothing() {
    // Their forms have no fixed length.
    const ANY_LENGTH: &[&str] = &[
        "-password",
        "application-secret",
        "aws-session",
        "google-access",
        "google-refresh",
        "gitlab-",
        "vault-",
        "pypi",
        "stripe",
        "jwk",
        "onepassword-service",
        "ssh1",
        "grafana",
        "openai-key",
        "cloudflare-tunnel",
        "authorization",
        "microsoft",
        "azure-identifiable",
        "signify",
        "putty",
        "minisign",
        "dropbox",
        "salesforce",
        "hash-pbkdf2",
        "planetscale",
        "sops",
        "gnupg",
        "svix",
        "matrix",
        "dnssec",
        "ansible",
    ];
    for (index, (kind, form)) in SHAPES.iter().enumerate() {
        if ANY_LENGTH.iter().any(|part| kind.contains(part)) {
            continue;
        }
        let value = fill(form, &mut Random::new(index as u64 + 1));
        let half = &value[..value.len() / 2];
        let (found, _) = scan("/srv/app/settings", format!("{half}\n").as_bytes());
        assert!(!kinds_of(&found).contains(kind), "{kind}: {half}");
    }
}

#[test]
fn a_longer_word_around_a_value_makes_it_nothing() {
    for kind in ["github-token", "npm-token", "aws-access-key-id", "sendgrid-key", "stripe-key"] {
        let (_, form) = SHAPES.iter().find(|(id, _)| *id == kind).unwrap();
        let value = fill(form, &mut Random::new(7));
        let (found, _) = scan("/srv/x", format!("abc{value}").as_bytes());
        assert!(found.is_empty(), "{kind}: {found:?}");
    }
}

#[test]
fn values_of_escaped_text_are_found() {
    let value = fill("ghp_{a36}", &mut Random::new(3));
    for text in [format!("\"x\\n{value}\\n\""), format!("?t%3D{value}&"), format!("\"{value}\"")] {
        assert_eq!(scan("/srv/x", text.as_bytes()).0.len(), 1, "{text}");
    }
}

#[test]
fn tells_line_offset_and_fingerprint() {
    let value = fill("ghp_{a36}", &mut Random::new(5));
    let (found, _) = scan("/srv/x", format!("a\nb\ntoken: {value}\n").as_bytes());
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((finding.line, finding.offset, finding.rule), (Some(3), 11, "SEC-004"));
    assert_eq!(finding.excerpt, "ghp_*** (40 characters)");
    assert_eq!(finding.fingerprint.as_ref().unwrap().len(), 12);
    let (again, _) = scan("/etc/y", value.as_bytes());
    assert_eq!(again[0].fingerprint, finding.fingerprint);
}

#[test]
fn a_chosen_password_has_no_fingerprint() {
    let value = fill("postgres://joe:{p14}@db.acme.net/x", &mut Random::new(5));
    let (found, _) = scan("/srv/x", value.as_bytes());
    assert_eq!(found[0].fingerprint, None);
}

#[test]
fn the_account_of_a_key_id_is_told() {
    // Made from account 123456789012 by the published scheme: 47 bits of the account, then anything.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: u64 = (123_456_789_012_u64 << 7 | 1 << 47) << 2;
    let digits: String = (0..10)
        .rev()
        .map(|place| char::from(alphabet[usize::try_from(bits >> (place * 5) & 31).unwrap()]))
        .collect();
    let (found, _) = scan("/srv/x", format!("AKIA{digits}QWERTZ").as_bytes());
    assert_eq!(found[0].note.as_deref(), Some("of account 123456789012"));
}
