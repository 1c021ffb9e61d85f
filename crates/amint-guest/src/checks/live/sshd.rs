//! What does the SSH server itself say of its settings?

use std::collections::BTreeMap;

use crate::checks::boot_facts::shortened;
use crate::checks::live::{Snapshot, judged};
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// Sections of the snapshot, and whom each is about.
const CONTEXTS: [(&str, &str); 3] =
    [("sshd-root", "root"), ("sshd-user", "the login user"), ("sshd-other", "a stranger")];

/// The settings as `sshd -T` writes them: keyword in lower case, value.
type Settings = BTreeMap<String, String>;

/// What one setting must be.
struct Demand {
    rule: &'static str,
    keyword: &'static str,
    accepts: fn(&str) -> bool,
}

const fn demand(rule: &'static str, keyword: &'static str, accepts: fn(&str) -> bool) -> Demand {
    Demand { rule, keyword, accepts }
}

/// Keywords that every version since OpenSSH 7.4 tells; one that is missing is unknown. Limits are those of the
/// rule SSH-017.
const DEMANDS: [Demand; 19] = [
    demand("SSH-001", "passwordauthentication", is_off),
    demand("SSH-002", "kbdinteractiveauthentication", is_off),
    demand("SSH-004", "permitemptypasswords", is_off),
    demand("SSH-005", "authenticationmethods", needs_a_key),
    demand("SSH-012", "allowagentforwarding", is_off),
    demand("SSH-012", "allowstreamlocalforwarding", is_off),
    demand("SSH-012", "allowtcpforwarding", is_off),
    demand("SSH-012", "gatewayports", is_off),
    demand("SSH-012", "permittunnel", is_off),
    demand("SSH-017", "clientalivecountmax", |value| is_within(value, 1, 3)),
    demand("SSH-017", "clientaliveinterval", |value| is_within(value, 15, 300)),
    demand("SSH-017", "logingracetime", |value| is_within(value, 1, 60)),
    demand("SSH-017", "maxauthtries", |value| is_within(value, 1, 4)),
    demand("SSH-017", "maxsessions", |value| is_within(value, 0, 10)),
    demand("SSH-018", "hostbasedauthentication", is_off),
    demand("SSH-018", "ignorerhosts", |value| value == "yes"),
    demand("SSH-018", "permituserenvironment", is_off),
    demand("SSH-018", "strictmodes", |value| value == "yes"),
    demand("SSH-019", "x11forwarding", is_off),
];

/// Algorithms that are broken or too weak, by their ending or their whole name.
const WEAK: [&str; 13] = [
    "-cbc",
    "arcfour",
    "arcfour128",
    "arcfour256",
    "none",
    "hmac-md5",
    "hmac-sha1",
    "diffie-hellman-group1-sha1",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group-exchange-sha1",
    "rsa1024-sha1",
    "ssh-dss",
    "ssh-rsa",
];

/// Returns the weak ones among names of algorithms; endings such as `-etm@openssh.com` and the length of a
/// shortened code make no difference.
pub(crate) fn weak_algorithms<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let is_weak = |name: &str| {
        let plain = name.split('@').next().unwrap_or(name).trim_end_matches("-etm");
        let plain = plain.strip_suffix("-96").unwrap_or(plain);
        WEAK.iter().any(|weak| if weak.starts_with('-') { plain.ends_with(weak) } else { plain == *weak })
    };
    names.into_iter().filter(|name| is_weak(name)).collect()
}

fn is_off(value: &str) -> bool {
    value == "no"
}

fn is_within(value: &str, least: u64, most: u64) -> bool {
    value.parse().is_ok_and(|number: u64| (least..=most).contains(&number))
}

/// Every alternative must begin with a key; `any` leaves it to the other settings.
fn needs_a_key(value: &str) -> bool {
    value.split_whitespace().all(|list| list == "any" || list.split(',').any(|method| method == "publickey"))
}

/// Judges the three answers of `sshd -T`.
pub(crate) fn judge(snapshot: &Snapshot, promises: &Promises) -> Verdict {
    let mut contexts = Vec::new();
    for (section, whom) in CONTEXTS {
        let settings = snapshot.section(section).and_then(parse);
        match settings {
            Ok(settings) => contexts.push((whom, settings)),
            Err(reason) => {
                let seen = rules().into_iter().map(|rule| (rule, Seen::Unknown(reason.clone()))).collect();
                return judged(promises, seen, &reason);
            }
        }
    }
    let mut seen: BTreeMap<&'static str, Seen> =
        rules().into_iter().map(|rule| (rule, Seen::Holds)).collect();
    for (whom, settings) in &contexts {
        for demand in &DEMANDS {
            note(&mut seen, demand.rule, demand.keyword, settings, whom, demand.accepts);
        }
        let weak = ["ciphers", "macs", "kexalgorithms", "hostkeyalgorithms"].map(|keyword| {
            let names = settings.get(keyword).map(String::as_str).unwrap_or_default();
            weak_algorithms(names.split(','))
        });
        let weak = weak.concat();
        if !weak.is_empty() {
            add(&mut seen, "SSH-011", format!("weak algorithms are in force: {}", weak.join(", ")));
        }
    }
    let accepts: fn(&str) -> bool = if promises.is_root_shut_out() {
        is_off
    } else {
        |value| matches!(value, "no" | "prohibit-password" | "without-password" | "forced-commands-only")
    };
    note(&mut seen, "SSH-003", "permitrootlogin", &contexts[0].1, "root", accepts);
    if !contexts[1].1.contains_key("port") {
        add(&mut seen, "SSH-010", "sshd tells no port".to_owned());
    }
    let summary = format!("`sshd -T` was asked for {}", CONTEXTS.map(|(_, whom)| whom).join(", "));
    judged(promises, seen.into_iter().collect(), &summary)
}

fn rules() -> Vec<&'static str> {
    let mut rules: Vec<&str> = DEMANDS.iter().map(|demand| demand.rule).collect();
    rules.extend(["SSH-003", "SSH-010", "SSH-011"]);
    rules.dedup();
    rules
}

fn note(
    seen: &mut BTreeMap<&'static str, Seen>,
    rule: &'static str,
    keyword: &str,
    settings: &Settings,
    whom: &str,
    accepts: fn(&str) -> bool,
) {
    match settings.get(keyword) {
        Some(value) if accepts(value) => {}
        Some(value) => add(seen, rule, format!("{keyword} is `{}` for {whom}", shortened(value, 60))),
        // `authenticationmethods` is only told where it is set, in versions before 8.
        None if keyword == "authenticationmethods" => {}
        None => add(seen, rule, format!("sshd does not tell {keyword}")),
    }
}

fn add(seen: &mut BTreeMap<&'static str, Seen>, rule: &'static str, text: String) {
    match seen.get_mut(rule) {
        Some(Seen::Violated(texts)) if texts.contains(&text) => {}
        Some(Seen::Violated(texts)) => {
            texts.push_str("; ");
            texts.push_str(&text);
        }
        _ => drop(seen.insert(rule, Seen::Violated(text))),
    }
}

fn parse(answer: &str) -> Result<Settings, String> {
    let mut settings = Settings::new();
    for line in answer.lines() {
        let Some((keyword, value)) = line.trim().split_once(' ') else { continue };
        let keyword = match keyword {
            // Its name until OpenSSH 8.6.
            "challengeresponseauthentication" => "kbdinteractiveauthentication",
            keyword => keyword,
        };
        settings.entry(keyword.to_owned()).or_insert_with(|| value.trim().to_owned());
    }
    if settings.contains_key("passwordauthentication") {
        return Ok(settings);
    }
    Err(format!("`sshd -T` says: {}", shortened(answer.trim(), 200)))
}

#[cfg(test)]
mod tests {
    use amint_types::Severity;
    use amint_types::report::CheckOutcome;

    use super::*;
    use crate::promises::tests::passed;

    const GOOD: &str = "port 22\naddressfamily any\npermitrootlogin no\npasswordauthentication no\n\
        kbdinteractiveauthentication no\npermitemptypasswords no\nallowagentforwarding no\n\
        allowstreamlocalforwarding no\nallowtcpforwarding no\ngatewayports no\npermittunnel no\n\
        clientalivecountmax 3\nclientaliveinterval 300\nlogingracetime 60\nmaxauthtries 4\nmaxsessions 10\n\
        hostbasedauthentication no\nignorerhosts yes\npermituserenvironment no\nstrictmodes yes\n\
        x11forwarding no\nauthenticationmethods any\nciphers aes256-gcm@openssh.com,aes128-ctr\n\
        macs hmac-sha2-256-etm@openssh.com\nkexalgorithms curve25519-sha256\nhostkeyalgorithms ssh-ed25519\n";

    fn verdict(root: &str, user: &str) -> Verdict {
        let snapshot =
            Snapshot::parse(&format!("@@sshd-root\n{root}@@sshd-user\n{user}@@sshd-other\n{GOOD}@@end\n"));
        let promises = passed(&[
            ("SSH-001", Severity::Critical),
            ("SSH-003", Severity::Critical),
            ("SSH-005", Severity::High),
            ("SSH-011", Severity::Medium),
            ("SSH-012", Severity::Medium),
        ]);
        judge(&snapshot, &promises)
    }

    #[test]
    fn good_settings_pass() {
        let verdict = verdict(GOOD, GOOD);
        assert_eq!(verdict.outcome, CheckOutcome::Pass, "{}", verdict.detail);
    }

    #[test]
    fn setting_that_holds_for_one_user_only_is_seen() {
        let open = GOOD.replace("passwordauthentication no", "passwordauthentication yes");
        let verdict = verdict(GOOD, &open);
        assert_eq!(verdict.outcome, CheckOutcome::Fail);
        assert_eq!(verdict.detail, "SSH-001 (critical): passwordauthentication is `yes` for the login user");
        let root = GOOD.replace("permitrootlogin no", "permitrootlogin without-password");
        assert_eq!(self::verdict(&root, GOOD).outcome, CheckOutcome::Fail);
        assert_eq!(self::verdict(GOOD, &root).outcome, CheckOutcome::Pass);
    }

    #[test]
    fn mild_violation_is_noted() {
        let open = GOOD.replace("allowtcpforwarding no", "allowtcpforwarding yes");
        let weak = open.replace("ciphers ", "ciphers aes128-cbc,3des-cbc,");
        let verdict = verdict(GOOD, &weak);
        assert_eq!(verdict.outcome, CheckOutcome::Noted);
        assert!(verdict.detail.contains("weak algorithms are in force: aes128-cbc, 3des-cbc"));
        assert!(verdict.detail.contains("allowtcpforwarding is `yes`"));
    }

    #[test]
    fn server_that_does_not_answer_is_no_pass() {
        for answer in ["", "sshd: no hostkeys available -- exiting.\n", "port 22\n"] {
            assert_eq!(verdict(GOOD, answer).outcome, CheckOutcome::Fail, "{answer:?}");
        }
    }

    #[test]
    fn weak_algorithms_are_told_from_strong_ones_with_alike_names() {
        let names = [
            "hmac-sha1-etm@openssh.com",
            "hmac-sha1-96",
            "hmac-sha2-256",
            "ssh-rsa",
            "ssh-rsa-cert-v01@openssh.com",
            "rsa-sha2-512",
            "diffie-hellman-group14-sha256",
            "diffie-hellman-group14-sha1",
            "chacha20-poly1305@openssh.com",
            "rijndael-cbc@lysator.liu.se",
            "umac-128@openssh.com",
        ];
        assert_eq!(
            weak_algorithms(names),
            [
                "hmac-sha1-etm@openssh.com",
                "hmac-sha1-96",
                "ssh-rsa",
                "diffie-hellman-group14-sha1",
                "rijndael-cbc@lysator.liu.se"
            ]
        );
    }

    #[test]
    fn methods_that_begin_with_a_key_are_good() {
        assert!(needs_a_key("any") && needs_a_key("publickey,password publickey,keyboard-interactive"));
        assert!(!needs_a_key("publickey password"));
    }
}
