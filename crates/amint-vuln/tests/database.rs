//! The file: the same bytes each time, signed, and never silent about damage.

mod common;

use amint_provenance::SigningKey;
use amint_vuln::{Builder, Database, DatabaseError, Ecosystem, Family, ImporterKind, Input, Trust};
use common::{FIXTURES, add_fixtures, bytes, date};
use proptest::prelude::*;

/// Keys made for this test only.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIFN6wYO/T4SqVJnCcrY8j3KMjWINYTUsbhgh8j9kne0p
-----END PRIVATE KEY-----
";
const OTHER_KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIO9FzYb5wCTO798R0Pud4LQUpYdctWd6iNVe/TtXFisQ
-----END PRIVATE KEY-----
";

fn built() -> Vec<u8> {
    let mut builder = Builder::new();
    add_fixtures(&mut builder, FIXTURES.iter());
    bytes(builder)
}

#[test]
fn gives_the_same_bytes_in_whatever_order_sources_come() {
    let mut builder = Builder::new();
    add_fixtures(&mut builder, FIXTURES.iter().rev());
    assert_eq!(built(), bytes(builder));
}

#[test]
fn opens_what_a_trusted_key_signed_and_nothing_else() {
    let keys = [KEY, OTHER_KEY].map(|pem| SigningKey::from_pem(pem).unwrap());
    let mut builder = Builder::new();
    add_fixtures(&mut builder, FIXTURES[..2].iter());
    let mut signed = Vec::new();
    builder.write(&mut signed, Some(&keys[0])).unwrap();
    let publics = keys.each_ref().map(|key| key.public_key().clone());
    let open = |bytes: &[u8], trusted| Database::from_source(Box::new(bytes.to_vec()), Trust::Keys(trusted));
    let database = open(&signed, &publics[..1]).unwrap();
    assert_eq!(database.signers(), [publics[0].id().to_string()]);
    assert_eq!(database.sources()[0].date, date("2025-02-12"));
    assert!(matches!(open(&signed, &publics[1..]), Err(DatabaseError::Untrusted(_))));
    assert!(matches!(open(&built(), &publics), Err(DatabaseError::Unsigned)));
    // The signature of one database on another.
    let mut builder = Builder::new();
    add_fixtures(&mut builder, FIXTURES[..1].iter());
    let mut other = Vec::new();
    builder.write(&mut other, Some(&keys[0])).unwrap();
    let seal = |bytes: &[u8]| usize::try_from(u32::from_le_bytes(bytes[20..24].try_into().unwrap())).unwrap();
    let mut mixed = other[..other.len() - seal(&other)].to_vec();
    mixed[20..24].copy_from_slice(&signed[20..24]);
    mixed.extend(&signed[signed.len() - seal(&signed)..]);
    assert!(matches!(open(&mixed, &publics), Err(DatabaseError::Damaged(_))));
}

#[test]
fn never_calls_damage_clean() {
    let whole = built();
    let debian = Ecosystem::new(Family::Debian, "12");
    let right = Database::from_source(Box::new(whole.clone()), Trust::Anyone).unwrap();
    let wanted = right.records(&debian, "openssh").unwrap();
    assert!(wanted.len() > 10);
    for place in (0..whole.len()).step_by(397) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        let Ok(database) = Database::from_source(Box::new(damaged), Trust::Anyone) else { continue };
        assert!(database.verify().is_err(), "byte {place}");
        if let Ok(found) = database.records(&debian, "openssh") {
            assert_eq!(found, wanted, "byte {place}");
        }
    }
    for length in (0..whole.len()).step_by(991) {
        assert!(
            Database::from_source(Box::new(whole[..length].to_vec()), Trust::Anyone).is_err(),
            "{length}"
        );
    }
}

#[test]
fn refuses_other_files_and_later_formats() {
    let open = |bytes: Vec<u8>| Database::from_source(Box::new(bytes), Trust::Anyone).err().unwrap();
    assert!(matches!(open(Vec::new()), DatabaseError::NotADatabase));
    assert!(matches!(open(vec![0; 100]), DatabaseError::NotADatabase));
    let mut later = built();
    later[8] = 2;
    assert!(matches!(open(later), DatabaseError::Version { found: 2, known: 1 }));
}

#[test]
fn writes_nothing_after_a_source_failed() {
    let mut builder = Builder::new();
    let result = builder.add("kev", date("2026-01-01"), &ImporterKind::Kev, Input::bytes(b"{\"vulnerab"));
    assert!(result.is_err());
    let mut out = Vec::new();
    assert!(builder.write(&mut out, None).is_err());
    assert!(out.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn stands_any_bytes(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5), cut in any::<prop::sample::Index>()) {
        let mut builder = Builder::new();
        add_fixtures(&mut builder, FIXTURES[2..3].iter());
        let mut bytes = bytes(builder);
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let mut cut_bytes = bytes.clone();
        cut_bytes.truncate(cut.index(bytes.len()));
        for bytes in [bytes, cut_bytes] {
            if let Ok(database) = Database::from_source(Box::new(bytes), Trust::Anyone) {
                let _ = database.verify();
                let _ = database.suites(&Ecosystem::new(Family::Debian, "12"));
            }
        }
    }
}
