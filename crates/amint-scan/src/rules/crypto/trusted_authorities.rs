use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use amint_disk::tree::{WalkLimits, WalkStep};
use amint_types::report::Finding;
use amint_types::{Digest, Severity};

use crate::facts::certificates::{CertificateFacts, certificates};
use crate::rule::finding;
use crate::rules::change::plain;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// Only the distribution's authorities are trusted.
pub(in crate::rules) struct TrustedAuthorities;

static META: RuleMeta = RuleMeta {
    id: "CRY-003",
    title: "the trust store holds the distribution's authorities only",
    requirements: &["A2", "B6", "MP-G7"],
    rationale: "Whoever holds the key of a trusted authority can read and change what an instance sends to anybody. An \
                authority that the builder added is trusted on every instance of everybody.",
    remedy: "Remove the certificate and run update-ca-certificates or update-ca-trust; products that need an authority \
             of their own name it in their configuration.",
    severities: Severities::public(Severity::High, Some(Severity::Info)),
};

/// Where people put authorities.
const LOCAL: [&str; 5] = [
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source/anchors",
    "/etc/pki/trust/anchors",
    "/etc/ca-certificates/trust-source/anchors",
    "/usr/share/pki/ca-trust-source/anchors",
];
/// Where packages of Debian and Alpine bring them.
const PACKAGED: &str = "/usr/share/ca-certificates";
/// All of them in one file, made from the two.
pub(super) const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

impl Rule for TrustedAuthorities {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        let mut known = BTreeSet::new();
        for folder in LOCAL {
            for path in files(cx, Path::new(folder))? {
                for certificate in read(cx, &path)? {
                    findings.push(finding(format!("`{}` is trusted", certificate.subject), &path));
                    known.insert(certificate.fingerprint);
                }
            }
        }
        let mut packaged: BTreeSet<Digest> = BTreeSet::new();
        for path in files(cx, Path::new(PACKAGED))? {
            packaged.extend(read(cx, &path)?.into_iter().map(|certificate| certificate.fingerprint));
        }
        // Where nothing is packaged, the bundle is the package's own file.
        if !packaged.is_empty() {
            for certificate in read(cx, Path::new(BUNDLE))? {
                let is_known =
                    packaged.contains(&certificate.fingerprint) || known.contains(&certificate.fingerprint);
                if !is_known {
                    let message = format!("`{}` is trusted, and no package brings it", certificate.subject);
                    findings.push(finding(message, Path::new(BUNDLE)));
                }
            }
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let path = plain(&finding.evidence.path)?;
        let is_own = path.starts_with("/usr/local/share/ca-certificates/");
        is_own.then(|| RecipeChange::Run(format!("rm -f -- {path} && update-ca-certificates --fresh")))
    }
}

/// Lists the files of a folder and those in it.
fn files(cx: &Context<'_>, folder: &Path) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    let walked = cx.tree().walk(folder, WalkLimits::default(), &mut |entry| {
        if entry.metadata.is_file() || entry.metadata.is_link() {
            found.push(entry.path.clone());
        }
        WalkStep::Continue
    });
    match walked {
        Err(error) if error.is_missing() => Ok(Vec::new()),
        other => {
            other?;
            Ok(found)
        }
    }
}

/// Reads the certificates of a file; a file that holds none has none.
pub(super) fn read(cx: &Context<'_>, path: &Path) -> Result<Vec<CertificateFacts>, CheckError> {
    if !cx.metadata_following(path)?.is_some_and(|metadata| metadata.is_file()) {
        return Ok(Vec::new());
    }
    let bytes = cx.read(path)?.unwrap_or_default();
    certificates(&bytes).map_err(|error| CheckError::Malformed {
        path: path.to_owned(),
        line: 1,
        what: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use crate::facts::certificates::tests::{AUTHORITY, GOOD};
    use crate::testing::Fixture;

    #[test]
    fn authorities_of_the_builder_are_found_wherever_they_are_put() {
        for path in ["/usr/local/share/ca-certificates/x/a.crt", "/etc/pki/ca-trust/source/anchors/a.pem"] {
            assert_eq!(Fixture::new().file(path, AUTHORITY).paths("CRY-003"), [path]);
        }
        let bundle = Fixture::new()
            .file("/usr/share/ca-certificates/mozilla/a.crt", GOOD)
            .file("/etc/ssl/certs/ca-certificates.crt", &format!("{GOOD}{AUTHORITY}"));
        assert_eq!(bundle.paths("CRY-003"), ["/etc/ssl/certs/ca-certificates.crt"]);
    }

    #[test]
    fn authorities_of_packages_and_files_without_any_pass() {
        let fixture = Fixture::new()
            .file("/usr/local/share/ca-certificates/README", "put certificates here\n")
            .file("/usr/share/ca-certificates/mozilla/a.crt", AUTHORITY)
            .file("/etc/ssl/certs/ca-certificates.crt", AUTHORITY);
        assert!(fixture.is_pass("CRY-003"));
    }
}
