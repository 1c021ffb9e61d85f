use std::path::Path;

use amint_disk::tree::{Attribute, FileKind, TreeError, WalkLimits, WalkStep};
use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::packages::{Installed, installed};
use crate::rule::finding;
use crate::system::FileCapabilities;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// Extended attributes give nobody more than modes and packages do.
pub(in crate::rules) struct Attributes;

static META: RuleMeta = RuleMeta {
    id: "SEC-012",
    title: "extended attributes give no rights that modes hide",
    requirements: &["A2", "B6", "MP-G7"],
    rationale: "A file capability is a setuid bit that no listing of modes shows, an access list lets in whom the mode keeps \
                out, and a key of IMA decides which programs an instance trusts.",
    remedy: "Take capabilities away with `setcap -r`, access lists with `setfacl -b`, and keys out of /etc/keys.",
    severities: Severities::public(Severity::High, Some(Severity::High)),
};

/// With one of these a program is as good as root.
const LIKE_ROOT: [&str; 15] = [
    "bpf",
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "mac_admin",
    "mac_override",
    "setfcap",
    "setgid",
    "setuid",
    "sys_admin",
    "sys_chroot",
    "sys_module",
    "sys_ptrace",
    "sys_rawio",
];
/// Where an access list can open what protects the system.
const GUARDED: [&str; 8] = ["/bin", "/boot", "/etc", "/lib", "/root", "/sbin", "/usr", "/var/spool/cron"];
/// What a running system fills.
const SKIPPED: [&str; 4] = ["/dev", "/proc", "/run", "/sys"];
const EXECUTE: u32 = 0o111;
const FINDINGS_MAX: usize = 1000;
/// Where the kernel's keyring for files is filled from (`CONFIG_IMA_X509_PATH`, dracut's module for integrity).
const IMA_KEYS: [&str; 2] = ["/etc/keys", "/etc/keys/ima"];

impl Rule for Attributes {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        if cx.attributes(Path::new("/"))?.is_none() {
            return Ok(Verdict::NotApplicable("the files' extended attributes are not known".to_owned()));
        }
        let installed = installed(cx)?;
        let mut findings = ima_keys(cx)?;
        let mut failed: Option<TreeError> = None;
        cx.tree().walk(Path::new("/"), WalkLimits::default(), &mut |entry| {
            if SKIPPED.iter().any(|skipped| entry.path == Path::new(skipped)) {
                return WalkStep::Skip;
            }
            let is_asked = match entry.metadata.kind {
                FileKind::File => entry.metadata.mode & EXECUTE != 0 || is_guarded(&entry.path),
                FileKind::Directory => is_guarded(&entry.path),
                _ => false,
            };
            if !is_asked || findings.len() >= FINDINGS_MAX {
                return WalkStep::Continue;
            }
            match cx.tree().attributes(&entry.path) {
                Ok(attributes) => {
                    for attribute in attributes.iter().flatten() {
                        findings.extend(judge(&entry.path, attribute, &installed));
                    }
                    WalkStep::Continue
                }
                Err(error) => {
                    failed = Some(error);
                    WalkStep::Stop
                }
            }
        })?;
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(findings.into()),
        }
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let path = &finding.evidence.path;
        let is_plain = path.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-+".contains(letter));
        (is_plain && finding.message.starts_with("has cap_"))
            .then(|| RecipeChange::Run(format!("setcap -r {path}")))
    }
}

fn low(message: String, path: &Path) -> Finding {
    let mut found = finding(message, path);
    found.severity = Some(Severity::Low);
    found
}

fn is_guarded(path: &Path) -> bool {
    GUARDED.iter().any(|folder| path.starts_with(folder))
}

fn judge(path: &Path, attribute: &Attribute, installed: &Installed) -> Option<Finding> {
    match attribute.name.as_slice() {
        b"security.capability" => capabilities(path, &attribute.value, installed),
        b"system.posix_acl_access" | b"system.posix_acl_default" if is_guarded(path) => {
            let (who, severity) = widest(&attribute.value)?;
            let mut found = finding(format!("an access list lets {who}"), path);
            found.severity = Some(severity);
            Some(found)
        }
        name if name.starts_with(b"trusted.overlay.") => {
            let name = String::from_utf8_lossy(name).into_owned();
            Some(low(format!("has {name}, left by the layers of a container"), path))
        }
        _ => None,
    }
}

/// Packages set capabilities when they are installed; what none of them brought has been given rights by somebody.
fn capabilities(path: &Path, value: &[u8], installed: &Installed) -> Option<Finding> {
    if installed.owner(&path.to_string_lossy()).is_some() {
        return None;
    }
    let Some(capabilities) = FileCapabilities::parse(value) else {
        return Some(low("has capabilities in a form that is not known".to_owned(), path));
    };
    let message = format!("has {capabilities}, and no package brought it");
    let is_like_root = LIKE_ROOT.iter().any(|name| capabilities.permits(name));
    Some(if is_like_root { finding(message, path) } else { low(message, path) })
}

/// Reads an access list (acl(5), in the kernel's form: version 2, then tag, rights and id of each entry), and returns whom
/// it lets do what beyond the mode.
fn widest(value: &[u8]) -> Option<(String, Severity)> {
    const USER: u16 = 0x02;
    const GROUP: u16 = 0x08;
    const MASK: u16 = 0x10;
    let entries: Vec<(u16, u16, u32)> = value
        .get(4..)?
        .chunks_exact(8)
        .filter_map(|entry| {
            let half = |at: usize| Some(u16::from_le_bytes(entry.get(at..at + 2)?.try_into().ok()?));
            Some((half(0)?, half(2)?, u32::from_le_bytes(entry.get(4..8)?.try_into().ok()?)))
        })
        .collect();
    let mask = entries.iter().find(|(tag, ..)| *tag == MASK).map_or(7, |(_, rights, _)| *rights);
    let named = entries
        .iter()
        .filter(|(tag, rights, id)| matches!(*tag, USER | GROUP) && *id != 0 && rights & mask & 0o6 != 0);
    let (tag, rights, id) = named.max_by_key(|(_, rights, _)| rights & mask & 0o2)?;
    let kind = if *tag == USER { "user" } else { "group" };
    let (action, severity) = match rights & mask & 0o2 {
        0 => ("read", Severity::Low),
        _ => ("write", Severity::Medium),
    };
    Some((format!("{kind} {id} {action}"), severity))
}

/// Lists keys that decide which files an instance takes for genuine.
fn ima_keys(cx: &Context<'_>) -> Result<Vec<Finding>, CheckError> {
    let mut found = Vec::new();
    for folder in IMA_KEYS {
        for entry in cx.list(folder)?.into_iter().filter(|entry| entry.kind == FileKind::File) {
            let path = Path::new(folder).join(&entry.name);
            let is_key = path.extension().is_some_and(|ending| ending == "der" || ending == "pem");
            if is_key && installed(cx)?.owner(&path.to_string_lossy()).is_none() {
                let message = "a key of the builder's, by which instances take files for genuine";
                found.push(low(message.to_owned(), &path));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use amint_types::Severity;

    use super::widest;
    use crate::testing::Fixture;

    #[test]
    fn access_lists_are_read_with_their_mask() {
        let list = |mask: u16| {
            let entries = [
                (1, 6, u32::MAX),
                (2, 6, 1000),
                (4, 4, u32::MAX),
                (0x10, mask, u32::MAX),
                (0x20, 0, u32::MAX),
            ];
            let mut value = vec![2, 0, 0, 0];
            for (tag, rights, id) in entries {
                value.extend(u16::to_le_bytes(tag));
                value.extend(u16::to_le_bytes(rights));
                value.extend(u32::to_le_bytes(id));
            }
            value
        };
        assert_eq!(widest(&list(6)), Some(("user 1000 write".to_owned(), Severity::Medium)));
        assert_eq!(widest(&list(4)), Some(("user 1000 read".to_owned(), Severity::Low)));
        assert_eq!(widest(&list(0)), None);
        assert_eq!(widest(b"\x02"), None);
    }

    #[test]
    fn keys_for_genuine_files_are_told() {
        let fixture = Fixture::new().file("/etc/keys/x509_ima.der", "0").file("/etc/keys/README", "");
        assert_eq!(fixture.paths("SEC-012"), ["/etc/keys/x509_ima.der"]);
    }
}
