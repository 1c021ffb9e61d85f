use std::fmt::Write;
use std::path::Path;

use amint_types::Severity;

use crate::facts::sysctl::{Setting, Settings};
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// The kernel's switches are set for a server.
pub(in crate::rules) struct Sysctl;

static META: RuleMeta = RuleMeta {
    id: "KRN-001",
    title: "kernel settings are those of a hardened server",
    requirements: &["B6", "CIS-1.5", "CIS-3.3"],
    rationale: "The kernel's defaults are made for every use: they accept redirects, show its addresses and let one \
                program of a user read another's memory. Judged is what the files set after all of them are read. \
                IPv6 router advertisements stay on, because EC2 announces its routes with them.",
    remedy: "Set the values in a file of /etc/sysctl.d that sorts last.",
    severities: Severities::hardened(Severity::Medium),
};

const DROP_IN: &str = "/etc/sysctl.d/99-zz-amint.conf";
/// Settings, and the values that are right; the first one is what the fix sets.
pub(crate) const WANTED: [(&str, &[&str]); 28] = [
    ("fs.protected_fifos", &["2", "1"]),
    ("fs.protected_hardlinks", &["1"]),
    ("fs.protected_regular", &["2", "1"]),
    ("fs.protected_symlinks", &["1"]),
    ("fs.suid_dumpable", &["0"]),
    ("kernel.dmesg_restrict", &["1"]),
    ("kernel.kexec_load_disabled", &["1"]),
    ("kernel.kptr_restrict", &["2", "1"]),
    ("kernel.randomize_va_space", &["2"]),
    ("kernel.unprivileged_bpf_disabled", &["1", "2"]),
    ("kernel.yama.ptrace_scope", &["1", "2", "3"]),
    ("net.ipv4.conf.all.accept_redirects", &["0"]),
    ("net.ipv4.conf.all.accept_source_route", &["0"]),
    ("net.ipv4.conf.all.log_martians", &["1"]),
    ("net.ipv4.conf.all.rp_filter", &["1", "2"]),
    ("net.ipv4.conf.all.secure_redirects", &["0"]),
    ("net.ipv4.conf.all.send_redirects", &["0"]),
    ("net.ipv4.conf.default.accept_redirects", &["0"]),
    ("net.ipv4.conf.default.accept_source_route", &["0"]),
    ("net.ipv4.conf.default.log_martians", &["1"]),
    ("net.ipv4.conf.default.rp_filter", &["1", "2"]),
    ("net.ipv4.conf.default.secure_redirects", &["0"]),
    ("net.ipv4.conf.default.send_redirects", &["0"]),
    ("net.ipv4.icmp_echo_ignore_broadcasts", &["1"]),
    ("net.ipv4.icmp_ignore_bogus_error_responses", &["1"]),
    ("net.ipv4.tcp_syncookies", &["1"]),
    ("net.ipv6.conf.all.accept_redirects", &["0"]),
    ("net.ipv6.conf.default.accept_redirects", &["0"]),
];

/// Settings that are right as the kernel has them, and wrong when a file turns them on: an instance is no router.
const ROUTING: [&str; 3] =
    ["net.ipv4.conf.all.forwarding", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"];

impl Rule for Sysctl {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let settings = cx.fact(Settings::load)?;
        let mut findings = Vec::new();
        for (key, values) in WANTED {
            let wanted = values[0];
            match settings.effective(key) {
                Some(setting) if values.contains(&setting.value.as_str()) => {}
                Some(setting) => {
                    let message = format!("{key} is {}, wanted: {wanted}", setting.value);
                    let text = format!("{key} = {}", setting.value);
                    findings.push(finding_at(message, &setting.path, setting.line, &text));
                }
                None => findings
                    .push(finding(format!("{key} is not set, wanted: {wanted}"), Path::new("/etc/sysctl.d"))),
            }
        }
        for (key, setting) in routing(&settings) {
            let message = format!("{key} is {}, wanted: 0", setting.value);
            let text = format!("{key} = {}", setting.value);
            findings.push(finding_at(message, &setting.path, setting.line, &text));
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let before = Settings::load(&cx.look())?;
            let mut content = String::from("# Written by amint.\n");
            for (key, values) in WANTED {
                // A right value that the image sets itself is kept: 2 for rp_filter, for example.
                let own = before.effective(key);
                let value = own.filter(|setting| values.contains(&setting.value.as_str()));
                let _ = writeln!(
                    content,
                    "{key} = {}",
                    value.map_or(values[0], |setting| setting.value.as_str())
                );
            }
            for (key, _) in routing(&before) {
                let _ = writeln!(content, "{key} = 0");
            }
            cx.write(DROP_IN, &content, 0o644)
        })
    }
}

/// Returns the settings that make a router of an instance.
fn routing(settings: &Settings) -> impl Iterator<Item = (&'static str, &Setting)> {
    ROUTING
        .into_iter()
        .filter_map(|key| Some((key, settings.effective(key)?)))
        .filter(|(_, setting)| setting.value != "0")
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn messages(fixture: &Fixture, key: &str) -> Vec<String> {
        fixture.findings("KRN-001").into_iter().filter(|line| line.contains(key)).collect()
    }

    #[test]
    fn the_last_file_by_name_counts_and_etc_hides_usr() {
        let fixture = Fixture::new()
            .file("/usr/lib/sysctl.d/50-a.conf", "kernel.dmesg_restrict = 1\nkernel/kptr_restrict=1\n")
            .file("/etc/sysctl.d/60-b.conf", "-kernel.dmesg_restrict = 0\n")
            .file("/usr/lib/sysctl.d/60-b.conf", "kernel.randomize_va_space = 0\n")
            .file("/usr/lib/sysctl.d/70-c.conf", "net.ipv4.conf.*.rp_filter = 2\n");
        assert_eq!(
            messages(&fixture, "dmesg"),
            ["/etc/sysctl.d/60-b.conf:1 kernel.dmesg_restrict is 0, wanted: 1"]
        );
        assert!(messages(&fixture, "kptr").is_empty() && messages(&fixture, "all.rp_filter").is_empty());
        assert!(messages(&fixture, "randomize")[0].contains("not set"));
        fixture.harden_twice();
        assert!(fixture.is_pass("KRN-001"));
        assert!(fixture.read("/etc/sysctl.d/99-zz-amint.conf").contains("all.rp_filter = 2\n"));
    }
}
