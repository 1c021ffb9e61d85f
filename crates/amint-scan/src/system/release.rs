//! Which operating system it is: `os-release(5)`, and what came before it.

use std::collections::BTreeMap;

use amint_types::scan::OperatingSystem;
use jiff::civil::Date;

use super::{elf, support};
use crate::{CheckError, Context};

/// Where the release is told, most important first (`os-release(5)`).
const RELEASE_FILES: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];
/// Older files: path and the id that they stand for.
const OLD_FILES: [(&str, &str); 6] = [
    ("/etc/alpine-release", "alpine"),
    ("/etc/debian_version", "debian"),
    ("/etc/centos-release", "centos"),
    ("/etc/system-release", "amzn"),
    ("/etc/redhat-release", "rhel"),
    ("/etc/SuSE-release", "sles"),
];
/// Programs that every system has: their header tells the machine.
const PROGRAMS: [&str; 4] = ["/usr/bin/env", "/bin/sh", "/bin/busybox", "/sbin/init"];

/// Returns the variables of `os-release`; empty when there is none.
pub fn os_release(cx: &Context<'_>) -> Result<BTreeMap<String, String>, CheckError> {
    for path in RELEASE_FILES {
        if let Some(text) = cx.text(path)? {
            return Ok(text.lines().filter_map(assignment).collect());
        }
    }
    Ok(BTreeMap::new())
}

/// Tells which operating system it is and where its support stands on a day; none when nothing says.
pub fn operating_system(cx: &Context<'_>, today: Date) -> Result<Option<OperatingSystem>, CheckError> {
    let mut release = os_release(cx)?;
    if !release.contains_key("ID") {
        release = old_release(cx)?;
    }
    let Some(id) = release.get("ID").filter(|id| !id.is_empty()).cloned() else { return Ok(None) };
    let version_id = release.get("VERSION_ID").filter(|version| !version.is_empty()).cloned();
    let support = support::find(support_id(&id, &release), version_id.as_deref());
    Ok(Some(OperatingSystem {
        name: release.get("PRETTY_NAME").cloned().unwrap_or_else(|| {
            [Some(id.as_str()), version_id.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }),
        codename: release.get("VERSION_CODENAME").filter(|name| !name.is_empty()).cloned(),
        like: release
            .get("ID_LIKE")
            .map(|like| like.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default(),
        architecture: architecture(cx, &id)?,
        support: support
            .as_ref()
            .map_or(amint_types::scan::SupportState::Unknown, |support| support.on(today)),
        support_ends: support.as_ref().map(|support| support.ends),
        long_term_support_ends: support.and_then(|support| support.long_term_ends),
        version_id,
        id,
    }))
}

/// CentOS and CentOS Stream share one id and differ in support.
fn support_id<'a>(id: &'a str, release: &BTreeMap<String, String>) -> &'a str {
    let is_stream = release.get("NAME").is_some_and(|name| name.contains("Stream"));
    match id {
        "centos" if is_stream => "centos-stream",
        "centos" => "centos-linux",
        other => other,
    }
}

fn old_release(cx: &Context<'_>) -> Result<BTreeMap<String, String>, CheckError> {
    for (path, id) in OLD_FILES {
        let Some(text) = cx.text(path)? else { continue };
        let line = text.lines().next().unwrap_or_default().trim().to_owned();
        let version: String = line
            .chars()
            .skip_while(|letter| !letter.is_ascii_digit())
            .take_while(|letter| letter.is_ascii_digit() || *letter == '.')
            .collect();
        // Debian and its like support releases, not points of them.
        let version = if id == "debian" {
            version.split('.').next().unwrap_or_default()
        } else {
            version.trim_end_matches('.')
        };
        let pairs = [("ID", id), ("VERSION_ID", version), ("PRETTY_NAME", line.as_str())];
        return Ok(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    }
    Ok(BTreeMap::new())
}

fn architecture(cx: &Context<'_>, id: &str) -> Result<Option<String>, CheckError> {
    for path in PROGRAMS {
        let Some(machine) = elf::machine(cx, path)? else { continue };
        let is_debian = cx.exists("/var/lib/dpkg/status")? || matches!(id, "debian" | "ubuntu");
        return Ok(Some(elf::architecture(machine, is_debian)));
    }
    Ok(None)
}

/// Reads `KEY=value` with the quoting of the shell, as far as the format allows it.
fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (key, value) = line.split_once('=')?;
    let mut plain = String::new();
    let mut quote = None;
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), close) if open == close => quote = None,
            (None | Some('"'), '\\') => plain.extend(letters.next()),
            _ => plain.push(letter),
        }
    }
    Some((key.trim().to_owned(), plain))
}

#[cfg(test)]
mod tests {
    use amint_types::scan::SupportState;
    use jiff::civil::date;

    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn tells_release_and_support() {
        let text = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID='12'\nVERSION_CODENAME=bookworm\n";
        Fixture::new().file("/usr/lib/os-release", text).with(|cx| {
            let system = operating_system(cx, date(2026, 8, 1)).unwrap().unwrap();
            assert_eq!((system.id.as_str(), system.version_id.as_deref()), ("debian", Some("12")));
            assert_eq!(system.support, SupportState::Limited);
            let at = |day| operating_system(cx, day).unwrap().unwrap().support;
            assert_eq!(at(date(2026, 7, 11)), SupportState::Supported);
            assert_eq!(at(date(2028, 7, 1)), SupportState::Ended);
        });
    }

    #[test]
    fn knows_systems_older_than_os_release_and_nothing_of_none() {
        Fixture::new().file("/etc/centos-release", "CentOS release 6.10 (Final)\n").with(|cx| {
            let system = operating_system(cx, date(2026, 8, 1)).unwrap().unwrap();
            assert_eq!((system.id.as_str(), system.version_id.as_deref()), ("centos", Some("6.10")));
            assert_eq!(system.support, SupportState::Ended);
        });
        Fixture::new().with(|cx| assert_eq!(operating_system(cx, date(2026, 8, 1)).unwrap(), None));
    }
}
