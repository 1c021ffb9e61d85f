use amint_types::Severity;

use super::wanted::{Wanted, check, off};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// The ssh server is no tunnel.
pub(in crate::rules) struct Forwarding;

static META: RuleMeta = RuleMeta {
    id: "SSH-012",
    title: "sshd forwards no connections",
    requirements: &["B6", "CIS-5.1"],
    rationale: "Forwarding makes an instance a way into the networks around it, past their firewalls; a forwarded agent \
                lends its owner's keys to whoever is root there.",
    remedy: "Set `AllowTcpForwarding`, `AllowStreamLocalForwarding`, `AllowAgentForwarding`, `GatewayPorts` and \
             `PermitTunnel` to `no`, or waive the rule when the product needs forwarding.",
    severities: Severities::hardened(Severity::Medium),
};

const WANTED: [Wanted; 5] = [
    off("AllowAgentForwarding"),
    off("AllowStreamLocalForwarding"),
    off("AllowTcpForwarding"),
    off("GatewayPorts"),
    off("PermitTunnel"),
];

impl Rule for Forwarding {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        if let Some(config) = cx.sshd()? {
            let switches = config.reachable("DisableForwarding", None);
            if switches.iter().all(|setting| setting.text() == "yes") {
                return Ok(Verdict::Pass);
            }
        }
        check(cx, &WANTED, None)
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            for wanted in &WANTED {
                cx.set_sshd(wanted.keyword, wanted.value);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use crate::testing::Fixture;
    use crate::{Profile, Waiver};

    #[test]
    fn only_a_hardened_image_is_asked() {
        let mut fixture = Fixture::with_sshd("");
        assert_eq!(fixture.findings("SSH-012").len(), 3);
        assert!(Fixture::with_sshd("DisableForwarding yes\n").is_pass("SSH-012"));
        fixture.request.profiles = vec![Profile::Marketplace];
        fixture.harden();
        assert!(!fixture.read("/etc/ssh/sshd_config.d/00-amint.conf").contains("Forwarding"));
    }

    #[test]
    fn what_is_waived_is_not_mended() {
        let mut fixture = Fixture::with_sshd("");
        fixture.request.waivers = vec![Waiver {
            rule: "SSH-012".into(),
            reason: "the product forwards".into(),
            owner: "team".into(),
            until: date(2027, 1, 1),
            path: None,
            package: None,
            version: None,
        }];
        fixture.harden_twice();
        let drop_in = fixture.read("/etc/ssh/sshd_config.d/00-amint.conf");
        assert!(!drop_in.contains("AllowTcpForwarding") && drop_in.contains("MaxAuthTries"));
        fixture.request.waivers[0].until = date(2026, 1, 1);
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-012"));
    }
}
