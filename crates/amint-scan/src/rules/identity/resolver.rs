use std::path::Path;

use amint_types::Severity;

use crate::rule::finding_at;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// The image asks nobody's name server.
pub(in crate::rules) struct Resolver;

static META: RuleMeta = RuleMeta {
    id: "SEC-015",
    title: "the resolver is not the builder's",
    requirements: &["A2", "MP-A7", "MP-C1"],
    rationale: "A name server of the builder's network cannot be reached from an instance, or worse: it can, and learns \
                every name that the instance asks for.",
    remedy: "Make /etc/resolv.conf a link to systemd-resolved's stub, or remove it and let the network configuration \
             write it.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

const PATH: &str = "/etc/resolv.conf";
const STUB: &str = "../run/systemd/resolve/stub-resolv.conf";
/// The machine itself, and EC2's own resolver.
const NEUTRAL: [&str; 5] = ["127.0.0.53", "127.0.0.54", "127.0.0.1", "169.254.169.253", "fd00:ec2::253"];

impl Rule for Resolver {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        // What lies below /run is made at boot.
        let is_made_at_boot = match cx.metadata(PATH)? {
            Some(metadata) if metadata.is_link() => {
                let target = cx.tree().read_link(Path::new(PATH))?;
                target.starts_with("/run") || target.starts_with("../run")
            }
            Some(_) => false,
            None => true,
        };
        if is_made_at_boot {
            return Ok(Verdict::Pass);
        }
        let text = cx.text(PATH)?.unwrap_or_default();
        let mut findings = Vec::new();
        for (line, text) in (1_u32..).zip(text.lines()) {
            let mut words = text.split_whitespace();
            let is_foreign = match words.next() {
                Some("nameserver") => !words.next().is_some_and(|address| NEUTRAL.contains(&address)),
                Some("search" | "domain") => words.any(|name| name != "."),
                _ => false,
            };
            if is_foreign {
                findings.push(finding_at("a setting of the builder's network", Path::new(PATH), line, text));
            }
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            if Resolver.check(&cx.look())? == Verdict::Pass {
                return Ok(());
            }
            if cx.look().exists("/usr/lib/systemd/systemd-resolved")? {
                cx.link(STUB, PATH)
            } else {
                cx.remove(PATH)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn the_builders_servers_are_replaced_by_the_stub_where_there_is_one() {
        let text = "# made by nobody\nnameserver 10.1.2.3\nnameserver 127.0.0.53\nsearch corp.example\n";
        let fixture = Fixture::new().file("/etc/resolv.conf", text);
        assert_eq!(fixture.findings("SEC-015").len(), 2);
        fixture.harden_twice();
        assert!(fixture.is_pass("SEC-015") && !fixture.has("/etc/resolv.conf"));

        let fixture =
            Fixture::new().file("/etc/resolv.conf", text).file("/usr/lib/systemd/systemd-resolved", "");
        fixture.harden_twice();
        assert_eq!(
            std::fs::read_link(fixture.host("/etc/resolv.conf")).unwrap().to_str(),
            Some("../run/systemd/resolve/stub-resolv.conf")
        );
        assert!(fixture.is_pass("SEC-015"));
    }
}
