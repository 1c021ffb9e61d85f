use std::path::{Path, PathBuf};

use amint_disk::tree::Metadata;
use amint_types::Severity;

use crate::rule::finding_at;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// PAM takes no empty passwords.
pub(in crate::rules) struct PamEmpty;

static META: RuleMeta = RuleMeta {
    id: "ACC-016",
    title: "PAM takes no empty passwords",
    requirements: &["B6", "MP-G4", "CIS-5.3"],
    rationale: "With `nullok`, an account whose password field is ever emptied is open to whoever types its name.",
    remedy: "Remove `nullok` and `nullok_secure` from the lines of pam_unix.",
    severities: Severities::hardened(Severity::Medium),
};

const FOLDER: &str = "/etc/pam.d";
const WORDS: [&str; 2] = ["nullok", "nullok_secure"];

impl Rule for PamEmpty {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for path in files(cx)? {
            for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
                if has_word(line) {
                    findings.push(finding_at("empty passwords are taken", &path, number, line));
                }
            }
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let look = cx.look();
            for path in files(&look)? {
                let text = look.text(&path)?.unwrap_or_default();
                let mended: String = text.split_inclusive('\n').map(without_words).collect();
                // What authselect made is a link to its own copy: that one is written through.
                let target = look.metadata(&path)?.filter(Metadata::is_file);
                if mended != text && target.is_some() {
                    cx.replace(&path, mended.as_bytes())?;
                }
            }
            Ok(())
        })
    }
}

fn files(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    for entry in cx.list(FOLDER)? {
        let path = Path::new(FOLDER).join(&entry.name);
        let is_backup = entry.name.to_string_lossy().contains(".dpkg-");
        if !is_backup && cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file()) {
            found.push(path);
        }
    }
    Ok(found)
}

fn has_word(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default();
    line.contains("pam_unix") && line.split_whitespace().any(|word| WORDS.contains(&word))
}

/// Takes the words out, and leaves everything else as it stands.
fn without_words(line: &str) -> String {
    if !has_word(line) {
        return line.to_owned();
    }
    let mut kept = String::with_capacity(line.len());
    for piece in line.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        if !WORDS.contains(&word) {
            kept.push_str(piece);
        } else if piece.ends_with('\n') {
            kept = format!("{}\n", kept.trim_end());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn the_word_is_taken_out_and_the_rest_stays() {
        let fixture = Fixture::new()
            .file(
                "/etc/pam.d/common-auth",
                "# nullok\nauth\t[success=1 default=ignore]\tpam_unix.so nullok\n",
            )
            .file("/etc/pam.d/common-password", "password [success=1] pam_unix.so obscure nullok yescrypt\n")
            .file("/etc/pam.d/x", "auth required pam_x.so nullok\n");
        assert_eq!(fixture.paths("ACC-016"), ["/etc/pam.d/common-auth", "/etc/pam.d/common-password"]);
        fixture.harden_twice();
        assert!(fixture.is_pass("ACC-016"));
        assert_eq!(
            fixture.read("/etc/pam.d/common-auth"),
            "# nullok\nauth\t[success=1 default=ignore]\tpam_unix.so\n"
        );
        assert_eq!(
            fixture.read("/etc/pam.d/common-password"),
            "password [success=1] pam_unix.so obscure yescrypt\n"
        );
    }
}
