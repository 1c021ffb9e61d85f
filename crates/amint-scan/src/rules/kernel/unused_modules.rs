use std::fmt::Write;
use std::path::Path;

use amint_types::Severity;

use crate::facts::modprobe::Modprobe;
use crate::rule::{finding, finding_at};
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

/// Of several lines for one module modprobe takes the first, by the names of the files.
const DROP_IN: &str = "/etc/modprobe.d/00-amint-unused.conf";
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
        let modprobe = Modprobe::load(cx)?;
        let is_open = |module: &&&str| !modprobe.is_blocked(module) && !modprobe.is_builtin(module);
        let findings = MODULES.iter().filter(is_open).map(|module| {
            let message = format!("module {module} can be loaded");
            match modprobe.install(module) {
                Some(other) => finding_at(message, &other.path, other.line, &other.command),
                None => finding(message, Path::new("/etc/modprobe.d")),
            }
        });
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

    #[test]
    fn a_line_of_another_file_that_loads_all_the_same_is_overruled() {
        let fixture = Fixture::new()
            .file("/etc/modprobe.d/10-x.conf", "install hfs /sbin/modprobe --ignore-install hfs\n")
            .file("/etc/modprobe.d/20-y.conf", "install hfs /bin/false\n");
        assert!(
            fixture
                .findings("KRN-002")
                .contains(&"/etc/modprobe.d/10-x.conf:1 module hfs can be loaded".to_owned())
        );
        fixture.harden_twice();
        assert!(fixture.is_pass("KRN-002"));
    }
}
