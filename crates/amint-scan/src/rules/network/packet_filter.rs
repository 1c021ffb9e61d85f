use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use amint_types::Severity;
use amint_types::report::Finding;
use regex::Regex;

use crate::redact::pattern;
use crate::rule::finding;
use crate::rules::services::started::Started;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// What nobody declared is kept out by the instance itself, and SSH is not.
pub(in crate::rules) struct PacketFilter;

static META: RuleMeta = RuleMeta {
    id: "NET-001",
    title: "a packet filter keeps out what is not declared, and lets SSH in",
    requirements: &["A10", "B6", "CIS-4", "MP-L5"],
    rationale: "Security groups are the first door of an instance; a filter of its own still stands when a group is opened \
                by mistake. One that keeps SSH out makes the instance useless, and fails Marketplace's scan.",
    remedy: "Let one of nftables, ufw, firewalld or iptables start with rules that drop what comes in but for the \
             declared ports and SSH.",
    severities: Severities::hardened(Severity::High),
};

const NFTABLES: &str = "/etc/nftables.conf";
const NFTABLES_OF_RED_HAT: &str = "/etc/sysconfig/nftables.conf";
const UFW: &str = "/etc/ufw/ufw.conf";
const UFW_DEFAULTS: &str = "/etc/default/ufw";
const UFW_RULES: &str = "/etc/ufw/user.rules";
const FIREWALLD: &str = "/etc/firewalld/firewalld.conf";
/// Rules that `iptables-restore` loads: units, and their file.
const IPTABLES: [(&[&str], &str); 2] = [
    (&["netfilter-persistent.service", "iptables.service"], "/etc/iptables/rules.v4"),
    (&["iptables.service"], "/etc/sysconfig/iptables"),
];
/// The most files that nftables' configuration includes.
const INCLUDES_MAX: usize = 32;

/// What one manager of filters does.
struct Filter {
    path: PathBuf,
    drops: bool,
    /// Whether SSH gets in, where that can be told.
    has_ssh: Option<bool>,
}

impl Rule for PacketFilter {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let filters = filters(cx)?;
        if filters.is_empty() {
            let message = "nothing filters what comes in: EC2's security groups stand alone";
            return Ok(vec![low(message, Path::new("/etc"))].into());
        }
        let dropping: Vec<&Filter> = filters.iter().filter(|filter| filter.drops).collect();
        let mut findings = Vec::new();
        if dropping.is_empty() {
            findings.push(low("the packet filter lets everything in", &filters[0].path));
        }
        findings.extend(dropping.iter().filter(|filter| filter.has_ssh == Some(false)).map(|filter| {
            Finding {
                severity: Some(Severity::High),
                ..finding("the packet filter keeps SSH out", &filter.path)
            }
        }));
        Ok(findings.into())
    }
}

/// Makes a finding that weighs little: security groups stand before it.
fn low(message: &str, path: &Path) -> Finding {
    Finding { severity: Some(Severity::Low), ..finding(message, path) }
}

fn filters(cx: &Context<'_>) -> Result<Vec<Filter>, CheckError> {
    let started = cx.fact(Started::load)?;
    let mut found = Vec::new();
    let is_ufw_on = setting(cx, UFW, "ENABLED")?.is_some_and(|value| value.eq_ignore_ascii_case("yes"));
    if is_ufw_on && started.has(&["ufw.service"]) {
        let policy = setting(cx, UFW_DEFAULTS, "DEFAULT_INPUT_POLICY")?.unwrap_or_default();
        let rules = cx.text(UFW_RULES)?.unwrap_or_default();
        found.push(Filter {
            path: PathBuf::from(UFW),
            drops: matches!(policy.as_str(), "DROP" | "REJECT"),
            has_ssh: Some(has_ssh(cx, &rules)),
        });
    }
    if started.has(&["firewalld.service"]) {
        // Its zones let SSH in by default; only the trusted one lets everything in.
        let zone = setting(cx, FIREWALLD, "DefaultZone")?.unwrap_or_else(|| "public".to_owned());
        found.push(Filter { path: PathBuf::from(FIREWALLD), drops: zone != "trusted", has_ssh: None });
    }
    if started.has(&["nftables.service"]) {
        for path in [NFTABLES, NFTABLES_OF_RED_HAT] {
            let text = nftables(cx, Path::new(path), &mut 0)?;
            if cx.exists(path)? {
                found.push(of_nftables(cx, path, &text));
            }
        }
    }
    for (units, path) in IPTABLES {
        if let Some(text) = cx.text(path)?.filter(|_| started.has(units)) {
            let drops = text.lines().any(|line| {
                line.starts_with(":INPUT DROP")
                    || line.starts_with("-P INPUT DROP")
                    || (line.starts_with("-A INPUT")
                        && (line.ends_with("DROP") || line.contains("-j REJECT")))
            });
            found.push(Filter { path: PathBuf::from(path), drops, has_ssh: Some(has_ssh(cx, &text)) });
        }
    }
    Ok(found)
}

fn of_nftables(cx: &Context<'_>, path: &str, text: &str) -> Filter {
    static INPUT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)hook\s+input\b([^;]*;.*)"));
    let after = INPUT.captures(text).map_or("", |found| found.get(1).map_or("", |rest| rest.as_str()));
    // To the end of the chain: sets in its rules have braces of their own.
    let mut depth = 0_usize;
    let end = after.find(|letter: char| {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => return true,
            '}' => depth -= 1,
            _ => {}
        }
        false
    });
    let rules = &after[..end.unwrap_or(after.len())];
    let drops = rules.contains("policy drop")
        || rules.split_whitespace().any(|word| matches!(word.trim_end_matches(';'), "drop" | "reject"));
    Filter { path: PathBuf::from(path), drops, has_ssh: Some(has_ssh(cx, text)) }
}

/// Reads a configuration of nftables with what it includes, without comments.
fn nftables(cx: &Context<'_>, path: &Path, count: &mut usize) -> Result<String, CheckError> {
    let mut text = String::new();
    if *count >= INCLUDES_MAX {
        return Ok(text);
    }
    *count += 1;
    for line in cx.text(path)?.unwrap_or_default().lines() {
        let line = line.split('#').next().unwrap_or_default();
        match line.trim().strip_prefix("include") {
            Some(included) => {
                let included = Path::new(included.trim().trim_matches(['"', '\''])).to_owned();
                let folder = path.parent().unwrap_or(Path::new("/etc"));
                let pattern = folder.join(included);
                let name = pattern.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let folder = pattern.parent().unwrap_or(Path::new("/")).to_owned();
                for entry in cx.list(&folder)? {
                    if crate::glob::is_match(&name, &entry.name.to_string_lossy()) {
                        text.push_str(&nftables(cx, &folder.join(&entry.name), count)?);
                    }
                }
            }
            None => text.push_str(line),
        }
        text.push('\n');
    }
    Ok(text)
}

/// Tells whether rules let SSH in: by its port, its name, or a profile of ufw.
fn has_ssh(cx: &Context<'_>, rules: &str) -> bool {
    let mut ports: Vec<u16> = match cx.sshd() {
        Ok(Some(config)) => config.all("port").iter().filter_map(|port| port.text().parse().ok()).collect(),
        _ => Vec::new(),
    };
    if ports.is_empty() {
        ports.push(22);
    }
    let words: Vec<&str> = rules
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
        .filter(|word| !word.is_empty())
        .collect();
    let is_range = |word: &str, port: u16| {
        let range = word
            .split_once('-')
            .and_then(|(from, to)| Some((from.parse::<u16>().ok()?, to.parse::<u16>().ok()?)));
        range.is_some_and(|(from, to)| (from..=to).contains(&port))
    };
    words.iter().any(|word| {
        matches!(*word, "ssh" | "OpenSSH")
            || ports.iter().any(|port| *word == port.to_string() || is_range(word, *port))
    })
}

/// Returns a setting of a shell's form, without quotation marks.
fn setting(cx: &Context<'_>, path: &str, key: &str) -> Result<Option<String>, CheckError> {
    let text = cx.text(path)?.unwrap_or_default();
    let mut value =
        text.lines().filter_map(|line| line.trim().strip_prefix(key)?.trim_start().strip_prefix('='));
    Ok(value.next_back().map(|value| value.trim().trim_matches(['"', '\'']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn nft(rules: &str) -> Fixture {
        Fixture::new().file("/etc/nftables.conf", rules).started("nftables.service")
    }

    #[test]
    fn a_filter_that_drops_and_lets_ssh_in_passes() {
        for rules in [
            "table inet f { chain input { type filter hook input priority 0; policy drop;\n tcp dport { 22, 80 } accept\n } }",
            "table inet f { chain input { type filter hook input priority 0;\n tcp dport ssh accept\n reject\n } }",
            "table inet f { chain input { type filter hook input priority filter; policy drop; tcp dport 20-30 accept; } }",
        ] {
            assert!(nft(rules).is_pass("NET-001"), "{rules}");
        }
    }

    #[test]
    fn a_filter_that_lets_everything_in_or_ssh_out_is_found() {
        let open = "table inet f { chain input { type filter hook input priority filter; }\n\
                    chain forward { type filter hook forward priority filter; policy drop; } }";
        assert_eq!(
            nft(open).findings("NET-001"),
            ["/etc/nftables.conf the packet filter lets everything in"]
        );
        let closed = "table inet f { chain input { type filter hook input priority 0; policy drop;\n\
                      # tcp dport 22 accept\n tcp dport { 80, 443 } accept\n} }";
        let Verdict::Fail(findings) = nft(closed).check("NET-001") else { panic!("must fail") };
        assert_eq!(
            (findings[0].message.as_str(), findings[0].severity),
            ("the packet filter keeps SSH out", Some(Severity::High))
        );
    }

    #[test]
    fn without_a_filter_that_starts_nothing_is_filtered() {
        let fixture = Fixture::new()
            .file("/etc/nftables.conf", "table inet f {}")
            .file("/etc/ufw/ufw.conf", "ENABLED=yes\n");
        assert!(fixture.findings("NET-001")[0].contains("nothing filters"));
    }
}
