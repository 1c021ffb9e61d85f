//! Names of users, groups, units, variables and rules.

use crate::problems::Flaw;

/// Most characters of a user's or group's name (`useradd(8)`).
const USER_CHARS_MAX: usize = 32;
/// Most characters of a unit's name (`systemd.unit(5)`).
const UNIT_CHARS_MAX: usize = 255;
/// Most characters of other names.
const NAME_CHARS_MAX: usize = 64;

/// The unit types that can be enabled, disabled or masked (`systemd.unit(5)`).
const UNIT_TYPES: [&str; 9] =
    ["service", "socket", "timer", "target", "path", "mount", "automount", "swap", "slice"];

/// Words that tell that a variable holds a secret.
const SECRET_WORDS: [&str; 10] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "CREDENTIAL",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "AUTH_KEY",
];

/// What to do with a secret instead.
pub(crate) const SECRET_HINT: &str =
    "whatever a recipe holds is kept with the image: let the instance fetch secrets when it starts";

/// Reads the name of a user or group, in the form that `adduser` takes.
pub(crate) fn user(text: &str) -> Result<String, Flaw> {
    let is_first = |character: char| character.is_ascii_lowercase() || character == '_';
    let is_rest = |character: char| is_first(character) || character.is_ascii_digit() || character == '-';
    if text.starts_with(is_first) && text.chars().all(is_rest) && text.len() <= USER_CHARS_MAX {
        return Ok(text.to_owned());
    }
    let flaw = Flaw::new(format!("`{text}` is not a name of a user or group"));
    let lower = text.to_ascii_lowercase();
    Err(if lower != text && user(&lower).is_ok() {
        flaw.hint(format!("write `{lower}`"))
    } else {
        flaw.hint(
            "at most 32 lower-case letters, digits, `_` and `-` are allowed, starting with a letter or `_`",
        )
    })
}

/// Reads the name of a systemd unit; a name without a type is a service.
pub(crate) fn unit(text: &str) -> Result<String, Flaw> {
    let flaw = || Flaw::new(format!("`{text}` is not the name of a unit"));
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || ":-_.\\@".contains(character);
    // A leading dash would be read as an option by `systemctl`.
    if text.is_empty()
        || text.len() > UNIT_CHARS_MAX
        || text.starts_with('-')
        || !text.chars().all(is_allowed)
    {
        return Err(flaw().hint("write one such as `nginx` or `fstrim.timer`"));
    }
    let full = match text.rsplit_once('.') {
        Some((_, kind)) if UNIT_TYPES.contains(&kind) => text.to_owned(),
        _ => format!("{text}.service"),
    };
    let stem = full.rsplit_once('.').map_or("", |(stem, _)| stem);
    if stem.is_empty() || stem.starts_with('@') || stem.starts_with('.') {
        return Err(flaw());
    }
    if stem.ends_with('@') {
        return Err(Flaw::new(format!("`{text}` is a template without an instance"))
            .hint("write the instance after `@`"));
    }
    Ok(full)
}

/// Checks the name of an environment variable; names that announce a secret are refused.
pub(crate) fn variable(text: &str) -> Result<(), Flaw> {
    let is_first = |character: char| character.is_ascii_alphabetic() || character == '_';
    let is_rest = |character: char| is_first(character) || character.is_ascii_digit();
    if !text.starts_with(is_first) || !text.chars().all(is_rest) || text.len() > NAME_CHARS_MAX {
        return Err(Flaw::new(format!("`{text}` is not the name of a variable"))
            .hint("at most 64 letters, digits and `_` are allowed, not starting with a digit"));
    }
    let upper = text.to_ascii_uppercase();
    // As a word of its own only: `SERVER_TOKENS` is a setting of nginx.
    let has_token = upper.split('_').any(|word| word == "TOKEN");
    if has_token || SECRET_WORDS.iter().any(|word| upper.contains(word)) {
        return Err(Flaw::new(format!("`{text}` looks like a secret, and a recipe is no place for one"))
            .hint(SECRET_HINT));
    }
    Ok(())
}

/// Tells whether a value is plainly a secret, whatever its variable is called.
pub(crate) fn is_secret_value(text: &str) -> bool {
    // Access key ids of users and of sessions (IAM user guide, "unique identifiers").
    let is_key_id = |candidate: &[u8]| {
        (candidate.starts_with(b"AKIA") || candidate.starts_with(b"ASIA"))
            && candidate.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    text.as_bytes().windows(20).any(is_key_id)
        || text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----")
}

/// Reads the id of a rule: `SSH-012`.
pub(crate) fn rule(text: &str) -> Result<String, Flaw> {
    // Advisories of Red Hat and SUSE have colons, those of GitHub lower-case letters.
    let is_lower = text.starts_with("GHSA-");
    let is_letter = |letter: char| {
        letter.is_ascii_uppercase()
            || letter.is_ascii_digit()
            || letter == ':'
            || (is_lower && letter.is_ascii_lowercase())
    };
    let is_part = |part: &str| !part.is_empty() && part.chars().all(is_letter);
    let is_rule = text.len() <= NAME_CHARS_MAX && text.contains('-') && text.split('-').all(is_part);
    if is_rule && text.starts_with(|letter: char| letter.is_ascii_uppercase()) {
        return Ok(text.to_owned());
    }
    let flaw = Flaw::new(format!("`{text}` is not the id of a rule"));
    let upper = text.to_ascii_uppercase().replace('_', "-");
    Err(if upper != text && rule(&upper).is_ok() {
        flaw.hint(format!("write `{upper}`"))
    } else {
        flaw.hint("write one such as `SSH-012`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_of_users() {
        for text in ["ec2-user", "_apt", "www-data", "a"] {
            assert_eq!(user(text).unwrap(), text);
        }
        for text in ["", "-x", "1st", "a b", "a:b", "ünal", &"x".repeat(33)] {
            assert!(user(text).is_err(), "{text:?}");
        }
        assert_eq!(user("Admin").unwrap_err().hint.unwrap(), "write `admin`");
    }

    #[test]
    fn takes_a_unit_without_type_for_a_service() {
        assert_eq!(unit("nginx").unwrap(), "nginx.service");
        assert_eq!(unit("fstrim.timer").unwrap(), "fstrim.timer");
        assert_eq!(unit("getty@tty1").unwrap(), "getty@tty1.service");
        assert_eq!(unit("org.example.app").unwrap(), "org.example.app.service");
        for text in
            ["", ".service", "a b", "a/b", "--now", "getty@", "getty@.service", "@x.service", "..", "."]
        {
            assert!(unit(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn refuses_variables_that_look_like_secrets() {
        for text in ["DB_PASSWORD", "aws_secret_access_key", "GITHUB_TOKEN", "apiKey"] {
            assert!(variable(text).unwrap_err().message.contains("looks like a secret"), "{text}");
        }
        for text in ["SERVER ", "1X", "A-B", ""] {
            assert!(variable(text).is_err(), "{text:?}");
        }
        for text in ["KEYBOARD", "DEBIAN_FRONTEND", "SERVER_TOKENS", "_x1"] {
            assert!(variable(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn knows_secrets_by_their_form() {
        assert!(is_secret_value(concat!("AKIA", "IOSFODNN7EXAMPLE")));
        assert!(is_secret_value("-----BEGIN RSA PRIVATE KEY-----\nMIIE"));
        assert!(!is_secret_value("akia is a word, and so is AKIA"));
    }

    #[test]
    fn reads_ids_of_rules() {
        for text in
            ["SSH-012", "MP-L1", "ACC-ROOT-1", "CVE-2024-6387", "GHSA-jfh8-c2jp-5v3q", "RHSA-2024:4312"]
        {
            assert_eq!(rule(text).unwrap(), text);
        }
        for text in ["", "SSH", "SSH-", "-012", "SSH 012", "1-A", "SSH-*"] {
            assert!(rule(text).is_err(), "{text:?}");
        }
        assert_eq!(rule("ssh_012").unwrap_err().hint.unwrap(), "write `SSH-012`");
    }
}
