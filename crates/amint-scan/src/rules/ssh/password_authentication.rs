use amint_types::Severity;

use super::wanted::{Wanted, check, off};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Nobody logs in over ssh with a password.
pub(in crate::rules) struct PasswordAuthentication;

static META: RuleMeta = RuleMeta {
    id: "SSH-001",
    title: "sshd accepts no passwords",
    requirements: &["A2", "A11", "B6", "MP-L1", "CIS-5.1"],
    rationale: "A password can be guessed from anywhere, and Marketplace refuses images whose ssh server takes one. \
                Unset is not off: sshd's own default is to accept passwords, also for people who meet a Match block.",
    remedy: "Set `PasswordAuthentication no` where sshd reads it first, and remove what sets it otherwise in Match \
             blocks and on the unit's command line.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

const WANTED: [Wanted; 1] = [off("PasswordAuthentication")];

impl Rule for PasswordAuthentication {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        check(cx, &WANTED, None)
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            cx.set_sshd("PasswordAuthentication", "no");
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::testing::Fixture;

    #[test]
    fn fails_a_stock_debian_configuration_that_does_not_set_it() {
        let fixture =
            Fixture::with_sshd("Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\n");
        assert_eq!(
            fixture.findings("SSH-001"),
            [
                "/etc/ssh/sshd_config PasswordAuthentication is not set, and sshd's own default is `yes`, wanted: no"
            ]
        );
    }

    #[test]
    fn a_drop_in_before_ours_wins_and_one_after_the_main_setting_loses() {
        let fixture = Fixture::with_sshd("Include sshd_config.d/*.conf\nPasswordAuthentication no\n")
            .file("/etc/ssh/sshd_config.d/50-cloud-init.conf", "PASSWORDAUTHENTICATION=YES\n");
        assert_eq!(fixture.paths("SSH-001"), ["/etc/ssh/sshd_config.d/50-cloud-init.conf"]);
        let fixture = Fixture::with_sshd("PasswordAuthentication no\nInclude sshd_config.d/*.conf\n")
            .file("/etc/ssh/sshd_config.d/50-cloud-init.conf", "PasswordAuthentication yes\n");
        assert!(fixture.is_pass("SSH-001"));
    }

    #[test]
    fn a_match_block_that_lets_somebody_in_fails() {
        let fixture = Fixture::with_sshd(
            "PasswordAuthentication no\nMatch Address 10.0.0.0/8\n PasswordAuthentication yes\n",
        );
        assert_eq!(
            fixture.findings("SSH-001"),
            [
                "/etc/ssh/sshd_config:3 PasswordAuthentication is `yes` for connections that match `address 10.0.0.0/8`, wanted: no"
            ]
        );
    }

    #[test]
    fn the_units_command_line_beats_the_file() {
        let fixture = Fixture::with_sshd("PasswordAuthentication no\n")
            .file(
                "/usr/lib/systemd/system/ssh.service",
                "[Service]\nEnvironmentFile=-/etc/default/ssh\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS\n",
            )
            .file("/etc/default/ssh", "SSHD_OPTS=\"-4 -oPasswordAuthentication=yes\"\n");
        assert_eq!(fixture.paths("SSH-001"), ["/usr/lib/systemd/system/ssh.service"]);
        let fixture = fixture.file(
            "/etc/systemd/system/ssh.service.d/x.conf",
            "[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -D -f /etc/ssh/other\n",
        );
        let fixture = fixture.file("/etc/ssh/other", "PasswordAuthentication no\n");
        assert!(fixture.is_pass("SSH-001"));
    }

    #[test]
    fn an_image_without_ssh_server_has_nothing_to_judge() {
        assert!(matches!(Fixture::new().check("SSH-001"), Verdict::NotApplicable(_)));
    }

    #[test]
    fn the_fix_makes_it_pass_wherever_the_include_stands() {
        for main in ["Include /etc/ssh/sshd_config.d/*.conf\n", "PasswordAuthentication yes\n", ""] {
            let fixture = Fixture::with_sshd(main);
            fixture.harden_twice();
            assert!(fixture.is_pass("SSH-001"), "{main}");
        }
    }

    #[test]
    fn a_server_that_knows_no_include_gets_its_lines_in_the_main_file() {
        let status = "Package: openssh-server\nStatus: install ok installed\nVersion: 1:7.4p1-10\n";
        let fixture = Fixture::with_sshd("PasswordAuthentication yes\nMatch User a\n X11Forwarding no\n")
            .file("/var/lib/dpkg/status", status);
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-001") && fixture.is_pass("SSH-014"));
        let main = fixture.read("/etc/ssh/sshd_config");
        assert!(main.ends_with("PasswordAuthentication yes\nMatch User a\n X11Forwarding no\n"), "{main}");
        assert!(!fixture.has("/etc/ssh/sshd_config.d/00-amint.conf"));
    }
}
