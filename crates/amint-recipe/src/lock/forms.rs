//! The forms of single values of a lock file.

use amint_types::Digest;

use crate::problems::Flaw;
use crate::text::archive::{repository_name, shown};

/// Most characters of a version.
const VERSION_CHARS_MAX: usize = 256;
/// Most characters of a path in an archive.
const PATH_CHARS_MAX: usize = 4096;

pub(super) fn digest(text: &str) -> Result<Digest, Flaw> {
    text.parse().map_err(|_| {
        Flaw::new(format!("`{}` is not a SHA-256 digest", shown(text)))
            .hint("it has 64 hexadecimal digits: `amint lock` writes the file anew")
    })
}

/// Reads a package's version (`deb-version(7)`); archives hold some that do not start with a digit.
pub(super) fn version(text: &str) -> Result<String, Flaw> {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || ".+~:-".contains(character);
    let is_good = !text.is_empty() && text.len() <= VERSION_CHARS_MAX && text.chars().all(is_allowed);
    let flaw = || Flaw::new(format!("`{}` is not a package version", shown(text)));
    if is_good { Ok(text.to_owned()) } else { Err(flaw()) }
}

pub(super) fn architecture(text: &str) -> Result<String, Flaw> {
    // `repository_name` has the same form: lower-case letters, digits and dashes.
    repository_name(text).map_err(|_| {
        Flaw::new(format!("`{}` is not an architecture", shown(text))).hint("such as `amd64` or `all`")
    })
}

/// Reads a path below an archive's address: it must not lead out of it.
pub(super) fn file_in_archive(text: &str) -> Result<String, Flaw> {
    let is_good = text.len() <= PATH_CHARS_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !br#"\?#"<>"#.contains(&byte))
        && text.split('/').all(|part| !part.is_empty() && part != "..");
    let flaw = || {
        Flaw::new(format!("`{}` is not a path in an archive", shown(text)))
            .hint("such as `pool/main/h/hello/hello_2.10-5_amd64.deb`")
    };
    if is_good { Ok(text.to_owned()) } else { Err(flaw()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_paths_within_the_archive() {
        for text in ["pool/main/h/hello/hello_2.10-5_amd64.deb", "./a_1%3a2~b+c.deb", "a"] {
            assert_eq!(file_in_archive(text).unwrap(), text);
        }
        for text in ["", "/a", "a//b", "../a", "a/..", "a/../b", "a b", "a?b", "a#b", "a\\b", "é"] {
            assert!(file_in_archive(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn reads_versions_that_do_not_start_with_a_digit() {
        for text in ["1:2.41-12+deb13u1~b1", "v7.1"] {
            assert_eq!(version(text).unwrap(), text);
        }
        for text in ["", "1 2", "1_2", &"1".repeat(999)] {
            assert!(version(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn reads_digests_and_architectures() {
        assert_eq!(digest(&"0f".repeat(32)).unwrap(), Digest::from_bytes([15; 32]));
        assert!(digest("0f").is_err());
        assert!(architecture("amd64").is_ok() && architecture("AMD64").is_err());
    }
}
