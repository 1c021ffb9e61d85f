use std::path::PathBuf;

use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// The image does not tell whom its builder knows.
pub(in crate::rules) struct KnownHosts;

static META: RuleMeta = RuleMeta {
    id: "SSH-020",
    title: "no lists of known ssh hosts are in the image",
    requirements: &["A11", "MP-G5", "SHARED-7"],
    rationale: "`known_hosts` names the machines that the image was used to reach, also when the names are hashed: \
                short names are guessed quickly.",
    remedy: "Remove `known_hosts` from every home.",
    severities: Severities::public(Severity::Low, None),
};

impl Rule for KnownHosts {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let lists = lists(cx)?;
        Ok(lists.iter().map(|path| finding("a list of known hosts", path)).collect::<Vec<_>>().into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let lists = lists(&cx.look())?;
            lists.iter().try_for_each(|path| cx.remove(path))
        })
    }
}

fn lists(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    for home in cx.homes()? {
        for name in ["known_hosts", "known_hosts.old", "known_hosts2"] {
            let path = home.join(".ssh").join(name);
            if cx.metadata(&path)?.is_some_and(|metadata| metadata.bytes > 0 && !metadata.is_dir()) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn lists_are_found_and_removed() {
        let fixture =
            Fixture::new().file("/root/.ssh/known_hosts", "|1|x\n").file("/home/joe/.ssh/known_hosts", "");
        assert_eq!(fixture.paths("SSH-020"), ["/root/.ssh/known_hosts"]);
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-020"));
    }
}
