//! Messages that a careless reader would accept.

use amint_identity::local::LocalKeys;
use amint_identity::{Certificates, Expect, Form, Refusal, verify};

use crate::forge::*;
use crate::support::*;

fn refusal_of(forgery: &Forgery) -> Refusal {
    verify(&forgery.document, &forgery.sign(), &local()).unwrap_err()
}

fn honest() -> Forgery {
    Forgery::new(LOCAL_DOCUMENT)
}

#[test]
fn an_honest_message_with_definite_lengths_is_accepted() {
    verify(LOCAL_DOCUMENT, &honest().sign(), &local()).unwrap();
    // Certificates within a message are skipped, whatever they are.
    let certificates = der(0xa0, &[&local_certificate()]);
    verify(LOCAL_DOCUMENT, &Forgery { certificates, ..honest() }.sign(), &local()).unwrap();
}

#[test]
fn attributes_that_lack_or_stand_twice_are_refused() {
    let with = |attributes: &[Vec<u8>]| Forgery { attributes: Some(attributes.to_vec()), ..honest() };
    let (kind, digest) = (content_type(), message_digest(LOCAL_DOCUMENT));
    let attribute = |attribute| Refusal::AttributeMissing { attribute };
    assert_eq!(refusal_of(&Forgery { attributes: None, ..honest() }), attribute("any signed attribute"));
    assert_eq!(refusal_of(&with(&[])), attribute("contentType"));
    assert_eq!(refusal_of(&with(std::slice::from_ref(&digest))), attribute("contentType"));
    assert_eq!(refusal_of(&with(std::slice::from_ref(&kind))), attribute("messageDigest"));
    assert_eq!(refusal_of(&with(&[kind.clone(), kind.clone(), digest.clone()])), Refusal::AttributeRepeated);
    assert_eq!(refusal_of(&with(&[kind.clone(), digest.clone(), digest])), Refusal::AttributeRepeated);
    let other = message_digest(b"other");
    assert_eq!(refusal_of(&with(&[kind.clone(), other])), Refusal::DigestDiffers);
    let octets = der(0x04, &[&[7; 32]]);
    let twice = self::attribute(4, &[octets.clone(), octets].concat());
    assert_eq!(refusal_of(&with(&[kind, twice])), Refusal::AttributeRepeated);
}

#[test]
fn attributes_that_contradict_the_message_are_refused() {
    let digest = message_digest(LOCAL_DOCUMENT);
    let kind = attribute(3, &der(0x06, &[&[0x2a, 0x03]]));
    let forgery = Forgery { attributes: Some(vec![kind, digest.clone()]), ..honest() };
    assert_eq!(refusal_of(&forgery), Refusal::AttributeWrong { attribute: "contentType" });
    let algorithms = [algorithm(SHA256), der(0xa1, &[&der(0x06, &[&[0x2a, 0x03]])])];
    let protection = attribute(52, &der(0x30, &[&algorithms.concat()]));
    let forgery = Forgery { attributes: Some(vec![content_type(), protection, digest]), ..honest() };
    assert_eq!(refusal_of(&forgery), Refusal::AttributeWrong { attribute: "CMSAlgorithmProtection" });
}

#[test]
fn no_signer_and_two_signers_are_refused() {
    assert_eq!(refusal_of(&Forgery { signers: 0, ..honest() }), Refusal::SignerCount);
    assert_eq!(refusal_of(&Forgery { signers: 2, ..honest() }), Refusal::SignerCount);
}

#[test]
fn algorithms_of_other_forms_are_refused() {
    let sha1 = algorithm(&[0x2b, 0x0e, 0x03, 0x02, 0x1a]);
    let md5 = algorithm(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05]);
    let dsa = algorithm(&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03]);
    for listed_digest in [sha1.clone(), md5.clone()] {
        assert_eq!(refusal_of(&Forgery { listed_digest, ..honest() }), Refusal::AlgorithmRefused);
    }
    assert_eq!(refusal_of(&Forgery { digest: md5, ..honest() }), Refusal::AlgorithmRefused);
    assert_eq!(refusal_of(&Forgery { algorithm: dsa, ..honest() }), Refusal::AlgorithmRefused);
    // Parameters could hold anything.
    let listed_digest = der(0x30, &[&der(0x06, &[SHA256]), &[0x04, 0x00]]);
    assert!(refusal_of(&Forgery { listed_digest, ..honest() }).is_unreadable());
    // SHA-1 where the key is of the form rsa2048: refused, though all else fits.
    let digest = attribute(4, &der(0x04, &[&<sha1::Sha1 as sha1::Digest>::digest(LOCAL_DOCUMENT)]));
    let (digest, attributes) = (sha1.clone(), Some(vec![content_type(), digest]));
    let forgery = Forgery { attributes, digest, listed_digest: sha1, ..honest() };
    assert_eq!(refusal_of(&forgery), Refusal::AlgorithmRefused);
}

#[test]
fn an_attackers_key_under_the_right_name_is_refused() {
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
    let certificates = der(0xa0, &[&local_certificate()]);
    assert_eq!(refusal_of(&Forgery { certificates, key, ..honest() }), Refusal::SignatureWrong);
    // The same against the pinned certificate of EC2: issuer and serial number are public.
    let message = decode(C_RSA2048);
    let issuer = [0x30, 0x69, 0x30, 0x5c];
    let at = message.windows(4).position(|window| window == issuer).unwrap();
    let name = message[at..at + 0x6b].to_vec();
    let forgery = Forgery { name, ..Forgery::new(C_DOCUMENT) };
    assert_eq!(verify(C_DOCUMENT, &forgery.sign(), &Expect::new()), Err(Refusal::SignatureWrong));
}

#[test]
fn keys_of_another_region_are_refused() {
    let text = str::from_utf8(LOCAL_DOCUMENT).unwrap().replace("eu-west-1", "eu-west-2");
    let signature = sign(Form::Rsa2048, text.as_bytes());
    let no_certificate = verify(text.as_bytes(), &signature, &local()).unwrap_err();
    assert_eq!(no_certificate, Refusal::NoCertificate { region: "eu-west-2".to_owned() });
    // With a certificate for that region as well, it is the wrong one.
    let other = LocalKeys::generate().unwrap();
    let other = other.certificates(&["eu-west-2"], pending()).unwrap();
    let list = keys().certificates(&["eu-west-1"], pending()).unwrap() + &other;
    let expect = local().certificates(Certificates::parse(&list).unwrap());
    let refusal = verify(text.as_bytes(), &signature, &expect).unwrap_err();
    assert!(matches!(refusal, Refusal::SignerOfOtherRegion { .. }), "{refusal:?}");
    let bare = sign(Form::Signature, text.as_bytes());
    assert_eq!(verify(text.as_bytes(), &bare, &expect), Err(Refusal::SignatureWrong));
}

#[test]
fn swapped_certificates_are_refused() {
    // Another key under the name of the real one: what a replaced list of certificates would do.
    let list = keys().certificates(&["eu-west-1"], pending()).unwrap();
    let sections: Vec<&str> = list.split('[').collect();
    let swapped = format!("[rsa2048{}", sections[3].trim_start_matches("signature"));
    let expect = local().certificates(Certificates::parse(&swapped).unwrap());
    let refusal = verify(LOCAL_DOCUMENT, &sign(Form::Rsa2048, LOCAL_DOCUMENT), &expect).unwrap_err();
    assert!(matches!(refusal, Refusal::SignerUnknown { .. }), "{refusal:?}");
}

#[test]
fn short_keys_do_not_pass_for_the_strong_form() {
    // The key of the bare form, given as if it were of the form rsa2048.
    let list = keys().certificates(&["eu-west-1"], pending()).unwrap();
    let weak = list.split('[').nth(3).unwrap().replace("signature", "rsa2048");
    let der_text = weak.lines().skip(1).filter(|line| !line.starts_with('-')).collect::<String>();
    let certificate = decode(der_text.as_bytes());
    let organisation = b"amint local test key";
    let at = certificate.windows(organisation.len()).position(|window| window == organisation).unwrap();
    let issuer = &certificate[at - 13..at + organisation.len()];
    // SEQUENCE of the certificate and of its fields take 4 bytes each, the version 5, then comes the serial number.
    let serial = &certificate[13..13 + 10];
    let forgery = Forgery { name: der(0x30, &[issuer, serial]), ..honest() };
    let expect = local().certificates(Certificates::parse(&format!("[{weak}")).unwrap());
    assert_eq!(verify(LOCAL_DOCUMENT, &forgery.sign(), &expect), Err(Refusal::AlgorithmRefused));
}

#[test]
fn every_truncation_and_every_byte_more_is_refused() {
    for message in [decode(C_RSA2048), honest().sign()] {
        let (document, expect) =
            if message == honest().sign() { (LOCAL_DOCUMENT, local()) } else { (C_DOCUMENT, Expect::new()) };
        for length in 0..message.len() {
            assert!(verify(document, &message[..length], &expect).is_err(), "{length}");
        }
        for tail in [&[0][..], &[0, 0], &[0x30, 0x00], b"\n"] {
            assert!(verify(document, &[&message, tail].concat(), &expect).is_err(), "{tail:?}");
        }
    }
    for tail in [" ", "\0", "=", "A", "AAAA", "-----END PKCS7-----"] {
        assert!(verify(C_DOCUMENT, &[C_RSA2048, tail.as_bytes()].concat(), &Expect::new()).is_err());
    }
    for tail in ["\n", " ", "{}"] {
        let document = [C_DOCUMENT, tail.as_bytes()].concat();
        let refusal = verify(&document, C_RSA2048, &Expect::new()).unwrap_err();
        assert!(matches!(refusal, Refusal::ContentDiffers | Refusal::DocumentUnreadable { .. }));
    }
}

#[test]
fn other_encodings_of_the_same_message_are_refused() {
    let message = honest().sign();
    // An indefinite length that never ends, one that ends too early, and a length with a zero before it.
    let indefinite = [&[0x30, 0x80][..], &message[4..]].concat();
    verify(LOCAL_DOCUMENT, &[&indefinite[..], &[0, 0]].concat(), &local()).unwrap();
    assert!(verify(LOCAL_DOCUMENT, &indefinite, &local()).unwrap_err().is_unreadable());
    let early = [&indefinite[..13], &[0, 0], &indefinite[13..], &[0, 0]].concat();
    assert!(verify(LOCAL_DOCUMENT, &early, &local()).unwrap_err().is_unreadable());
    let long = [&[0x30, 0x83, 0x00][..], &message[2..]].concat();
    assert!(verify(LOCAL_DOCUMENT, &long, &local()).unwrap_err().is_unreadable());
    let unsigned = der(0xa1, &[&content_type()]);
    assert!(refusal_of(&Forgery { unsigned, ..honest() }).is_unreadable());
    assert!(refusal_of(&Forgery { version: 3, ..honest() }).is_unreadable());
}

#[test]
fn a_genuinely_signed_document_that_reads_two_ways_is_refused() {
    let twice = replace(LOCAL_DOCUMENT, b"\"version\"", b"\"region\" : \"eu-west-1\",\n  \"version\"");
    let refusal = verify(&twice, &sign(Form::Rsa2048, &twice), &local()).unwrap_err();
    assert_eq!(refusal, Refusal::DocumentUnreadable { what: "a name that stands twice" });
}
