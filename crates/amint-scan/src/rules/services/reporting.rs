use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use amint_types::Severity;
use amint_types::report::Finding;
use regex::Regex;

use super::started::Started;
use crate::facts::listeners::Reach;
use crate::redact::pattern;
use crate::rule::{finding, finding_at};
use crate::rules::change::without_drop_in;
use crate::{CheckError, Context, Fix, RecipeChange, Rule, RuleMeta, Severities, Verdict, glob};

/// Nothing tells others what an instance does.
pub(in crate::rules) struct Reporting;

static META: RuleMeta = RuleMeta {
    id: "SVC-005",
    title: "no logs, crashes or statistics are sent elsewhere",
    requirements: &["A2", "MP-C1", "MP-G7", "B6"],
    rationale: "Logs and crash reports hold what an instance's owner did. An image must not send them to whoever built \
                it, nor to anybody else that the owner did not choose.",
    remedy: "Remove the remote target, switch the reporting off, or purge the agent; let instances configure it at boot.",
    severities: Severities::public(Severity::High, Some(Severity::Low)),
};

/// Agents that report to a service elsewhere: a unit, and their name.
const AGENTS: [(&str, &str); 12] = [
    ("newrelic-infra.service", "the agent of New Relic"),
    ("datadog-agent.service", "the agent of Datadog"),
    ("SplunkForwarder.service", "the forwarder of Splunk"),
    ("filebeat.service", "Filebeat"),
    ("metricbeat.service", "Metricbeat"),
    ("elastic-agent.service", "the agent of Elastic"),
    ("fluent-bit.service", "Fluent Bit"),
    ("td-agent.service", "td-agent"),
    ("sumo-collector.service", "the collector of Sumo Logic"),
    ("whoopsie.service", "the crash reporter whoopsie"),
    ("abrtd.service", "the crash reporter ABRT"),
    ("systemd-journal-upload.service", "systemd-journal-upload"),
];

/// Files with a switch: what is on in them, and how it is switched off.
const SWITCHES: [(&str, &str, &str, &str, &str); 4] = [
    (
        "/etc/popularity-contest.conf",
        "PARTICIPATE",
        "yes",
        "no",
        "popularity-contest sends the list of packages",
    ),
    ("/etc/default/motd-news", "ENABLED", "1", "0", "motd-news tells a server about each login"),
    ("/etc/default/whoopsie", "report_crashes", "true", "false", "whoopsie sends crash reports"),
    ("/etc/default/apport", "enabled", "1", "0", "apport gathers crash reports for sending"),
];

impl Rule for Reporting {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for (path, key, on, _, message) in SWITCHES {
            // The switch of motd-news has no effect without the script that reads it.
            if key == "ENABLED" && !cx.exists("/etc/update-motd.d/50-motd-news")? {
                continue;
            }
            for (line, text) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
                if is_on(text, key, on) {
                    findings.push(finding_at(message, Path::new(path), line, text));
                }
            }
        }
        let started = cx.fact(Started::load)?;
        for (unit, what) in AGENTS {
            if started.has(&[unit]) {
                findings
                    .push(finding(format!("{what} starts"), &Path::new("/etc/systemd/system").join(unit)));
            }
        }
        keys_of_agents(cx, &mut findings)?;
        remote_logs(cx, &mut findings)?;
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            for (path, key, on, off, _) in SWITCHES {
                let Some(text) = cx.look().text(path)? else { continue };
                let changed: String = text
                    .split_inclusive('\n')
                    .map(|line| if is_on(line, key, on) { format!("{key}={off}\n") } else { line.to_owned() })
                    .collect();
                if changed != text {
                    cx.replace(path, changed.as_bytes())?;
                }
            }
            Ok(())
        })
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        without_drop_in(finding).or(Some(RecipeChange::Harden))
    }
}

fn is_on(line: &str, key: &str, on: &str) -> bool {
    let line = line.trim();
    line.split_once('=').is_some_and(|(name, value)| {
        name.trim() == key && value.trim().trim_matches(['"', '\'']).eq_ignore_ascii_case(on)
    })
}

/// Keys that tie an agent to its maker's account.
fn keys_of_agents(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    static KEY: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^\s*(?:license_key|api_key|access_token|server\s*=.*:9997|claim_token)\s*[:=]\s*[\x22']?[A-Za-z0-9]{16,}",
        )
    });
    for path in [
        "/etc/newrelic-infra.yml",
        "/etc/datadog-agent/datadog.yaml",
        "/etc/dd-agent/datadog.conf",
        "/etc/sumo.conf",
    ] {
        for (line, text) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
            if KEY.is_match(text) {
                findings.push(finding_at("an agent is tied to an account", Path::new(path), line, text));
            }
        }
    }
    Ok(())
}

/// Where rsyslog, syslog-ng, journald and auditd send their records.
fn remote_logs(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    static LEGACY: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^[\w*][^#]*\s(?:@@?|:omrelp:)(?:\([^)]*\))?(\[[^\]]+\]|[\w.-]+)"));
    static ACTION: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)\baction\s*\([^)]*type\s*=\s*[\x22']om(?:fwd|relp)[\x22']"));
    static TARGET: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)target\s*=\s*[\x22']([^\x22']+)"));
    static DESTINATION: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\b(?:network|tcp|udp|syslog)\s*\(\s*[\x22']([\w.:-]+)[\x22']"));
    let is_remote = |host: &str| Reach::of(host) == Reach::Address;
    let mut files = vec![PathBuf::from("/etc/rsyslog.conf")];
    files.extend(glob::expand(cx, "/etc/rsyslog.d/*.conf")?);
    for path in files {
        let text = cx.text(&path)?.unwrap_or_default();
        for (line, text) in statements(&text) {
            let legacy = LEGACY.captures(&text).map(|found| found[1].to_owned());
            let action = ACTION
                .is_match(&text)
                .then(|| TARGET.captures(&text).map(|found| found[1].to_owned()))
                .flatten();
            if legacy.or(action).is_some_and(|host| is_remote(&host)) {
                findings.push(finding_at("rsyslog sends logs elsewhere", &path, line, &text));
            }
        }
    }
    let mut files = vec![PathBuf::from("/etc/syslog-ng/syslog-ng.conf")];
    files.extend(glob::expand(cx, "/etc/syslog-ng/conf.d/*.conf")?);
    for path in files {
        let mut is_destination = false;
        for (line, text) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
            let trimmed = text.trim_start();
            if trimmed.starts_with('#') {
                continue;
            }
            is_destination |= trimmed.starts_with("destination");
            if is_destination && DESTINATION.captures(text).is_some_and(|found| is_remote(&found[1])) {
                findings.push(finding_at("syslog-ng sends logs elsewhere", &path, line, text));
            }
            is_destination &= !text.contains("};");
        }
    }
    single_settings(cx, findings)
}

/// Files in which one line decides.
fn single_settings(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    for (path, key, message) in [
        ("/etc/systemd/journal-upload.conf", "URL", "the journal is sent elsewhere"),
        ("/etc/audit/plugins.d/au-remote.conf", "active", "audit records are sent elsewhere"),
        ("/etc/audisp/plugins.d/au-remote.conf", "active", "audit records are sent elsewhere"),
    ] {
        for (line, text) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
            let is_set = text.split_once('=').is_some_and(|(name, value)| {
                let value = value.trim();
                name.trim() == key && !value.is_empty() && !value.eq_ignore_ascii_case("no")
            });
            if is_set {
                findings.push(finding_at(message, Path::new(path), line, text));
            }
        }
    }
    Ok(())
}

/// Lines of rsyslog, those of one `action(…)` joined, without comments.
fn statements(text: &str) -> Vec<(u32, String)> {
    let mut found: Vec<(u32, String)> = Vec::new();
    let mut is_open = false;
    for (line, text) in (1_u32..).zip(text.lines()) {
        let text = text.trim();
        if text.starts_with('#') {
            continue;
        }
        match found.last_mut() {
            Some((_, last)) if is_open => {
                last.push(' ');
                last.push_str(text);
            }
            _ => found.push((line, text.to_owned())),
        }
        is_open = found.last().is_some_and(|(_, last)| last.matches('(').count() > last.matches(')').count());
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn remote_logs_and_reports_are_found() {
        for (path, content) in [
            ("/etc/rsyslog.conf", "*.* @@logs.example:514\n"),
            ("/etc/rsyslog.d/x.conf", "auth.* @192.0.2.7\n"),
            ("/etc/rsyslog.d/x.conf", "*.* action(type=\"omfwd\"\n  target=\"logs.example\" port=\"514\")\n"),
            ("/etc/syslog-ng/syslog-ng.conf", "destination d { network(\"logs.example\" port(514)); };\n"),
            ("/etc/systemd/journal-upload.conf", "[Upload]\nURL=https://logs.example\n"),
            ("/etc/audit/plugins.d/au-remote.conf", "active = yes\n"),
            ("/etc/popularity-contest.conf", "PARTICIPATE=\"yes\"\n"),
        ] {
            assert_eq!(Fixture::new().file(path, content).paths("SVC-005"), [path]);
        }
    }

    #[test]
    fn local_targets_comments_and_what_is_off_pass() {
        let fixture = Fixture::new()
            .file(
                "/etc/rsyslog.conf",
                "# *.* @@logs.example:514\n*.* @127.0.0.1:514\nmail.* -/var/log/mail@x.log\n",
            )
            .file("/etc/audit/plugins.d/au-remote.conf", "active = no\n")
            .file("/etc/systemd/journal-upload.conf", "[Upload]\n# URL=\n")
            .file("/etc/popularity-contest.conf", "PARTICIPATE=\"no\"\n");
        assert!(fixture.is_pass("SVC-005"));
    }

    #[test]
    fn hardening_switches_reports_off() {
        let fixture = Fixture::new()
            .file("/etc/update-motd.d/50-motd-news", "")
            .file("/etc/default/motd-news", "# x\nENABLED=1\nURLS=\"https://motd.example\"\n");
        assert_eq!(fixture.findings("SVC-005").len(), 1);
        fixture.harden_twice();
        assert_eq!(fixture.read("/etc/default/motd-news"), "# x\nENABLED=0\nURLS=\"https://motd.example\"\n");
        assert!(fixture.is_pass("SVC-005"));
    }
}
