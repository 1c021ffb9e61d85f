use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use amint_types::Severity;
use regex::Regex;

use crate::redact::pattern;
use crate::rule::finding_at;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Nothing asks the builder's proxy.
pub(in crate::rules) struct Proxies;

static META: RuleMeta = RuleMeta {
    id: "NET-004",
    title: "no proxy of the builder is configured",
    requirements: &["A7", "MP-A7", "MP-C1"],
    rationale: "A proxy left from the build breaks every download of an instance, or sees all of them.",
    remedy: "Remove proxy settings from /etc/apt/apt.conf.d, /etc/environment and the configuration of curl, wget, dnf \
             and systemd.",
    severities: Severities::public(Severity::High, Some(Severity::Low)),
};

const FILES: [&str; 9] = [
    "/etc/apt/apt.conf",
    "/etc/dnf/dnf.conf",
    "/etc/environment",
    "/etc/pip.conf",
    "/etc/wgetrc",
    "/etc/yum.conf",
    "/root/.curlrc",
    "/root/.wgetrc",
    "/etc/systemd/system.conf",
];
const FOLDERS: [&str; 4] =
    ["/etc/apt/apt.conf.d", "/etc/environment.d", "/etc/systemd/system.conf.d", "/etc/profile.d"];

impl Rule for Proxies {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for path in files(cx)? {
            for (line, text) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
                if is_proxy(text) {
                    findings.push(finding_at("a proxy", &path, line, text));
                }
            }
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            for path in files(&cx.look())? {
                let text = cx.look().text(&path)?.unwrap_or_default();
                // Only apt's own one-line form is safe to take out of a file that is nobody's.
                let is_apt = path.starts_with("/etc/apt");
                let is_ours = |line: &str| is_proxy(line) && (!is_apt || line.trim_end().ends_with(';'));
                if !text.lines().any(is_ours) {
                    continue;
                }
                let kept: String = text.split_inclusive('\n').filter(|line| !is_ours(line)).collect();
                let is_empty =
                    kept.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("//"));
                if is_empty && is_apt { cx.remove(&path)? } else { cx.replace(&path, kept.as_bytes())? }
            }
            Ok(())
        })
    }
}

fn files(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found: Vec<PathBuf> = FILES.iter().map(PathBuf::from).collect();
    for folder in FOLDERS {
        found.extend(cx.list(folder)?.into_iter().map(|entry| Path::new(folder).join(entry.name)));
    }
    let mut present = Vec::new();
    for path in found {
        if cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file()) {
            present.push(path);
        }
    }
    Ok(present)
}

/// Tells whether a line sets a proxy to an address.
fn is_proxy(line: &str) -> bool {
    static PROXY: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)(?:\b|_)proxy(?:-auto-detect)?\b[\x22'=:\s]+([^\s\x22';]+)"));
    let line = line.trim_start();
    if line.starts_with(['#', ';']) || line.starts_with("//") {
        return false;
    }
    PROXY.captures(line).is_some_and(|found| {
        let value = found[1].to_ascii_lowercase();
        let is_address = value.contains("://") || value.contains('/') || value.contains(':');
        is_address && !value.starts_with("direct")
    })
}

#[cfg(test)]
mod tests {
    use super::is_proxy;
    use crate::testing::Fixture;

    #[test]
    fn settings_of_many_programs_are_known() {
        for (line, expected) in [
            ("Acquire::http::Proxy \"http://10.0.0.1:3142\";", true),
            ("Acquire { http { Proxy \"http://x:1/\"; }; };", true),
            ("Acquire::https::Proxy \"DIRECT\";", false),
            ("Acquire::http::Proxy-Auto-Detect \"/usr/bin/detect\";", true),
            ("export https_proxy=http://proxy:3128", true),
            ("#http_proxy = http://proxy.yoyodyne.com:18023/", false),
            ("proxy=http://proxy:3128", true),
            ("no_proxy=localhost", false),
            ("DefaultEnvironment=\"HTTP_PROXY=http://p:1\"", true),
        ] {
            assert_eq!(is_proxy(line), expected, "{line}");
        }
    }

    #[test]
    fn the_line_goes_and_the_rest_of_the_file_stays() {
        let fixture = Fixture::new()
            .file("/etc/apt/apt.conf.d/01proxy", "// build\nAcquire::http::Proxy \"http://10.0.0.1:3142\";\n")
            .file(
                "/etc/apt/apt.conf.d/02x",
                "APT::Install-Recommends \"false\";\nAcquire::http::Proxy \"http://x:1\";\n",
            )
            .file("/etc/environment", "LANG=C\nhttp_proxy=http://joe:secret@p:1\n");
        assert_eq!(fixture.findings("NET-004").len(), 3);
        fixture.harden_twice();
        assert!(fixture.is_pass("NET-004") && !fixture.has("/etc/apt/apt.conf.d/01proxy"));
        assert_eq!(fixture.read("/etc/apt/apt.conf.d/02x"), "APT::Install-Recommends \"false\";\n");
        assert_eq!(fixture.read("/etc/environment"), "LANG=C\n");
    }
}
