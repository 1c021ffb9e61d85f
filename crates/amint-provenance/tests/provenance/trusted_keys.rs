//! Trusted keys: a file or a folder.

use std::fs;

use amint_provenance::{KeyError, PemError, SigningKey, TRUSTED_KEYS_MAX, read_trusted_keys};
use amint_types::Hint;

use super::support::key;

#[test]
fn a_folder_of_pem_files_is_read_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let error = read_trusted_keys(folder.path()).unwrap_err();
    assert!(matches!(error, KeyError::NoKeys { .. }), "{error}");
    let [first, second] = [0, 1].map(|number| key(number).public_key().clone());
    fs::write(folder.path().join("b.pem"), second.to_pem()).unwrap();
    fs::write(folder.path().join("a.pem"), first.to_pem()).unwrap();
    fs::write(folder.path().join("c.pem"), first.to_pem()).unwrap();
    fs::write(folder.path().join("README"), "not looked at").unwrap();
    assert_eq!(read_trusted_keys(folder.path()).unwrap(), [first, second]);
}

#[test]
fn a_file_may_hold_several_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let [first, second] = [0, 1].map(|number| key(number).public_key().clone());
    fs::write(&path, format!("# alice\n{}\n# bob\n{}", first.to_pem(), second.to_pem())).unwrap();
    assert_eq!(read_trusted_keys(&path).unwrap(), [first, second]);
}

#[test]
fn what_is_no_public_key_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.pem"), key(0).public_key().to_pem()).unwrap();
    let path = folder.path().join("b.pem");
    SigningKey::load_or_create(&path).unwrap();
    let error = read_trusted_keys(folder.path()).unwrap_err();
    assert!(matches!(&error, KeyError::Pem { path: found, .. } if *found == path), "{error}");
    assert!(error.hint().unwrap().starts_with("no private key belongs among the trusted"));
    fs::write(&path, "hello").unwrap();
    let error = read_trusted_keys(folder.path()).unwrap_err();
    assert!(matches!(error, KeyError::Pem { source: PemError::NotPem, .. }), "{error}");
    let error = read_trusted_keys(&folder.path().join("gone")).unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[test]
fn too_many_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..TRUSTED_KEYS_MAX {
        fs::write(folder.path().join(format!("{number}.pem")), key(0).public_key().to_pem()).unwrap();
    }
    assert_eq!(read_trusted_keys(folder.path()).unwrap().len(), 1);
    fs::write(folder.path().join("last.pem"), "").unwrap();
    let error = read_trusted_keys(folder.path()).unwrap_err();
    assert!(matches!(error, KeyError::TooManyKeys { .. }), "{error}");
}
