//! Key files: private, and refused when they are not.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use amint_provenance::{KeyError, PEM_BYTES_MAX, PemError, SigningKey};
use amint_types::Hint;
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn scene() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys/own/key.pem");
    (folder, path)
}

#[test]
fn first_use_makes_a_private_key_that_later_uses_find() {
    let (folder, path) = scene();
    assert!(SigningKey::load_if_present(&path).unwrap().is_none());
    assert!(!path.parent().unwrap().exists(), "to look makes nothing");
    let made = SigningKey::load_or_create(&path).unwrap();
    assert!(made.is_new);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&folder.path().join("keys")), 0o700);
    assert_eq!(mode(&folder.path().join("keys/own")), 0o700);
    let found = SigningKey::load_or_create(&path).unwrap();
    assert!(!found.is_new);
    for key in
        [found.key, SigningKey::load(&path).unwrap(), SigningKey::load_if_present(&path).unwrap().unwrap()]
    {
        assert_eq!(key.public_key(), made.key.public_key());
    }
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left there");
    let other = SigningKey::load_or_create(&folder.path().join("keys/other.pem")).unwrap();
    assert_ne!(other.key.public_key(), made.key.public_key());
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let (_folder, path) = scene();
    SigningKey::load_or_create(&path).unwrap();
    for bits in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666] {
        set_mode(&path, bits);
        for result in [
            SigningKey::load(&path).map(drop),
            SigningKey::load_or_create(&path).map(drop),
            SigningKey::load_if_present(&path).map(drop),
        ] {
            let error = result.unwrap_err();
            assert!(matches!(error, KeyError::Exposed { mode, .. } if mode == bits), "{bits:o}: {error}");
            assert!(error.hint().unwrap().starts_with("`chmod 600 "), "{error}");
        }
    }
    for bits in [0o400, 0o600, 0o700] {
        set_mode(&path, bits);
        SigningKey::load(&path).unwrap();
    }
}

#[test]
fn a_folder_that_others_can_change_is_refused() {
    let (_folder, path) = scene();
    let folder = path.parent().unwrap();
    fs::create_dir_all(folder).unwrap();
    for bits in [0o770, 0o707, 0o777, 0o720] {
        set_mode(folder, bits);
        let error = SigningKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, KeyError::FolderExposed { mode, .. } if mode == bits), "{error}");
        assert!(!path.exists());
    }
    for bits in [0o755, 0o1777] {
        set_mode(folder, bits);
        SigningKey::load_or_create(&path).unwrap();
        assert_eq!(mode(folder), bits, "a folder that is there is left as it is");
    }
}

#[test]
fn what_is_no_key_is_never_replaced() {
    let (_folder, path) = scene();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    for text in ["", "precious", "\u{0}"] {
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        let error = SigningKey::load_or_create(&path).unwrap_err();
        assert!(matches!(error, KeyError::Pem { source: PemError::NotPem, .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(&path, [0xff, 0xfe]).unwrap();
    let error = SigningKey::load(&path).unwrap_err();
    assert!(matches!(error, KeyError::Pem { source: PemError::NotPem, .. }), "{error}");
    fs::remove_file(&path).unwrap();
    symlink("nowhere", &path).unwrap();
    let error = SigningKey::load_or_create(&path).unwrap_err();
    assert!(error.is_not_found(), "a dangling link is not followed to make a key: {error}");
    assert!(!path.parent().unwrap().join("nowhere").exists());
}

#[test]
fn only_small_regular_files_are_read() {
    let (folder, path) = scene();
    SigningKey::load_or_create(&path).unwrap();
    let error = SigningKey::load(folder.path()).unwrap_err();
    assert!(matches!(error, KeyError::NotAFile { .. }), "{error}");
    let error = SigningKey::load(Path::new("/dev/zero")).unwrap_err();
    assert!(matches!(error, KeyError::NotAFile { .. }), "{error}");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str(&" ".repeat(PEM_BYTES_MAX - text.len()));
    fs::write(&path, &text).unwrap();
    SigningKey::load(&path).unwrap();
    fs::write(&path, text + " ").unwrap();
    let error = SigningKey::load(&path).unwrap_err();
    assert!(matches!(error, KeyError::TooLarge { .. }), "{error}");
}

#[test]
fn a_link_to_a_private_key_is_followed() {
    let (folder, path) = scene();
    let made = SigningKey::load_or_create(&path).unwrap();
    let link = folder.path().join("link.pem");
    symlink(&path, &link).unwrap();
    assert_eq!(SigningKey::load(&link).unwrap().public_key(), made.key.public_key());
}
