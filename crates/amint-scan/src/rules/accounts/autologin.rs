use std::path::Path;

use amint_types::Severity;

use crate::facts::units;
use crate::rule::finding_at;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// Nobody is logged in without proof.
pub(in crate::rules) struct Autologin;

static META: RuleMeta = RuleMeta {
    id: "ACC-012",
    title: "no console logs anybody in by itself",
    requirements: &["A2", "B6", "MP-G4"],
    rationale: "A console that logs somebody in gives the machine to whoever reaches it, EC2's serial console included.",
    remedy: "Remove the autologin option from the getty drop-in or the display manager's configuration.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

/// Configuration files of display managers and what turns autologin on in them.
const DISPLAY_MANAGERS: [(&str, &str); 6] = [
    ("/etc/gdm3/daemon.conf", "automaticloginenable=true"),
    ("/etc/gdm3/custom.conf", "automaticloginenable=true"),
    ("/etc/gdm/custom.conf", "automaticloginenable=true"),
    ("/etc/lightdm/lightdm.conf", "autologin-user="),
    ("/etc/sddm.conf", "user="),
    ("/etc/inittab", "--autologin"),
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
                let words: Vec<&str> = entry.value.split_whitespace().collect();
                let is_autologin = words.iter().any(|word| word.starts_with("--autologin") || *word == "-a");
                if is_autologin {
                    let message = format!("{name} logs somebody in by itself");
                    findings.push(finding_at(message, &entry.path, entry.line, &entry.value));
                }
            }
        }
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
        Ok(findings.into())
    }
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
    fn display_managers_count_only_when_a_user_is_named() {
        let fixture =
            Fixture::new().file("/etc/lightdm/lightdm.conf", "#autologin-user=a\nautologin-user=\n");
        assert!(fixture.is_pass("ACC-012"));
        let fixture = fixture.file("/etc/lightdm/lightdm.conf", "[Seat:*]\nautologin-user = joe\n");
        assert_eq!(fixture.findings("ACC-012").len(), 1);
    }
}
