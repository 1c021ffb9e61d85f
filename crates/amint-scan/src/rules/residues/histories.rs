use std::path::PathBuf;

use amint_types::Severity;

use super::weighed;
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
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

/// How bad a history without a secret is.
const HARMLESS: Severities = Severities::public(Severity::High, Some(Severity::Medium));

const NAMES: [&str; 51] = [
    ".Rhistory",
    ".ash_history",
    ".bash_history",
    ".config/fish/fish_history",
    ".config/nushell/history.txt",
    ".config/zsh/.zsh_history",
    ".cqlsh_history",
    ".dbshell",
    ".duckdb_history",
    ".ftp_history",
    ".gdb_history",
    ".histfile",
    ".history",
    ".influx_history",
    ".irb_history",
    ".ksh_history",
    ".lesshst",
    ".lftp/rl_history",
    ".local/share/fish/fish_history",
    ".local/share/nano/search_history",
    ".local/share/nvim/shada/main.shada",
    ".local/share/recently-used.xbel",
    ".local/share/xonsh/history.json",
    ".local/share/zsh/history",
    ".local/state/bash/history",
    ".local/state/lesshst",
    ".local/state/nvim/shada/main.shada",
    ".local/state/python_history",
    ".lua_history",
    ".mariadb_history",
    ".mongo/mongosh/mongosh_history",
    ".mongosh/mongosh_history",
    ".mysql_history",
    ".nano/search_history",
    ".node_repl_history",
    ".php_history",
    ".pry_history",
    ".psql_history",
    ".python_history",
    ".rediscli_history",
    ".scala_history",
    ".sh_history",
    ".sqlite_history",
    ".sudo_as_admin_successful",
    ".tclsh-history",
    ".tcsh_history",
    ".viminfo",
    ".w3m/history",
    ".wget-hsts",
    ".zhistory",
    ".zsh_history",
];

impl Rule for Histories {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let found = histories(cx)?;
        let findings = found.iter().map(|path| finding("a history", path)).collect();
        Ok(weighed(cx, findings, HARMLESS)?.into())
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
            // A link to /dev/null and an empty file are how people turn a history off.
            if cx.metadata(&path)?.is_some_and(|metadata| metadata.is_file() && metadata.bytes > 0) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn histories_of_all_homes_are_found_and_removed() {
        let fixture = Fixture::new()
            .file("/root/.bash_history", "x")
            .file("/home/joe/.local/share/fish/fish_history", "x")
            .link("/dev/null", "/home/joe/.lesshst")
            .file("/home/joe/.bashrc", "HISTSIZE=0\n");
        assert_eq!(
            fixture.paths("SEC-005"),
            ["/home/joe/.local/share/fish/fish_history", "/root/.bash_history"]
        );
        fixture.harden_twice();
        assert!(fixture.is_pass("SEC-005") && fixture.has("/home/joe/.lesshst"));
    }

    #[test]
    fn a_history_with_a_secret_weighs_more() {
        let token = format!("glpat-{}", "Zx9Qv7Lm2Kp4Rt6Yw8Bn");
        let fixture = Fixture::new()
            .file("/root/.bash_history", &format!("git clone https://x:{token}@git.corp.internal/a\n"))
            .file("/home/joe/.bash_history", "ls\n");
        let Verdict::Fail(findings) = fixture.check("SEC-005") else { panic!("must fail") };
        let severities: Vec<Option<Severity>> = findings.iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Some(Severity::High), None]);
        assert!(!format!("{findings:?}").contains(&token));
    }
}
