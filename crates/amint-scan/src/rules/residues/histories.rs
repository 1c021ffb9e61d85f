use std::path::PathBuf;

use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Nobody's typing is in the image.
pub(in crate::rules) struct Histories;

static META: RuleMeta = RuleMeta {
    id: "SEC-005",
    title: "no shell or program histories are in the image",
    requirements: &["A2", "A11", "MP-G5", "SHARED-7"],
    rationale: "Histories hold what was typed while the image was made: host names, and passwords given as arguments.",
    remedy: "Remove the histories as the last step: a shell writes its own when it ends.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

const NAMES: [&str; 20] = [
    ".ash_history",
    ".bash_history",
    ".config/fish/fish_history",
    ".dbshell",
    ".history",
    ".ksh_history",
    ".lesshst",
    ".local/share/fish/fish_history",
    ".local/share/recently-used.xbel",
    ".mysql_history",
    ".node_repl_history",
    ".psql_history",
    ".python_history",
    ".rediscli_history",
    ".sh_history",
    ".sqlite_history",
    ".sudo_as_admin_successful",
    ".viminfo",
    ".wget-hsts",
    ".zsh_history",
];

impl Rule for Histories {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let found = histories(cx)?;
        Ok(found.iter().map(|path| finding("a history", path)).collect::<Vec<_>>().into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let found = histories(&cx.look())?;
            found.iter().try_for_each(|path| cx.remove(path))
        })
    }
}

fn histories(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    for home in cx.homes()? {
        for name in NAMES {
            let path = home.join(name);
            // A link to /dev/null is how people turn a history off.
            if cx.metadata(&path)?.is_some_and(|metadata| metadata.is_file()) {
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
    fn histories_of_all_homes_are_found_and_removed() {
        let fixture = Fixture::new()
            .file("/root/.bash_history", "x")
            .file("/home/joe/.local/share/fish/fish_history", "x")
            .link("/dev/null", "/home/joe/.lesshst");
        assert_eq!(
            fixture.paths("SEC-005"),
            ["/home/joe/.local/share/fish/fish_history", "/root/.bash_history"]
        );
        fixture.harden_twice();
        assert!(fixture.is_pass("SEC-005") && fixture.has("/home/joe/.lesshst"));
    }
}
