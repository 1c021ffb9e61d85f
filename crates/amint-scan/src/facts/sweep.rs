//! One pass over the text files of the places where people put files, for secrets by their form.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use amint_disk::tree::{TreeError, WalkLimits, WalkStep};
use regex::bytes::{Regex, RegexSet};

use crate::{CheckError, Context};

/// Where people put files. Packages own the rest of the tree.
const PLACES: [&str; 8] =
    ["/etc", "/home", "/opt", "/root", "/srv", "/usr/local", "/var/lib/cloud", "/var/www"];
/// A file with a zero byte this early is no text.
const PROBE_BYTES: usize = 8192;
/// Longer lines are looked at in pieces.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// How much of a piece is looked at again with the next one, so that nothing hides at the seam.
const OVERLAP_BYTES: usize = 512;
/// How many secrets are listed at most; an image with more is no less refused.
const HITS_MAX: usize = 1000;

/// What a secret looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The id of an AWS access key.
    AwsKeyId,
    /// An AWS secret key or session token.
    AwsSecret,
    /// A private key.
    PrivateKey,
    /// The token of another provider.
    Token,
}

/// One secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) kind: Kind,
    /// What it is, for people.
    pub(crate) what: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) line: u32,
    /// What was seen; masked before it is shown.
    pub(crate) text: String,
}

/// What the pass found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sweep {
    pub(crate) hits: Vec<Hit>,
}

impl Sweep {
    /// Reads all text files of the places.
    pub(crate) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut sweep = Self::default();
        for place in PLACES {
            let mut files = Vec::new();
            let walked = cx.tree().walk(Path::new(place), WalkLimits::default(), &mut |entry| {
                if entry.metadata.is_file() && entry.metadata.bytes > 0 {
                    files.push(entry.path.clone());
                }
                WalkStep::Continue
            });
            match walked {
                Err(error) if error.is_missing() => continue,
                other => other?,
            };
            for path in files {
                sweep.file(cx, &path)?;
            }
        }
        Ok(sweep)
    }

    /// Returns the secrets of some kinds.
    pub(crate) fn of<'sweep>(&'sweep self, kinds: &'sweep [Kind]) -> impl Iterator<Item = &'sweep Hit> {
        self.hits.iter().filter(|hit| kinds.contains(&hit.kind))
    }

    fn file(&mut self, cx: &Context<'_>, path: &Path) -> Result<(), CheckError> {
        let failed = |source| CheckError::from(TreeError::io("read", path, source));
        let mut reader = BufReader::with_capacity(64 << 10, cx.tree().open(path)?);
        cx.note_read(path);
        let probe = reader.fill_buf().map_err(failed)?;
        if probe.iter().take(PROBE_BYTES).any(|byte| *byte == 0) {
            return Ok(());
        }
        let mut line = 1;
        let mut piece = Vec::new();
        while self.hits.len() < HITS_MAX {
            let kept = piece.len();
            let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut piece).map_err(failed)?;
            if read == 0 {
                return Ok(());
            }
            self.piece(path, line, &piece, kept);
            if piece.ends_with(b"\n") {
                line += 1;
                piece.clear();
            } else {
                let seam = piece.len().saturating_sub(OVERLAP_BYTES);
                piece.drain(..seam);
            }
        }
        Ok(())
    }

    fn piece(&mut self, path: &Path, line: u32, bytes: &[u8], seen: usize) {
        for index in &PATTERNS.set.matches(bytes) {
            let pattern = &PATTERNS.all[index];
            for found in pattern.regex.captures_iter(bytes) {
                let secret = found.get(1).or_else(|| found.get(0));
                let Some(secret) = secret.filter(|secret| secret.end() > seen) else { continue };
                let text = String::from_utf8_lossy(secret.as_bytes());
                // AWS's own documentation uses keys that say so.
                let is_example = text.contains("EXAMPLE");
                let is_random = pattern.kind != Kind::AwsSecret || entropy(secret.as_bytes()) > 3.5;
                if is_random && !is_example {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    self.hits.push(Hit {
                        kind: pattern.kind,
                        what: pattern.what,
                        path: path.to_owned(),
                        line,
                        text,
                    });
                    break;
                }
            }
        }
    }
}

/// Bits of information in each byte: random text of 40 letters has more than four.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "secrets are short")]
    let total = bytes.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

struct Pattern {
    kind: Kind,
    what: &'static str,
    regex: Regex,
}

struct Patterns {
    set: RegexSet,
    all: Vec<Pattern>,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let expect = "the program's own patterns compile: every scan uses them";
    let all: Vec<Pattern> = FORMS
        .iter()
        .map(|(kind, what, form)| Pattern { kind: *kind, what, regex: Regex::new(form).expect(expect) })
        .collect();
    Patterns { set: RegexSet::new(FORMS.iter().map(|(_, _, form)| form)).expect(expect), all }
});

/// The forms of secrets. Where there is a group, it is the secret itself.
const FORMS: [(Kind, &str, &str); 24] = [
    (Kind::AwsKeyId, "AWS access key id", r"(?-u)\b((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b"),
    (
        Kind::AwsSecret,
        "AWS secret key",
        r"(?i-u)(?:aws|secret)[\w .-]{0,40}[\x22']?\s{0,4}[:=]\s{0,4}[\x22']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)",
    ),
    (Kind::AwsSecret, "AWS session token", r"(?-u)\b((?:FwoG|IQoJ)[A-Za-z0-9/+=]{100,400})"),
    (
        Kind::PrivateKey,
        "private key",
        r"(?-u)(-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----)",
    ),
    (Kind::PrivateKey, "age key", r"(?-u)\b(AGE-SECRET-KEY-1[A-Z0-9]{50,64})\b"),
    (Kind::PrivateKey, "WireGuard key", r"(?i-u)^\s*PrivateKey\s*=\s*([A-Za-z0-9+/]{43}=)"),
    (Kind::PrivateKey, "PuTTY key", r"(?-u)^(PuTTY-User-Key-File-[23]:)"),
    (Kind::Token, "GitHub token", r"(?-u)\b(gh[pousr]_[A-Za-z0-9]{36})"),
    (Kind::Token, "GitHub token", r"(?-u)\b(github_pat_[A-Za-z0-9_]{60,90})"),
    (Kind::Token, "GitLab token", r"(?-u)\b(glpat-[A-Za-z0-9_-]{20,64})"),
    (Kind::Token, "Slack token", r"(?-u)\b(xox[abeprs]-[A-Za-z0-9-]{10,200})"),
    (Kind::Token, "Stripe key", r"(?-u)\b([rs]k_live_[A-Za-z0-9]{20,120})"),
    (Kind::Token, "Google API key", r"(?-u)\b(AIza[A-Za-z0-9_-]{35})"),
    (Kind::Token, "Google token", r"(?-u)\b(ya29\.[A-Za-z0-9_-]{20,300})"),
    (Kind::Token, "npm token", r"(?-u)\b(npm_[A-Za-z0-9]{36})\b"),
    (Kind::Token, "PyPI token", r"(?-u)\b(pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,200})"),
    (Kind::Token, "SendGrid key", r"(?-u)\b(SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})\b"),
    (Kind::Token, "Hugging Face token", r"(?-u)\b(hf_[A-Za-z0-9]{34})\b"),
    (Kind::Token, "Anthropic key", r"(?-u)\b(sk-ant-[A-Za-z0-9_-]{20,200})"),
    (Kind::Token, "OpenAI key", r"(?-u)\b(sk-proj-[A-Za-z0-9_-]{40,200})"),
    (Kind::Token, "Docker token", r"(?-u)\b(dckr_pat_[A-Za-z0-9_-]{27})"),
    (Kind::Token, "Vault token", r"(?-u)\b(hv[sbr]\.[A-Za-z0-9_-]{24,200})"),
    (Kind::Token, "DigitalOcean token", r"(?-u)\b(do[opr]_v1_[a-f0-9]{64})\b"),
    (
        Kind::Token,
        "password in a URL",
        r"(?-u)\b[a-z][a-z0-9+.-]{1,20}://[^/\s:@\x22'<>$]{1,64}:([^/\s:@\x22'<>$]{3,64})@[A-Za-z0-9\[]",
    ),
];

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn hits(content: &str) -> Vec<(&'static str, u32)> {
        let fixture = Fixture::new().file("/opt/app/settings", content);
        fixture.with(|cx| cx.sweep().unwrap().hits.iter().map(|hit| (hit.what, hit.line)).collect())
    }

    /// Builds a secret at run time, so that no scanner takes this file for a leak.
    fn made(prefix: &str, length: usize) -> String {
        let letters: String = "Zx9Qv7Lm2Kp4Rt6Yw8Bn3Cd5Fg1Hj0".chars().cycle().take(length).collect();
        format!("{prefix}{letters}")
    }

    #[test]
    fn every_form_is_found_and_example_keys_are_not() {
        let upper = "QRSTUV2345672ABC";
        for (content, what) in [
            (format!("id=AKIA{upper}"), "AWS access key id"),
            (format!("aws_secret_access_key = {}\n", made("", 40)), "AWS secret key"),
            (made("token IQoJ", 120), "AWS session token"),
            (format!("-----BEGIN OPENSSH {}-----", "PRIVATE KEY"), "private key"),
            (format!("AGE-SECRET-KEY-1{}", "Q".repeat(58)), "age key"),
            (format!("PrivateKey = {}=", made("", 43)), "WireGuard key"),
            ("PuTTY-User-Key-File-3: ssh-ed25519".to_owned(), "PuTTY key"),
            (made("ghp_", 36), "GitHub token"),
            (made("github_pat_", 82), "GitHub token"),
            (made("glpat-", 20), "GitLab token"),
            (made("xoxb-", 24), "Slack token"),
            (made("sk_live_", 24), "Stripe key"),
            (made("AIza", 35), "Google API key"),
            (made("ya29.", 60), "Google token"),
            (made("npm_", 36), "npm token"),
            (made("pypi-AgEIcHlwaS5vcmc", 60), "PyPI token"),
            (format!("{}.{}", made("SG.", 22), made("", 43)), "SendGrid key"),
            (made("hf_", 34), "Hugging Face token"),
            (made("sk-ant-", 40), "Anthropic key"),
            (made("sk-proj-", 48), "OpenAI key"),
            (made("dckr_pat_", 27), "Docker token"),
            (made("hvs.", 30), "Vault token"),
            (format!("dop_v1_{}", "0123456789abcdef".repeat(4)), "DigitalOcean token"),
            ("url = postgres://joe:hunter2@db.example/x".to_owned(), "password in a URL"),
        ] {
            assert_eq!(hits(&format!("# one\n{content}\n")), [(what, 2)], "{content}");
        }
        assert_eq!(hits("AKIAIOSFODNN7EXAMPLE\naws_secret = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"), []);
        assert_eq!(hits(&format!("secret_digest = {}\n", "a".repeat(40))), []);
    }

    #[test]
    fn a_secret_across_the_seam_of_a_long_line_is_found_once() {
        let secret = format!(" AKIA{} ", "QRSTUV2345672ABC");
        for before in (65_500..65_560).step_by(7) {
            let line = format!("{}{secret}{}", "x".repeat(before), "y".repeat(1000));
            assert_eq!(hits(&line), [("AWS access key id", 1)], "{before}");
        }
    }

    #[test]
    fn binaries_are_not_read_as_text() {
        assert_eq!(hits(&format!("\0ELF AKIA{}", "QRSTUV2345672ABC")), []);
    }
}
