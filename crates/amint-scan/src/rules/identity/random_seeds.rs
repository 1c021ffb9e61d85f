use std::path::Path;

use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// No instance starts from another's randomness.
pub(in crate::rules) struct RandomSeeds;

static META: RuleMeta = RuleMeta {
    id: "SEC-013",
    title: "no random seeds or host secrets are in the image",
    requirements: &["A2", "A11", "MP-G5"],
    rationale: "A stored seed or the secret that encrypts service credentials is the same on every instance and known \
                to everyone who has the image.",
    remedy: "Remove the seeds and /var/lib/systemd/credential.secret: each instance makes its own.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

const PATHS: [&str; 8] = [
    "/boot/efi/loader/random-seed",
    "/boot/loader/random-seed",
    "/efi/loader/random-seed",
    "/root/.rnd",
    "/var/lib/random-seed",
    "/var/lib/systemd/credential.secret",
    "/var/lib/systemd/random-seed",
    "/var/lib/urandom/random-seed",
];

impl Rule for RandomSeeds {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for path in PATHS {
            if cx.metadata(path)?.is_some_and(|metadata| !metadata.is_dir()) {
                findings.push(finding("a stored seed or secret", Path::new(path)));
            }
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| PATHS.iter().try_for_each(|path| cx.remove(path)))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn seeds_are_found_and_removed() {
        let fixture = Fixture::new()
            .file("/var/lib/systemd/random-seed", "x")
            .file("/var/lib/systemd/credential.secret", "x");
        assert_eq!(fixture.findings("SEC-013").len(), 2);
        fixture.harden_twice();
        assert!(fixture.is_pass("SEC-013"));
    }
}
