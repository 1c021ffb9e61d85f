//! Who may sign: every way in which a signature counts, or does not.

use amint_archive::{ArchiveError, CleartextError, KeyringError, SignatureError};
use amint_types::{Digest, Hint};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::Timestamp;

use super::keys::{Key, Spec, SubkeySpec, clearsign, detached};
use super::repository::Release;
use super::support::{Bench, days_ago, good_key, seconds, text_of};

const IN_RELEASE: &str = "/dists/trixie/InRelease";

fn release() -> Release {
    Release::new(days_ago(1))
}

/// Gets a suite signed by a key of this kind, and returns why its signature does not count.
fn refusal(spec: Spec) -> SignatureError {
    let bench = Bench::with_key(Key::new(spec));
    bench.publish(&release());
    signature_error(&bench)
}

fn signature_error(bench: &Bench) -> SignatureError {
    match bench.index() {
        Err(ArchiveError::Signature { source, .. }) => *source,
        other => panic!("{other:?}"),
    }
}

fn spec() -> Spec {
    Spec::good(seconds(days_ago(300)))
}

fn with_subkey(subkey: SubkeySpec) -> Spec {
    Spec { subkey: Some(subkey), ..spec() }
}

#[test]
fn accepts_a_good_signature_and_names_its_key() {
    let bench = Bench::new();
    bench.publish(&release());
    let found = bench.index().unwrap();
    assert_eq!(found.signers, [bench.key.fingerprint()]);
    assert_eq!(text_of(&found), "Package: a\n");
    assert_eq!((found.origin.as_deref(), found.label.as_deref()), (Some("Throwaway"), Some("Test")));
    assert_eq!(found.release_sha256, Digest::of(&release().signed(&[&bench.key])));
}

#[test]
fn accepts_a_subkey_that_belongs_to_the_key() {
    let bench = Bench::with_key(Key::new(with_subkey(SubkeySpec::good())));
    bench.publish(&release());
    assert_eq!(bench.index().unwrap().signers, [bench.key.fingerprint()]);
}

#[test]
fn accepts_an_armoured_keyring_of_several_keys() {
    let mut bench = Bench::new();
    bench.publish(&release());
    let path = bench.folder.path().join("keyring.asc");
    Key::armoured_keyring(&path, &[&good_key(), &bench.key, &good_key()]);
    let mut suite = bench.suite();
    suite.keyring.clone_from(&path);
    assert_eq!(bench.index_of(suite).unwrap().signers, [bench.key.fingerprint()]);
    // The same key is unknown to a repository that has another pinned.
    bench.key = good_key();
    Key::keyring(&bench.keyring(), &[&bench.key]);
    assert!(matches!(signature_error(&bench), SignatureError::UnknownKey { .. }));
}

#[test]
fn one_good_signature_among_others_is_enough() {
    let bench = Bench::new();
    let revoked = Key::new(Spec { is_revoked: true, ..spec() });
    Key::keyring(&bench.keyring(), &[&bench.key, &revoked]);
    let release = release();
    release.publish(&bench.server, &[&good_key(), &revoked, &bench.key]);
    assert_eq!(bench.index().unwrap().signers, [bench.key.fingerprint()]);
    release.publish(&bench.server, &[&good_key(), &revoked]);
    assert_eq!(signature_error(&bench), SignatureError::RevokedKey { key: revoked.fingerprint() });
}

#[test]
fn names_the_unknown_key() {
    let bench = Bench::new();
    let other = good_key();
    release().publish(&bench.server, &[&other]);
    let error = bench.index().unwrap_err();
    let ArchiveError::Signature { source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(**source, SignatureError::UnknownKey { keys: vec![other.fingerprint()] });
    assert!(error.to_string().contains("keyring.gpg"), "{error}");
    assert!(error.hint().unwrap().contains("pin"), "{:?}", error.hint());
}

#[test]
fn tells_an_expired_key_from_others() {
    let day = 24 * 60 * 60;
    let error = refusal(Spec { lifetime: Some(100 * day), ..spec() });
    assert!(matches!(error, SignatureError::ExpiredKey { .. }), "{error}");
    assert!(error.to_string().ends_with("expired on 2025-06-29"), "{error}");
    assert!(error.hint().unwrap().contains("keyring package"));
    let subkey = refusal(with_subkey(SubkeySpec { lifetime: Some(100 * day), ..SubkeySpec::good() }));
    assert!(matches!(subkey, SignatureError::ExpiredKey { .. }), "{subkey}");
    let bench = Bench::with_key(Key::new(Spec { lifetime: Some(400 * day), ..spec() }));
    bench.publish(&release());
    assert!(bench.index().is_ok());
}

#[test]
fn refuses_keys_that_are_revoked_or_not_for_signing() {
    assert!(matches!(refusal(Spec { is_revoked: true, ..spec() }), SignatureError::RevokedKey { .. }));
    let error = refusal(with_subkey(SubkeySpec { is_revoked: true, ..SubkeySpec::good() }));
    assert!(matches!(error, SignatureError::RevokedKey { .. }), "{error}");
    for spec in [
        Spec { can_sign: false, ..spec() },
        with_subkey(SubkeySpec { can_sign: false, ..SubkeySpec::good() }),
        with_subkey(SubkeySpec { is_confirmed: false, ..SubkeySpec::good() }),
    ] {
        let error = refusal(spec.clone());
        assert!(matches!(error, SignatureError::UnusableKey { .. }), "{spec:?}: {error}");
    }
}

#[test]
fn refuses_a_changed_text() {
    let bench = Bench::new();
    bench.publish(&release());
    let text = String::from_utf8(release().signed(&[&bench.key])).unwrap();
    bench.server.put(IN_RELEASE, text.replace("Origin: Throwaway", "Origin: Elsewhere").as_bytes());
    let error = signature_error(&bench);
    assert_eq!(error, SignatureError::Bad { key: bench.key.fingerprint() });
    assert!(error.hint().unwrap().contains("another mirror"));
}

#[test]
fn refuses_text_outside_of_what_is_signed() {
    let bench = Bench::new();
    bench.publish(&release());
    let text = String::from_utf8(release().signed(&[&bench.key])).unwrap();
    for text in [format!("Suite: evil\n\n{text}"), format!("{text}\nSuite: evil\n")] {
        bench.server.put(IN_RELEASE, text.as_bytes());
        let error = bench.index().unwrap_err();
        let is_outside =
            matches!(error, ArchiveError::Cleartext { source: CleartextError::Outside { .. }, .. });
        assert!(is_outside, "{error:?}");
    }
}

#[test]
fn refuses_hashes_that_can_be_forged() {
    let bench = Bench::new();
    bench.publish(&release());
    for hash in [HashAlgorithm::Sha1, HashAlgorithm::Sha224] {
        let signed =
            clearsign(&release().text(), |text| claim(&bench.key, text, |config| config.hash_alg = hash));
        bench.server.put(IN_RELEASE, &signed);
        let error = signature_error(&bench);
        let expected = SignatureError::WeakHash { key: bench.key.fingerprint(), hash: hash.to_string() };
        assert_eq!(error, expected);
    }
}

/// Signs with SHA-512, then claims something else: `pgp` itself makes no such signatures.
fn claim(key: &Key, text: &[u8], change: impl Fn(&mut SignatureConfig)) -> Vec<Signature> {
    let good = key.sign(text, SignatureType::Text, HashAlgorithm::Sha512, seconds(days_ago(1)));
    let mut config = good.config().unwrap().clone();
    change(&mut config);
    let value = good.signed_hash_value().unwrap();
    vec![Signature::from_config(config, value, good.signature().unwrap().clone()).unwrap()]
}

fn made_at(at: u32) -> Subpacket {
    Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(at))).unwrap()
}

/// What a signature claims wrongly.
type Change<'a> = &'a dyn Fn(&mut SignatureConfig);

#[test]
fn refuses_signatures_of_the_future_and_of_other_kinds() {
    let bench = Bench::new();
    bench.publish(&release());
    let critical = Subpacket::critical(SubpacketData::Experimental(101, b"x".to_vec().into())).unwrap();
    let changes: [(&str, Change<'_>); 4] = [
        ("future", &|config| config.hashed_subpackets[0] = made_at(seconds(days_ago(-3)))),
        ("no date", &|config| drop(config.hashed_subpackets.remove(0))),
        ("not made over a text", &|config| config.typ = SignatureType::Standalone),
        ("not known here", &|config| config.hashed_subpackets.push(critical.clone())),
    ];
    for (problem, change) in changes {
        bench.server.put(IN_RELEASE, &clearsign(&release().text(), |text| claim(&bench.key, text, change)));
        let error = signature_error(&bench);
        assert!(matches!(error, SignatureError::Void { .. }), "{problem}: {error}");
        assert!(error.to_string().contains(problem), "{problem}: {error}");
    }
}

#[test]
fn refuses_what_is_not_signed() {
    let bench = Bench::new();
    bench.publish(&release());
    bench.server.put(IN_RELEASE, release().text().as_bytes());
    let error = bench.index().unwrap_err();
    assert!(matches!(error, ArchiveError::Cleartext { source: CleartextError::NotSigned, .. }), "{error:?}");
    let empty = b"-----BEGIN PGP SIGNED MESSAGE-----\n\na: b\n-----BEGIN PGP SIGNATURE-----\n\nnothing\n-----END PGP SIGNATURE-----\n";
    bench.server.put(IN_RELEASE, empty);
    assert_eq!(signature_error(&bench), SignatureError::None);
}

#[test]
fn takes_a_release_with_its_signature_beside_it() {
    let bench = Bench::new();
    let release = release();
    release.publish_files(&bench.server);
    let error = bench.index().unwrap_err();
    assert!(matches!(error, ArchiveError::NoRelease { .. }), "{error:?}");
    bench.server.put("/dists/trixie/Release", release.text().as_bytes());
    assert_eq!(signature_error(&bench), SignatureError::None);
    let sign = |key: &Key| {
        detached(key.sign(
            release.text().as_bytes(),
            SignatureType::Binary,
            HashAlgorithm::Sha256,
            seconds(days_ago(1)),
        ))
    };
    // Several blocks, as Debian has them.
    let blocks = [sign(&good_key()), sign(&bench.key)].concat();
    bench.server.put("/dists/trixie/Release.gpg", &blocks);
    let found = bench.index().unwrap();
    assert_eq!(found.signers, [bench.key.fingerprint()]);
    assert_eq!(found.release_sha256, Digest::of(release.text().as_bytes()));
    bench.server.put("/dists/trixie/Release", release.text().replace("Throwaway", "Elsewhere").as_bytes());
    assert!(matches!(signature_error(&bench), SignatureError::Bad { .. }));
    // Without the network, what was accepted last is used.
    let mut offline = bench;
    offline.settings.offline = true;
    assert_eq!(offline.index().unwrap().signers, found.signers);
}

#[test]
fn tells_what_is_wrong_with_a_keyring() {
    let bench = Bench::new();
    bench.publish(&release());
    let error = |bytes: Option<&[u8]>| {
        let path = bench.folder.path().join("other.gpg");
        if let Some(bytes) = bytes {
            std::fs::write(&path, bytes).unwrap();
        }
        let mut suite = bench.suite();
        suite.keyring = path;
        match bench.index_of(suite) {
            Err(ArchiveError::Keyring(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    assert!(error(None).hint().unwrap().contains("keyring package"));
    assert!(matches!(error(Some(b"\0\0\0 \x01\x01\0\x02KBXf\0\0")), KeyringError::Keybox { .. }));
    assert!(matches!(error(Some(b"nothing")), KeyringError::NoKey { .. }));
    assert!(matches!(error(Some(b"")), KeyringError::NoKey { .. }));
    assert!(bench.server.requests().is_empty(), "nothing is asked for without a key");
}

#[test]
fn a_key_is_known_by_when_it_was_made() {
    let bench = Bench::with_key(Key::new(Spec::good(seconds(days_ago(-10)))));
    assert!(bench.key.created() > seconds(days_ago(0)));
    bench.publish(&release());
    assert!(matches!(signature_error(&bench), SignatureError::UnusableKey { .. }));
}
