use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use super::cloud_passwords;
use crate::facts::units;
use crate::rule::finding_at;
use crate::rules::change::without_drop_in;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// Nobody is logged in without proof.
pub(in crate::rules) struct Autologin;

static META: RuleMeta = RuleMeta {
    id: "ACC-012",
    title: "no console and no boot configuration lets anybody in",
    requirements: &["A2", "B6", "MP-G4", "MP-G5", "MP-L1"],
    rationale: "A console that logs somebody in gives the machine to whoever reaches it, EC2's serial console included. What the \
                image tells cloud-init happens on every instance: a password there is the same for all, and \
                `ssh_pwauth` opens ssh to passwords after the image was judged.",
    remedy: "Remove autologin from gettys and display managers, and passwords, `chpasswd` lists, `lock_passwd: false`, \
             `ssh_pwauth: true` and `disable_root: false` from /etc/cloud.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

/// Configuration files of display managers and what turns autologin on in them.
const DISPLAY_MANAGERS: [(&str, &str); 5] = [
    ("/etc/gdm3/daemon.conf", "automaticloginenable=true"),
    ("/etc/gdm3/custom.conf", "automaticloginenable=true"),
    ("/etc/gdm/custom.conf", "automaticloginenable=true"),
    ("/etc/lightdm/lightdm.conf", "autologin-user="),
    ("/etc/sddm.conf", "user="),
];

impl Rule for Autologin {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for name in units::names(cx)? {
            let is_getty = name.contains("getty") || name.starts_with("console");
            let Some(unit) = (if is_getty { units::load(cx, &name)? } else { None }) else { continue };
            for entry in units::values(&unit, "Service", "ExecStart") {
                if is_autologin(&entry.value) {
                    let message = format!("{name} logs somebody in by itself");
                    findings.push(finding_at(message, &entry.path, entry.line, &entry.value));
                }
            }
        }
        instances(cx, &mut findings)?;
        for (path, marker) in DISPLAY_MANAGERS {
            for (line, text) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
                let squeezed = text.to_ascii_lowercase().replace(' ', "");
                let is_empty_user = squeezed == marker;
                if squeezed.contains(marker)
                    && !squeezed.starts_with(['#', ';'])
                    && !(is_empty_user && marker.ends_with('='))
                {
                    findings.push(finding_at("somebody is logged in by itself", Path::new(path), line, text));
                }
            }
        }
        // The shell of a line of init's table comes without a question.
        let table = Path::new("/etc/inittab");
        for (line, text) in (1_u32..).zip(cx.text(table)?.unwrap_or_default().lines()) {
            let command = text.split(':').nth(3).unwrap_or_default();
            let is_waiting =
                text.split(':').nth(2).is_some_and(|action| matches!(action, "respawn" | "askfirst"));
            if !text.starts_with('#') && is_waiting && (is_autologin(command) || is_shell(command)) {
                findings.push(finding_at("a console gives a shell by itself", table, line, text));
            }
        }
        findings.extend(cloud_passwords::findings(cx)?);
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        without_drop_in(finding)
    }
}

/// Looks at the drop-ins of single consoles: there is no file of the unit's own name, only the template.
fn instances(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for folder in ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"] {
        for entry in cx.list(folder)? {
            let name = entry.name.to_string_lossy().into_owned();
            if !name.contains("getty@") || name.contains("@.") || !name.ends_with(".service.d") {
                continue;
            }
            let folder = Path::new(folder).join(&name);
            let mut started: Vec<Finding> = Vec::new();
            for file in cx.list(&folder)? {
                let path = folder.join(&file.name);
                let text = cx.text(&path)?.unwrap_or_default();
                let lines =
                    (1_u32..).zip(text.lines()).filter(|_| path.extension().is_some_and(|end| end == "conf"));
                for (number, line) in lines {
                    let Some(command) = line.trim().strip_prefix("ExecStart=").map(str::trim) else {
                        continue;
                    };
                    if command.is_empty() {
                        started.clear();
                    } else if is_autologin(command) {
                        let message = format!("{} logs somebody in by itself", name.trim_end_matches(".d"));
                        started.push(finding_at(message, &path, number, line));
                    }
                }
            }
            findings.extend(started);
        }
    }
    Ok(())
}

/// Tells whether a getty logs somebody in, or calls a shell where login should be.
fn is_autologin(command: &str) -> bool {
    let words: Vec<&str> = command.split_whitespace().collect();
    let value_of = |short: &str, long: &str| {
        let at = words.iter().position(|word| *word == short || *word == long);
        let behind = at.and_then(|at| words.get(at + 1)).copied();
        behind.or_else(|| words.iter().find_map(|word| word.strip_prefix(long)?.strip_prefix('=')))
    };
    let is_getty = words.first().is_some_and(|word| word.contains("getty"));
    let program = value_of("-l", "--login-program");
    value_of("-a", "--autologin").is_some() || (is_getty && program.is_some_and(is_shell))
}

fn is_shell(command: &str) -> bool {
    let program = command.trim_start_matches('-').split_whitespace().next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    matches!(name, "ash" | "bash" | "busybox" | "dash" | "sh" | "zsh") && !command.contains("login")
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn a_getty_drop_in_that_logs_in_is_found() {
        let fixture = Fixture::new().file(
            "/usr/lib/systemd/system/serial-getty@.service",
            "[Service]\nExecStart=-/sbin/agetty -o '-- \\\\u' --keep-baud %I\n",
        );
        assert!(fixture.is_pass("ACC-012"));
        let fixture = fixture.file(
            "/etc/systemd/system/serial-getty@.service.d/autologin.conf",
            "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root %I $TERM\n",
        );
        assert_eq!(fixture.paths("ACC-012"), ["/etc/systemd/system/serial-getty@.service.d/autologin.conf"]);
    }

    #[test]
    fn a_drop_in_of_one_console_is_found() {
        let drop_in = |text: &str| {
            Fixture::new()
                .file("/usr/lib/systemd/system/getty@.service", "[Service]\nExecStart=-/sbin/agetty %I\n")
                .file("/etc/systemd/system/getty@tty1.service.d/a.conf", text)
        };
        let login = "[Service]\nExecStart=\nExecStart=-/sbin/agetty -a root --noclear %I\n";
        assert_eq!(drop_in(login).findings("ACC-012").len(), 1);
        let taken_back = "[Service]\nExecStart=\nExecStart=-/sbin/agetty %I\n";
        assert!(
            drop_in(login)
                .file("/etc/systemd/system/getty@tty1.service.d/b.conf", taken_back)
                .is_pass("ACC-012")
        );
        assert!(drop_in("[Service]\n#ExecStart=-/sbin/agetty --autologin root\n").is_pass("ACC-012"));
    }

    #[test]
    fn a_table_of_init_that_gives_a_shell_is_found() {
        let table =
            |line: &str| Fixture::new().file("/etc/inittab", &format!("# tty1::respawn:/bin/sh\n{line}\n"));
        assert!(table("tty1::respawn:/sbin/getty 38400 tty1").is_pass("ACC-012"));
        assert_eq!(
            table("ttyS0::respawn:/sbin/getty -n -l /bin/sh -L 0 ttyS0 vt100").findings("ACC-012").len(),
            1
        );
        assert_eq!(table("::askfirst:-/bin/ash").findings("ACC-012").len(), 1);
        assert_eq!(table("1:2345:respawn:/sbin/agetty -a root tty1").findings("ACC-012").len(), 1);
    }

    #[test]
    fn display_managers_count_only_when_a_user_is_named() {
        let fixture =
            Fixture::new().file("/etc/lightdm/lightdm.conf", "#autologin-user=a\nautologin-user=\n");
        assert!(fixture.is_pass("ACC-012"));
        let fixture = fixture.file("/etc/lightdm/lightdm.conf", "[Seat:*]\nautologin-user = joe\n");
        assert_eq!(fixture.findings("ACC-012").len(), 1);
    }
}
