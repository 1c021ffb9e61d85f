use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use amint_types::Severity;
use amint_types::report::Finding;
use regex::Regex;

use super::static_addresses;
use crate::redact::pattern;
use crate::rule::finding_at;
use crate::rules::change::without_drop_in;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// Packages come from where every instance can reach them.
pub(in crate::rules) struct PackageSources;

static META: RuleMeta = RuleMeta {
    id: "NET-002",
    title: "package sources and addresses are right on any instance",
    requirements: &["A5", "A7", "MP-A7", "MP-U3"],
    rationale: "A mirror that only the builder reaches leaves instances without updates; one at a private address can \
                be anybody's in the network where an instance runs. An interface with the builder's address gives an \
                instance no network at all.",
    remedy: "Name public mirrors in /etc/apt/sources.list and sources.list.d, or in yum.repos.d; let interfaces ask by DHCP.",
    severities: Severities::public(Severity::High, Some(Severity::Low)),
};

impl Rule for PackageSources {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        static URI: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b([a-z+]+):(?://)?([^\s\]]*)"));
        let mut findings = static_addresses::find(cx)?;
        for path in sources(cx)? {
            let text = cx.text(&path)?.unwrap_or_default();
            let disabled = disabled_lines(&path, &text);
            for (line, text) in (1_u32..).zip(text.lines()) {
                if text.trim_start().starts_with(['#', ';'])
                    || disabled.contains(&line)
                    || !is_source(&path, text)
                {
                    continue;
                }
                for found in URI.captures_iter(text) {
                    if let Some(why) = objection(&found[1], &found[2]) {
                        findings.push(finding_at(format!("a package source {why}"), &path, line, text));
                    }
                }
            }
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        without_drop_in(finding)
    }
}

/// Tells whether a line of a file names a source: keys of dnf's repositories lie on the own disk.
fn is_source(path: &Path, line: &str) -> bool {
    let is_dnf = path.extension().is_some_and(|extension| extension == "repo");
    let key = line.split('=').next().unwrap_or_default().trim();
    !is_dnf || !line.contains('=') || matches!(key, "baseurl" | "mirrorlist" | "metalink")
}

/// Returns the numbers of the lines of stanzas and sections that are switched off.
fn disabled_lines(path: &Path, text: &str) -> BTreeSet<u32> {
    let is_dnf = path.extension().is_some_and(|extension| extension == "repo");
    let is_stanza = path.extension().is_some_and(|extension| extension == "sources");
    let mut disabled = BTreeSet::new();
    let mut block: Vec<u32> = Vec::new();
    let mut is_off = false;
    for (line, text) in (1_u32..).zip(text.lines()) {
        let text = text.trim();
        if (is_stanza && text.is_empty()) || (is_dnf && text.starts_with('[')) {
            if is_off {
                disabled.extend(block.iter());
            }
            block.clear();
            is_off = false;
        }
        block.push(line);
        let lower = text.to_ascii_lowercase();
        if is_stanza && lower.strip_prefix("enabled:").is_some_and(|value| is_no(value.trim())) {
            is_off = true;
        }
        if is_dnf
            && lower
                .split_once('=')
                .is_some_and(|(key, value)| key.trim() == "enabled" && is_no(value.trim()))
        {
            is_off = true;
        }
    }
    if is_off {
        disabled.extend(block);
    }
    disabled
}

fn is_no(value: &str) -> bool {
    matches!(value, "no" | "0" | "false" | "off" | "disable" | "without")
}

/// Lists the files that name package sources.
fn sources(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = vec![PathBuf::from("/etc/apt/sources.list")];
    for (folder, endings) in [
        ("/etc/apt/sources.list.d", &["list", "sources"][..]),
        ("/etc/yum.repos.d", &["repo"]),
        ("/etc/apk", &["repositories"]),
    ] {
        for entry in cx.list(folder)? {
            let name = Path::new(&entry.name);
            let ending = name.extension().or(name.file_name()).and_then(|ending| ending.to_str());
            if ending.is_some_and(|ending| endings.contains(&ending)) {
                found.push(Path::new(folder).join(name));
            }
        }
    }
    Ok(found)
}

fn objection(scheme: &str, rest: &str) -> Option<&'static str> {
    match scheme {
        "file" | "copy" | "cdrom" => return Some("on the builder's own disk"),
        "http" | "https" | "ftp" | "tor+http" | "tor+https" | "mirror+http" | "mirror+https" => {}
        _ => return None,
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        let is_private = match address {
            IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
            IpAddr::V6(address) => {
                address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
            }
        };
        return is_private.then_some("at a private address");
    }
    // A variable such as $releasever is filled in by the package manager.
    let is_variable = host.contains('$') || host.is_empty();
    let lower = host.to_ascii_lowercase();
    let is_local_name = ["local", "localdomain", "internal", "lan", "home", "corp", "intranet", "localhost"]
        .iter()
        .any(|ending| lower == *ending || lower.ends_with(&format!(".{ending}")));
    (!is_variable && (is_local_name || !lower.contains('.'))).then_some("of the builder's network")
}

#[cfg(test)]
mod tests {
    use super::objection;
    use crate::testing::Fixture;

    #[test]
    fn only_what_any_instance_reaches_is_accepted() {
        for (scheme, rest, is_bad) in [
            ("http", "mirror.example/debian", false),
            ("https", "cdn.amazonlinux.com/al2023/$basearch", false),
            ("http", "user:pw@10.1.2.3:3142/debian", true),
            ("http", "[::1]:8080/x", true),
            ("http", "[2001:db8::1]/x", false),
            ("http", "mirror/debian", true),
            ("https", "apt.build.internal/x", true),
            ("file", "/srv/repo", true),
            ("http", "8.8.8.8/x", false),
        ] {
            assert_eq!(objection(scheme, rest).is_some(), is_bad, "{scheme} {rest}");
        }
    }

    #[test]
    fn keys_on_disk_and_sources_that_are_off_are_no_sources() {
        let fixture = Fixture::new()
            .file("/etc/yum.repos.d/a.repo", "[a]\nbaseurl=https://mirror.example/a\ngpgkey=file:///etc/pki/key\n[b]\nbaseurl=file:///b\nenabled=0\n[c]\nbaseurl=file:///c\n")
            .file("/etc/apt/sources.list.d/x.sources", "Types: deb\nEnabled: no\nURIs: http://localhost/d\n");
        assert_eq!(
            fixture.findings("NET-002"),
            ["/etc/yum.repos.d/a.repo:8 a package source on the builder's own disk"]
        );
    }

    #[test]
    fn both_formats_of_apt_are_read() {
        let fixture = Fixture::new()
            .file(
                "/etc/apt/sources.list",
                "# deb http://10.0.0.1/x y z\ndeb [trusted=yes] file:///srv/repo ./\n",
            )
            .file(
                "/etc/apt/sources.list.d/x.sources",
                "Types: deb\nURIs: https://mirror.example/debian http://localhost:3142/d\n",
            )
            .file("/etc/apt/sources.list.d/x.save", "deb http://localhost/x y z\n");
        assert_eq!(fixture.paths("NET-002"), ["/etc/apt/sources.list", "/etc/apt/sources.list.d/x.sources"]);
    }
}
