use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::census::Census;
use crate::facts::packages::installed;
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
    severities: Severities::public(Severity::Critical, Some(Severity::Critical)),
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
        let installed = installed(cx)?;
        let findings = census.privileged.iter().filter_map(|seen| {
            let kind = if seen.mode & 0o4000 != 0 { "user" } else { "group" };
            let owner = if seen.mode & 0o4000 != 0 { seen.uid } else { seen.gid };
            let rights = format!("runs with the rights of {kind} {owner}");
            if !installed.has_files() {
                // Without lists of files the name and the place must do.
                if is_usual(&seen.path) {
                    return None;
                }
                let mut found = finding(format!("{rights}, and no system ships it"), &seen.path);
                found.severity = Some(Severity::High);
                return Some(found);
            }
            if installed.owner(&seen.path.to_string_lossy()).is_some() {
                return None;
            }
            Some(finding(format!("{rights}, and no package brought it"), &seen.path))
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

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn without_lists_of_packages_names_and_places_tell() {
        let fixture = Fixture::new()
            .file("/usr/bin/sudo", "")
            .mode("/usr/bin/sudo", 0o4755)
            .file("/var/tmp/.x", "")
            .mode("/var/tmp/.x", 0o4755)
            .file("/usr/local/bin/su", "")
            .mode("/usr/local/bin/su", 0o2755)
            .dir("/srv/team")
            .mode("/srv/team", 0o2770);
        assert_eq!(fixture.paths("FS-001"), ["/usr/local/bin/su", "/var/tmp/.x"]);
    }

    #[test]
    fn what_no_package_brought_is_found_under_any_name() {
        let status = "Package: xorg\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n";
        let fixture = Fixture::new()
            .file("/var/lib/dpkg/status", status)
            .file("/var/lib/dpkg/info/xorg.list", "/.\n/usr/lib/xorg/Xorg.wrap\n/bin/su\n")
            .file("/usr/lib/xorg/Xorg.wrap", "")
            .mode("/usr/lib/xorg/Xorg.wrap", 0o4755)
            .file("/usr/bin/su", "")
            .mode("/usr/bin/su", 0o4755)
            .file("/usr/bin/sudo", "")
            .mode("/usr/bin/sudo", 0o4755);
        assert_eq!(fixture.paths("FS-001"), ["/usr/bin/sudo"]);
    }
}
