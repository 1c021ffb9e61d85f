use amint_types::Severity;

use super::wanted::NO_SERVER;
use crate::rule::{finding, finding_at};
use crate::sshd::{Setting, When};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// No algorithm that is broken, or about to be.
pub(in crate::rules) struct Algorithms;

static META: RuleMeta = RuleMeta {
    id: "SSH-011",
    title: "sshd offers no weak algorithms",
    requirements: &["B6", "CIS-5.1"],
    rationale: "An algorithm that is offered may be chosen: block ciphers in CBC mode leak text, MD5 and SHA-1 can be made \
                to collide, and short groups can be broken by whoever prepares for it.",
    remedy: "Take them out with a minus in front of the list, as in `MACs -hmac-sha1*,umac-64*`, or set a crypto policy \
             without them.",
    severities: Severities::hardened(Severity::Medium),
};

/// A keyword with what must not be in its list, and how the fix takes it out.
struct List {
    keyword: &'static str,
    weak: fn(&str) -> bool,
    value: &'static str,
}

const LISTS: [List; 6] = [
    List { keyword: "Ciphers", weak: is_weak_cipher, value: "-*-cbc,*-cbc@*,arcfour*" },
    List {
        keyword: "HostbasedAcceptedAlgorithms",
        weak: is_weak_key,
        value: "-ssh-rsa,ssh-rsa-cert*,ssh-dss*",
    },
    List { keyword: "HostKeyAlgorithms", weak: is_weak_key, value: "-ssh-rsa,ssh-rsa-cert*,ssh-dss*" },
    List { keyword: "KexAlgorithms", weak: is_weak_exchange, value: "-*-sha1" },
    List { keyword: "MACs", weak: is_weak_code, value: "-*md5*,*-96*,hmac-sha1*,umac-64*,hmac-ripemd*" },
    List { keyword: "PubkeyAcceptedAlgorithms", weak: is_weak_key, value: "-ssh-rsa,ssh-rsa-cert*,ssh-dss*" },
];

fn is_weak_cipher(name: &str) -> bool {
    name.contains("-cbc") || name.starts_with("arcfour") || name.starts_with("3des") || name == "none"
}

fn is_weak_code(name: &str) -> bool {
    // A tag of 64 bits can be guessed by whoever may try often.
    ["md5", "-96", "hmac-sha1", "umac-64", "ripemd"].iter().any(|part| name.contains(part)) || name == "none"
}

fn is_weak_exchange(name: &str) -> bool {
    name.ends_with("-sha1") || name.starts_with("gss-group1-")
}

fn is_weak_key(name: &str) -> bool {
    name.starts_with("ssh-dss") || name == "ssh-rsa" || name.starts_with("ssh-rsa-cert")
}

impl Rule for Algorithms {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let Some(config) = cx.sshd()? else { return Ok(Verdict::NotApplicable(NO_SERVER.to_owned())) };
        let mut findings = Vec::new();
        for List { keyword, weak, .. } in &LISTS {
            // Host-based logins are off unless somebody turns them on.
            let is_host_based = config
                .reachable("HostbasedAuthentication", None)
                .iter()
                .any(|setting| setting.text() == "yes");
            if *keyword == "HostbasedAcceptedAlgorithms" && !is_host_based {
                continue;
            }
            for setting in config.reachable(keyword, None) {
                let found = weak_names(&setting, *weak);
                if found.is_empty() {
                    continue;
                }
                let whom = match &setting.when {
                    When::Always => String::new(),
                    When::Match(condition) => format!(" for connections that match `{condition}`"),
                };
                let message = format!("{keyword} offers {}{whom}", found.join(", "));
                findings.push(match &setting.place {
                    Some(place) => finding_at(message, &place.path, place.line, keyword),
                    None => finding(format!("{message}, by default"), config.main()),
                });
            }
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let look = cx.look();
            let Some(config) = look.sshd()? else { return Ok(()) };
            // Older servers know `-`, but not all names; a list of names that are left would freeze them.
            if config.version().is_some_and(|version| version < (8, 5)) {
                return Ok(());
            }
            for List { keyword, value, .. } in &LISTS {
                if *keyword != "HostbasedAcceptedAlgorithms" {
                    cx.set_sshd(keyword, value);
                }
            }
            Ok(())
        })
    }
}

fn weak_names(setting: &Setting, weak: fn(&str) -> bool) -> Vec<String> {
    let names = setting.arguments.iter().flat_map(|list| list.split(','));
    names.filter(|name| weak(name)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    const STRONG: &str = "MACs -*md5*,*-96*,hmac-sha1*,umac-64*\n";

    fn image(config: &str, version: &str) -> Fixture {
        let status = format!("Package: openssh-server\nStatus: install ok installed\nVersion: 1:{version}\n");
        Fixture::with_sshd(config).file("/var/lib/dpkg/status", &status)
    }

    #[test]
    fn what_is_added_is_found_and_what_is_taken_away_is_not() {
        assert!(image(STRONG, "9.2p1-2").is_pass("SSH-011"));
        assert!(
            image(&format!("{STRONG}Ciphers aes256-ctr\nHostKeyAlgorithms -ssh-rsa\n"), "9.2p1-2")
                .is_pass("SSH-011")
        );
        let fixture = image(
            &format!("{STRONG}Ciphers +3des-cbc\nKexAlgorithms +diffie-hellman-group1-sha1\n"),
            "9.2p1-2",
        );
        assert_eq!(
            fixture.findings("SSH-011"),
            [
                "/etc/ssh/sshd_config:2 Ciphers offers 3des-cbc",
                "/etc/ssh/sshd_config:3 KexAlgorithms offers diffie-hellman-group1-sha1"
            ]
        );
    }

    #[test]
    fn the_defaults_of_old_versions_are_weak_and_the_fix_makes_those_of_new_ones_strong() {
        let findings = image("", "7.4p1-1").findings("SSH-011").join("\n");
        for name in ["3des-cbc", "diffie-hellman-group14-sha1", "ssh-rsa", "hmac-sha1"] {
            assert!(findings.contains(name), "{findings}");
        }
        let fixture = image("Include /etc/ssh/sshd_config.d/*.conf\nCiphers +aes128-cbc\n", "9.2p1-2");
        assert_eq!(fixture.findings("SSH-011").len(), 2);
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-011"));
    }
}
