//! Masking what must not reach a report.

use std::sync::LazyLock;

use regex::Regex;

/// How much of a line is shown.
const EXCERPT_CHARS_MAX: usize = 160;

/// Compiles a pattern that is part of the program.
pub(crate) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the program's own patterns compile: every one is used by a test")
}

/// Prepares a line for a report: secrets masked, control characters escaped, cut to a readable length.
pub(crate) fn excerpt(line: &str) -> String {
    static HASH: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(\$(?:[0-9][a-z]?|y|gy|sha1|md5)\$)[^\s:,'\x22]+"));
    static AWS_ID: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{4})[A-Z0-9]{12}\b"));
    static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)([\w.-]*(?:passw(?:or)?d|passwd|secret|token|api_?key|access_?key|_auth)[\w.-]*[\x22']?\s*[:=]\s*[\x22']?)([^\s\x22',}\]]{3,})",
        )
    });
    static URL_PASSWORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"(://[^/\s:@]*:)[^/\s@]+@"));
    static LONG: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b([A-Za-z0-9+/_-]{4})[A-Za-z0-9+/_-]{32,}={0,2}"));
    let masked = HASH.replace_all(line.trim(), "${1}***");
    let masked = AWS_ID.replace_all(&masked, "${1}***");
    let masked = URL_PASSWORD.replace_all(&masked, "${1}***@");
    let masked = ASSIGNED.replace_all(&masked, |found: &regex::Captures<'_>| {
        // Settings such as `PermitEmptyPasswords yes` and `lock_passwd: false` are evidence, not secrets.
        let value = found[2].to_ascii_lowercase();
        let is_plain = ["yes", "no", "true", "false", "none"].contains(&value.as_str());
        if is_plain || value.contains("***") { found[0].to_owned() } else { format!("{}***", &found[1]) }
    });
    let masked = LONG.replace_all(&masked, "${1}***");
    let mut shown: String = masked
        .chars()
        .take(EXCERPT_CHARS_MAX)
        .flat_map(|letter| {
            let escaped = letter.is_control() && letter != '\t';
            if escaped { letter.escape_default().to_string() } else { letter.to_string() }
                .chars()
                .collect::<Vec<_>>()
        })
        .collect();
    if masked.chars().count() > EXCERPT_CHARS_MAX {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_keys_and_passwords_are_masked_and_settings_are_not() {
        assert_eq!(excerpt("root:$6$salt$abcdef:20780:0:::"), "root:$6$***:20780:0:::");
        assert_eq!(excerpt("x:$y$j9T$aaaa$bbbb:1:"), "x:$y$***:1:");
        assert_eq!(excerpt("id = AKIAQ3EGRIXXXXXXXXXX"), "id = AKIAQ3EG***");
        assert_eq!(excerpt("password: hunter2"), "password: ***");
        assert_eq!(
            excerpt("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz"),
            "aws_secret_access_key = ***"
        );
        assert_eq!(excerpt("http_proxy=http://joe:pw@proxy:3128/"), "http_proxy=http://joe:***@proxy:3128/");
        assert_eq!(excerpt("PasswordAuthentication=yes"), "PasswordAuthentication=yes");
        assert_eq!(excerpt("lock_passwd: false"), "lock_passwd: false");
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("a\x1b[31mred\r"), "a\\u{1b}[31mred");
        assert_eq!(excerpt(&"ab ".repeat(100)).chars().count(), EXCERPT_CHARS_MAX + 1);
    }
}
