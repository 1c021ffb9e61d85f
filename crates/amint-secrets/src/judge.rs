//! Whether a value of the right form is a secret: how random it is, and whether it is a placeholder.

/// Words that stand in placeholders, and by chance in no random value.
const PLACEHOLDER_WORDS: &[&str] = &[
    "example",
    "changeme",
    "change_me",
    "change-me",
    "placeholder",
    "your-",
    "your_",
    "yourtoken",
    "yourpass",
    "yoursecret",
    "yourkey",
    "insert",
    "redacted",
    "xxxxx",
    "*****",
    "dummy",
    "replace",
    "notareal",
    "not-a-real",
    "fake",
    "sample",
    "12345678",
    "abcdefgh",
    "0000000000",
    "deadbeef",
    "-----",
    "_____",
    "todo",
    "undefined",
    "secret-key",
    "mypass",
    "testtest",
    "foobar",
];

/// Values that people write where no secret is meant.
const PLACEHOLDER_VALUES: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "pass",
    "pwd",
    "secret",
    "token",
    "user",
    "username",
    "test",
    "testing",
    "tests",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "hidden",
    "empty",
    "string",
    "value",
    "key",
    "apikey",
    "api_key",
    "default",
    "pw",
    "passphrase",
    "my_password",
    "mypassword",
    "user_password",
    "db_password",
    "foo",
    "bar",
    "baz",
    "abc",
    "abc123",
    "port",
    "host",
    "unset",
    "required",
    "optional",
    "disabled",
    "enabled",
    "prompt",
    "env",
    "file",
    "login",
    "auth",
    "the_password",
    "userpass",
    "password1",
    "pass123",
    "key_1234",
    "tiger",
    "blah",
    "anonymous",
    "secretpassword",
    "secretpass",
    "guest",
    "hunter2",
    "xyzzy",
    "letmein",
    "some_password",
    "somepassword",
    "bob",
    "alice",
    "private",
    "public",
    "x-oauth-basic",
    "git",
    "proxy_password",
    "proxypassword",
    "proxypass",
    "authtoken",
    "auth_token",
    "access_token",
    "accesstoken",
    "passw0rd",
    "p4ssw0rd",
    "pwd123",
    "no",
    "yes",
    "self",
    "localhost",
];

/// Returns the Shannon entropy in bits per byte.
#[expect(clippy::cast_precision_loss, reason = "values have at most some thousand bytes")]
pub(crate) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let total = value.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum()
}

/// Tells whether nobody can mean the value: it says so itself, or a program would put another in its place.
pub(crate) fn is_placeholder(value: &[u8], is_chosen: bool) -> bool {
    let folded = value.to_ascii_lowercase();
    let holds = |word: &str| memchr::memmem::find(&folded, word.as_bytes()).is_some();
    if PLACEHOLDER_WORDS.iter().any(|word| holds(word)) || has_long_run(&folded) || is_compound_name(value) {
        return true;
    }
    if !is_chosen {
        return false;
    }
    PLACEHOLDER_VALUES.iter().any(|word| folded == word.as_bytes())
        || is_variable(&folded)
        || is_expression(&folded)
        || is_one_byte(&folded)
}

/// Tells whether a program replaces the value: `${X}`, `{{ x }}`, `%(x)s`, `<x>`, `@X@`, `$X`, `%s`.
fn is_variable(value: &[u8]) -> bool {
    let (Some(first), Some(last)) = (value.first(), value.last()) else { return true };
    let has = |part: &str| memchr::memmem::find(value, part.as_bytes()).is_some();
    let has_brackets =
        ["${", "{{", "%(", "$(", "<%", "#{", "%s", "%d", "%v", "%{", "f'{", "`"].iter().any(|part| has(part));
    has_brackets
        || *first == b'$'
        || matches!(
            (first, last),
            (b'<', b'>') | (b'{', b'}') | (b'[', b']') | (b'%' | b'@', b'%' | b'@') | (b'(', b')')
        )
}

/// Tells whether the value is a piece of a program: `self.db_password`, `args.password`.
fn is_expression(value: &[u8]) -> bool {
    let is_name = value.iter().all(|byte| byte.is_ascii_alphabetic() || b"_.[]".contains(byte));
    let names_itself = memchr::memmem::find(value, b"passw").is_some();
    is_name && (names_itself || value.iter().any(|byte| matches!(byte, b'_' | b'.')))
}

/// Tells whether the value is a long name of a program, of words with a capital each: no random value is.
fn is_compound_name(value: &[u8]) -> bool {
    let capitals = value.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    value.len() >= 20
        && value.iter().all(u8::is_ascii_alphabetic)
        && (1..=value.len() / 3).contains(&capitals)
        && !value.windows(2).any(|pair| pair.iter().all(u8::is_ascii_uppercase))
}

fn is_one_byte(value: &[u8]) -> bool {
    value.iter().all(|byte| Some(byte) == value.first())
}

/// Tells whether one byte stands six times in a row.
fn has_long_run(value: &[u8]) -> bool {
    value.windows(6).any(is_one_byte)
}

/// Tells whether programs put their samples there: only below `/usr`, since elsewhere anybody may name a folder so. The
/// documentation of another system that lies unpacked in this one is known by its whole path.
pub(crate) fn is_sample_path(path: &str, inside: &str) -> bool {
    const FOLDERS: &[&str] = &[
        "test",
        "tests",
        "testing",
        "testdata",
        "test-data",
        "testsuite",
        "t",
        "doc",
        "docs",
        "example",
        "examples",
        "sample",
        "samples",
        "fixtures",
        "spec",
        "demo",
        "demos",
        "demoCA",
        "man",
        "info",
        "gtk-doc",
        "help",
    ];
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.contains("/usr/share/doc/") && !path.starts_with("home/") {
        return true;
    }
    if !path.starts_with("usr/") || path.starts_with("usr/local/") {
        return false;
    }
    path.split('/').chain(inside.split('/')).any(|name| FOLDERS.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_tells_random_from_repeated() {
        assert!(entropy(b"aaaaaaaa") < 0.1);
        assert!((entropy(b"abcd") - 2.0).abs() < 0.001);
    }

    #[test]
    fn placeholders_are_told_from_values() {
        for value in [
            "${TOKEN}",
            "<token>",
            "changeme",
            "{{ pass }}",
            "$PASS",
            "xxxxxxxx",
            "Password",
            "%s",
            "@PW@",
            "self.db_passwd",
            "clearCacheNodeDataForSegmentPath",
        ] {
            assert!(is_placeholder(value.as_bytes(), true), "{value}");
        }
        for value in ["k7Rz!pq9", "S3nd-More-C0ffee"] {
            assert!(!is_placeholder(value.as_bytes(), true), "{value}");
        }
    }

    #[test]
    fn only_folders_of_the_distribution_hold_samples() {
        assert!(is_sample_path("/usr/share/doc/x/key.pem", ""));
        assert!(is_sample_path("/usr/lib/x.zip", "!/x/tests/key.pem"));
        assert!(is_sample_path("/var/lib/machines/x/usr/share/doc/y/README.gz", "!/README"));
        assert!(!is_sample_path("/usr/local/share/doc/key.pem", ""));
        assert!(!is_sample_path("/home/x/tests/key.pem", ""));
    }
}
