//! Packages to install (Debian policy, sections 5.6.1 and 5.6.12).

use crate::problems::Flaw;

/// Most characters of a package's name or version.
const PART_CHARS_MAX: usize = 128;

/// The form of a package to install, for JSON Schema.
pub(crate) const PATTERN: &str = "^[a-z0-9][a-z0-9+.-]+(=[0-9][A-Za-z0-9.+~:-]*)?$";

/// The form of a package without a version, for JSON Schema.
pub(crate) const NAME_PATTERN: &str = "^[a-z0-9][a-z0-9+.-]+$";
/// The form of names of packages with `*` and `?`, for JSON Schema.
pub(crate) const GLOB_PATTERN: &str = "^[a-z0-9*?][a-z0-9+.*?-]*$";
/// The form of versions with `*` and `?`, for JSON Schema.
pub(crate) const VERSION_GLOB_PATTERN: &str = "^[A-Za-z0-9.+~:*?-]+$";

/// Reads a package to install, in a given version or in the newest: `nginx-light`, `nginx-light=1.26.3-3`.
pub(crate) fn parse(text: &str) -> Result<String, Flaw> {
    let (name, version) = match text.split_once('=') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    if let Some((package, _)) = name.split_once('/') {
        return Err(Flaw::new(format!("`{text}` asks for a suite, which is not supported"))
            .hint(format!("write `{package}`, or `{package}=VERSION` for a certain version")));
    }
    if let Some((package, _)) = name.split_once(':') {
        return Err(Flaw::new(format!("`{text}` asks for an architecture, which is not supported"))
            .hint(format!("write `{package}`: packages have the image's architecture")));
    }
    if !is_name(name) {
        let flaw = Flaw::new(format!("`{name}` is not a package name"));
        let lower = name.trim().to_ascii_lowercase().replace('_', "-");
        return Err(if is_name(&lower) {
            flaw.hint(format!("did you mean `{lower}`?"))
        } else {
            flaw.hint("at least two lower-case letters, digits, `+`, `-` and `.` are allowed")
        });
    }
    match version {
        Some(version) if !is_version(version) => Err(Flaw::new(format!(
            "`{version}` is not a package version"
        ))
        .hint("a version starts with a digit and has letters, digits, `.`, `+`, `~`, `-` and `:` only")),
        _ => Ok(text.to_owned()),
    }
}

/// Reads the name of a package, without a version.
pub(crate) fn bare_name(text: &str) -> Result<String, Flaw> {
    if parse(text)? == name(text) {
        return Ok(text.to_owned());
    }
    Err(Flaw::new(format!("`{text}` has a version")).hint(format!("write `{}`", name(text))))
}

/// Reads a name of packages in which `*` and `?` stand for anything.
pub(crate) fn glob(text: &str) -> Result<String, Flaw> {
    let is_allowed = |character: char| {
        character.is_ascii_lowercase() || character.is_ascii_digit() || "+-.*?".contains(character)
    };
    if !text.is_empty()
        && text.len() <= PART_CHARS_MAX
        && text.chars().all(is_allowed)
        && !text.starts_with(['-', '+', '.'])
    {
        return Ok(text.to_owned());
    }
    Err(Flaw::new(format!("`{text}` is not a package name"))
        .hint("write one such as `nginx`, or `nginx*` for all that begin so"))
}

/// Reads a version in which `*` and `?` stand for anything.
pub(crate) fn version_glob(text: &str) -> Result<String, Flaw> {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || ".+~:-*?".contains(character);
    if !text.is_empty() && text.len() <= PART_CHARS_MAX && text.chars().all(is_allowed) {
        return Ok(text.to_owned());
    }
    Err(Flaw::new(format!("`{text}` is not a package version"))
        .hint("write one such as `1.26.3-3`, or `1.26.*` for all that begin so"))
}

/// Returns the name of a package to install, without its version.
pub(crate) fn name(package: &str) -> &str {
    package.split_once('=').map_or(package, |(name, _)| name)
}

fn is_name(text: &str) -> bool {
    let is_first = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    (2..=PART_CHARS_MAX).contains(&text.len())
        && text.starts_with(is_first)
        && text.chars().all(|character| is_first(character) || "+-.".contains(character))
        // `apt-get install name-` removes the package, `name+` installs it: neither is meant here.
        && !text.ends_with(['-', '.'])
}

fn is_version(text: &str) -> bool {
    text.len() <= PART_CHARS_MAX
        && text.starts_with(|character: char| character.is_ascii_digit())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || ".+~:-".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_with_and_without_version() {
        for text in ["g++", "nginx-light", "libstdc++6=1:12.2.0-14+deb12u1", "0ad"] {
            assert_eq!(parse(text).unwrap(), text);
        }
        assert_eq!(name("libstdc++6=1:12.2.0-14+deb12u1"), "libstdc++6");
    }

    #[test]
    fn refuses_what_apt_would_take_for_something_else() {
        for text in [
            "",
            "a",
            "nginx-",
            "nginx/stable",
            "nginx:amd64",
            "-y",
            "./x.deb",
            "a b",
            "nginx=",
            "nginx=v1",
            "*",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn reads_globs_of_names_and_versions() {
        for text in ["*", "nginx", "nginx*", "lib*-dev", "g++", "python3.?"] {
            assert_eq!(glob(text).unwrap(), text);
        }
        for text in ["", "-x", "Nginx", "a b", "/x/", "a:b", &"x".repeat(999)] {
            assert!(glob(text).is_err(), "{text:?}");
        }
        assert!(version_glob("1:1.2*").is_ok() && version_glob("1 2").is_err() && version_glob("").is_err());
    }

    #[test]
    fn reads_bare_names() {
        assert_eq!(bare_name("g++").unwrap(), "g++");
        assert_eq!(bare_name("nginx=1.2").unwrap_err().hint.unwrap(), "write `nginx`");
    }

    #[test]
    fn tells_the_right_form() {
        assert_eq!(parse("NGINX_light").unwrap_err().hint.unwrap(), "did you mean `nginx-light`?");
        assert!(parse("nginx/sid").unwrap_err().hint.unwrap().contains("`nginx`"));
    }
}
