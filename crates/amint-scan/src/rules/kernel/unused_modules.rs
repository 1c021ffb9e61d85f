use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Kernel code that no instance needs cannot be loaded.
pub(in crate::rules) struct UnusedModules;

static META: RuleMeta = RuleMeta {
    id: "KRN-002",
    title: "modules of rare file systems and protocols are blocked",
    requirements: &["A12", "B6", "CIS-1.1", "CIS-3.2"],
    rationale: "The kernel loads a module when somebody mounts its file system or opens its socket; code that is hardly \
                used is hardly tested.",
    remedy: "Put `install NAME /bin/false` and `blacklist NAME` into a file of /etc/modprobe.d.",
    severities: Severities::hardened(Severity::Low),
};

const DROP_IN: &str = "/etc/modprobe.d/amint-unused.conf";
const FOLDERS: [&str; 4] =
    ["/etc/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"];
pub(crate) const MODULES: [&str; 12] = [
    "cramfs",
    "dccp",
    "freevxfs",
    "hfs",
    "hfsplus",
    "jffs2",
    "rds",
    "sctp",
    "squashfs",
    "tipc",
    "udf",
    "usb-storage",
];

impl Rule for UnusedModules {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let blocked = blocked(cx)?;
        let open = MODULES.iter().filter(|module| !blocked.contains(&plain(module)));
        let findings = open
            .map(|module| finding(format!("module {module} can be loaded"), Path::new("/etc/modprobe.d")));
        Ok(findings.collect::<Vec<_>>().into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            if UnusedModules.check(&cx.look())? == Verdict::Pass {
                return Ok(());
            }
            let mut content = String::from("# Written by amint.\n");
            for module in MODULES {
                let _ = writeln!(content, "install {module} /bin/false\nblacklist {module}");
            }
            cx.write(DROP_IN, &content, 0o644)
        })
    }
}

/// Lists the modules whose loading is replaced by a program that does nothing.
fn blocked(cx: &Context<'_>) -> Result<BTreeSet<String>, CheckError> {
    let mut blocked = BTreeSet::new();
    for folder in FOLDERS {
        for entry in cx.list(folder)? {
            let path = Path::new(folder).join(&entry.name);
            let is_conf = path.extension().is_some_and(|extension| extension == "conf");
            if !is_conf || !cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file()) {
                continue;
            }
            for line in cx.text(&path)?.unwrap_or_default().lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                if let [
                    "install",
                    module,
                    "/bin/false" | "/bin/true" | "/usr/bin/false" | "/usr/bin/true",
                    ..,
                ] = words[..]
                {
                    blocked.insert(plain(module));
                }
            }
        }
    }
    Ok(blocked)
}

/// The kernel takes `-` and `_` in module names for the same.
fn plain(module: &str) -> String {
    module.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn a_blacklist_line_alone_does_not_block() {
        let fixture = Fixture::new().file(
            "/etc/modprobe.d/x.conf",
            "blacklist hfs\ninstall usb_storage /bin/true\n#install rds /bin/false\n",
        );
        let findings = fixture.findings("KRN-002").join("\n");
        assert!(
            findings.contains("module hfs ")
                && findings.contains("module rds ")
                && !findings.contains("usb-storage")
        );
        fixture.harden_twice();
        assert!(fixture.is_pass("KRN-002"));
    }
}
