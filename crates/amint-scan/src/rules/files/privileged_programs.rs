use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::census::{Census, Seen};
use crate::rule::finding;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// Programs with the rights of their owner are those of the system's packages.
pub(in crate::rules) struct PrivilegedPrograms;

static META: RuleMeta = RuleMeta {
    id: "FS-001",
    title: "setuid and setgid programs are those of the system",
    requirements: &["A2", "B6", "MP-G7", "CIS-7.1"],
    rationale: "Whoever starts such a program has the rights of its owner; one that no package brought is the usual back \
                door.",
    remedy: "Remove the program, or take the bits away with `chmod ug-s`.",
    severities: Severities::public(Severity::High, Some(Severity::High)),
};

/// Where packages put programs.
const SYSTEM_FOLDERS: [&str; 8] =
    ["/bin", "/sbin", "/lib", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec"];
/// Names that distributions ship with these bits in their base system and usual servers.
const USUAL: [&str; 49] = [
    "bbsuid",
    "chage",
    "chfn",
    "chsh",
    "crontab",
    "at",
    "dbus-daemon-launch-helper",
    "dotlockfile",
    "expiry",
    "fusermount",
    "fusermount3",
    "gpasswd",
    "grub2-set-bootflag",
    "ksu",
    "locate",
    "lockfile",
    "mail-dotlock",
    "mount",
    "mount.cifs",
    "mount.nfs",
    "newgidmap",
    "newgrp",
    "newuidmap",
    "pam-tmpdir-helper",
    "pam_timestamp_check",
    "passwd",
    "ping",
    "ping6",
    "pkexec",
    "plocate",
    "polkit-agent-helper-1",
    "postdrop",
    "postqueue",
    "procmail",
    "sg",
    "snap-confine",
    "ssh-agent",
    "ssh-keysign",
    "staprun",
    "su",
    "sudo",
    "sudoedit",
    "umount",
    "unix2_chkpwd",
    "unix_chkpwd",
    "unix_update",
    "userhelper",
    "usernetctl",
    "utempter",
];
/// Usual names too, in libraries' folders.
const USUAL_LATER: [&str; 8] =
    ["write", "write.ul", "wall", "bsd-write", "lockdev", "sudo-rs", "su-rs", "exim4"];

impl Rule for PrivilegedPrograms {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let census = Census::of(cx)?;
        let mut strange: Vec<&Seen> = census.privileged.iter().filter(|seen| !is_usual(&seen.path)).collect();
        if !strange.is_empty() {
            drop_owned(cx, &mut strange)?;
        }
        let findings = strange.into_iter().map(|seen| {
            let kind = if seen.mode & 0o4000 != 0 { "user" } else { "group" };
            let owner = if seen.mode & 0o4000 != 0 { seen.uid } else { seen.gid };
            finding(format!("runs with the rights of {kind} {owner}, and no system ships it"), &seen.path)
        });
        Ok(findings.collect::<Vec<_>>().into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let path = &finding.evidence.path;
        // A path with letters that a shell reads otherwise is left to a person.
        let is_plain = path.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-+".contains(letter));
        is_plain.then(|| RecipeChange::Run(format!("chmod ug-s {path}")))
    }
}

fn is_usual(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    SYSTEM_FOLDERS.iter().any(|folder| path.starts_with(folder))
        && (USUAL.contains(&name) || USUAL_LATER.contains(&name))
}

/// Takes out what a Debian package lists as its own.
fn drop_owned(cx: &Context<'_>, strange: &mut Vec<&Seen>) -> Result<(), CheckError> {
    const INFO: &str = "/var/lib/dpkg/info";
    for entry in cx.list(INFO)? {
        let path = Path::new(INFO).join(&entry.name);
        if path.extension().is_none_or(|extension| extension != "list") {
            continue;
        }
        let text = cx.text(&path)?.unwrap_or_default();
        strange.retain(|seen| {
            let whole = seen.path.to_string_lossy();
            // Packages may name the folder that is a link into /usr today.
            let short = whole.strip_prefix("/usr").unwrap_or(&whole);
            let is_in_system = SYSTEM_FOLDERS.iter().any(|folder| seen.path.starts_with(folder));
            !(text.lines().any(|line| line == whole)
                || is_in_system && text.lines().any(|line| line == short))
        });
        if strange.is_empty() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn a_copied_shell_is_found_and_the_systems_own_programs_are_not() {
        let fixture = Fixture::new()
            .file("/usr/bin/sudo", "")
            .mode("/usr/bin/sudo", 0o4755)
            .file("/var/tmp/.x", "")
            .mode("/var/tmp/.x", 0o4755)
            .file("/usr/local/bin/su", "")
            .mode("/usr/local/bin/su", 0o2755)
            .file("/usr/lib/xorg/Xorg.wrap", "")
            .mode("/usr/lib/xorg/Xorg.wrap", 0o4755)
            .file("/var/lib/dpkg/info/xorg.list", "/.\n/usr/lib/xorg/Xorg.wrap\n")
            .dir("/srv/team")
            .mode("/srv/team", 0o2770);
        assert_eq!(fixture.paths("FS-001"), ["/usr/local/bin/su", "/var/tmp/.x"]);
    }
}
