use amint_types::Severity;

use super::{FINDINGS_MAX, report};
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// No secrets where no file is any more.
pub(in crate::rules) struct FreeSpace;

static META: RuleMeta = RuleMeta {
    id: "SEC-010",
    title: "no secrets are in free space, journals, swap or gaps",
    requirements: &["A2", "A11", "MP-G5"],
    rationale: "A snapshot copies blocks, not files: what was deleted before it was taken is still there, and can be \
                read by everyone who has the image.",
    remedy: "Make the secret invalid, and build the image anew or fill its free space with zeros before the snapshot.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

impl Rule for FreeSpace {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let found = cx.secrets()?;
        let findings: Vec<_> = found.of(META.id).map(report).take(FINDINGS_MAX).collect();
        if !found.has_free_space && findings.is_empty() {
            return Ok(Verdict::NotApplicable("a tree of files has no free space".to_owned()));
        }
        Ok(findings.into())
    }
}

#[cfg(test)]
mod tests {
    use amint_secrets::{Limits, Scanner};
    use amint_types::Severity;

    use super::*;
    use crate::facts::secrets::{FoundSecret, FoundSecrets};
    use crate::rules::rules;
    use crate::testing::Fixture;

    fn check(found: &FoundSecrets) -> Verdict {
        let rule = rules().iter().find(|rule| rule.meta().id == META.id).unwrap();
        Fixture::new().with(|cx| {
            cx.know(found.clone());
            rule.check(cx).unwrap()
        })
    }

    #[test]
    fn secrets_of_free_space_are_told_with_their_place() {
        let mut secrets = Vec::new();
        let mut sink = |secret| secrets.push(FoundSecret::in_free_space("1 (root)", secret));
        let mut scanner = Scanner::free_space("1 (root)", &Limits::default());
        scanner.jump(4096, &mut sink);
        scanner.push(format!("AKIA{} ", "QRSTUV2345672ABC").as_bytes(), &mut sink);
        scanner.finish(&mut sink);
        let Verdict::Fail(findings) =
            check(&FoundSecrets { secrets, has_free_space: true, ..FoundSecrets::default() })
        else {
            panic!("must fail")
        };
        assert_eq!(findings[0].evidence.path, "/@1 (root)");
        assert!(findings[0].message.contains("at byte 4096"), "{findings:?}");
        assert!(findings[0].severity.is_some_and(|severity| severity >= Severity::High));
    }

    #[test]
    fn a_tree_has_no_free_space_and_a_clean_disk_passes() {
        assert!(matches!(check(&FoundSecrets::default()), Verdict::NotApplicable(_)));
        assert_eq!(check(&FoundSecrets { has_free_space: true, ..FoundSecrets::default() }), Verdict::Pass);
    }
}
