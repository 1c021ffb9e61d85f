//! Paths on the host and in the image.

use std::path::PathBuf;

use crate::problems::Flaw;

/// Most bytes of a path (`PATH_MAX` of Linux).
const PATH_BYTES_MAX: usize = 4096;
/// Most bytes of one part of a path (`NAME_MAX` of Linux).
const PART_BYTES_MAX: usize = 255;

/// Reads a path on the host; a relative one starts at the recipe's folder.
pub(crate) fn host(text: &str) -> Result<PathBuf, Flaw> {
    if text.trim().is_empty() {
        return Err(Flaw::new("the path is empty"));
    }
    check_length_and_characters(text)?;
    if text.starts_with('~') {
        return Err(Flaw::new(format!("`{text}` starts with `~`, which is not expanded"))
            .hint("write a path relative to the recipe's folder"));
    }
    Ok(PathBuf::from(text))
}

/// Reads an absolute path in the image, in its one spelling.
pub(crate) fn image(text: &str) -> Result<String, Flaw> {
    check_length_and_characters(text)?;
    if text == "/" {
        return Ok(text.to_owned());
    }
    let Some(rest) = text.strip_prefix('/') else {
        return Err(
            Flaw::new(format!("`{text}` is not an absolute path")).hint("paths in the image start with `/`")
        );
    };
    let parts: Vec<_> = rest.split('/').collect();
    if parts.contains(&"..") {
        return Err(Flaw::new(format!("`{text}` has `..` in it"))
            .hint("write the path without it: it must not lead out of the image"));
    }
    if parts.iter().any(|part| part.is_empty() || *part == ".") {
        let kept: Vec<_> = parts.into_iter().filter(|part| !part.is_empty() && *part != ".").collect();
        return Err(
            Flaw::new(format!("`{text}` has empty parts")).hint(format!("write `/{}`", kept.join("/")))
        );
    }
    Ok(text.to_owned())
}

fn check_length_and_characters(text: &str) -> Result<(), Flaw> {
    if text.contains(char::is_control) {
        return Err(Flaw::new("the path has control characters"));
    }
    if text.len() > PATH_BYTES_MAX || text.split('/').any(|part| part.len() > PART_BYTES_MAX) {
        return Err(Flaw::new("the path is too long"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_absolute_paths_in_their_one_spelling() {
        for text in ["/", "/etc", "/var/www/html", "/opt/a b/ü", "/etc/..x"] {
            assert_eq!(image(text).unwrap(), text);
        }
    }

    #[test]
    fn refuses_paths_that_could_lead_elsewhere() {
        let long = format!("/{}", "x".repeat(300));
        for text in ["", "etc", "/etc/../root", "/..", "//etc", "/etc/", "/etc/./x", "/a\0b", "/a\nb", &long]
        {
            assert!(image(text).is_err(), "{text:?}");
        }
        assert_eq!(image("/var//www/html/").unwrap_err().hint.unwrap(), "write `/var/www/html`");
    }

    #[test]
    fn refuses_host_paths_that_no_shell_will_expand() {
        assert!(host("~/site").is_err());
        assert!(host(" ").is_err());
        assert_eq!(host("../shared/site/").unwrap(), PathBuf::from("../shared/site/"));
    }
}
