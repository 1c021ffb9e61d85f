use amint_types::Severity;

use super::started::Started;
use crate::facts::units::{self, Entry};
use crate::rule::finding;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// Services that the product brings give up what they do not need.
pub(in crate::rules) struct Sandboxing;

static META: RuleMeta = RuleMeta {
    id: "SVC-009",
    title: "the product's own services are confined",
    requirements: &["B6"],
    rationale: "A service that runs as root without limits gives the whole machine to whoever breaks it. systemd takes \
                rights away by a few lines in the unit.",
    remedy: "Set `User=` or `DynamicUser=`, `NoNewPrivileges=`, `ProtectSystem=`, `ProtectHome=`, `PrivateTmp=` and \
             `CapabilityBoundingSet=` in the unit.",
    severities: Severities {
        marketplace: Some(Severity::Low),
        shared_linux: Some(Severity::Low),
        hardened: Some(Severity::Low),
        hardened_level_2: None,
        private: Some(Severity::Info),
    },
};

/// Settings that count when they are on.
const SWITCHES: [&str; 9] = [
    "NoNewPrivileges",
    "PrivateTmp",
    "PrivateDevices",
    "ProtectKernelTunables",
    "ProtectKernelModules",
    "ProtectControlGroups",
    "RestrictSUIDSGID",
    "LockPersonality",
    "MemoryDenyWriteExecute",
];
/// Settings that count when they say anything but `no`.
const OTHERS: [&str; 6] = [
    "ProtectSystem",
    "ProtectHome",
    "CapabilityBoundingSet",
    "RestrictAddressFamilies",
    "SystemCallFilter",
    "RestrictNamespaces",
];
/// A service that does not run as root needs this many of them, and one that does twice as many.
const ENOUGH: usize = 4;

impl Rule for Sandboxing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        let mut is_any = false;
        for service in &cx.fact(Started::load)?.0 {
            let Some(path) = units::path_of(cx, &service.name)? else { continue };
            // Units of packages lie under /usr/lib; what lies elsewhere is the product's own.
            let is_own = path.starts_with("/etc/systemd") || path.starts_with("/usr/local");
            let is_file = cx.metadata(&path)?.is_some_and(|metadata| metadata.is_file());
            if !service.name.ends_with(".service") || !is_own || !is_file {
                continue;
            }
            let Some(unit) = units::load(cx, &service.name)? else { continue };
            // What runs once at boot sets the machine up, and needs the rights for that.
            if units::values(&unit, "Service", "Type").last().is_some_and(|entry| entry.value == "oneshot") {
                continue;
            }
            is_any = true;
            let (is_root, score) = (runs_as_root(&unit), score(&unit));
            if score < if is_root { 2 * ENOUGH } else { ENOUGH } {
                let who = if is_root { "as root" } else { "as a user of its own" };
                let total = SWITCHES.len() + OTHERS.len();
                let message = format!("{} runs {who} with {score} of {total} confinements", service.name);
                findings.push(finding(message, &path));
            }
        }
        if !is_any {
            return Ok(Verdict::NotApplicable("no service of the product's own".to_owned()));
        }
        Ok(findings.into())
    }
}

fn runs_as_root(unit: &[Entry]) -> bool {
    let user = units::values(unit, "Service", "User").last().map(|entry| entry.value.as_str());
    let is_dynamic = units::switch(unit, "Service", "DynamicUser") == Some(true);
    !is_dynamic && user.is_none_or(|user| user == "root" || user == "0")
}

fn score(unit: &[Entry]) -> usize {
    let switches = SWITCHES.iter().filter(|key| units::switch(unit, "Service", key) == Some(true)).count();
    let others = OTHERS.iter().filter(|key| {
        let last = unit.iter().rfind(|entry| entry.section == "Service" && entry.key == **key);
        // An empty set of capabilities is the strictest of all.
        last.is_some_and(|entry| {
            let is_off = ["no", "false", "0", "off"].contains(&entry.value.to_ascii_lowercase().as_str());
            !is_off && (!entry.value.is_empty() || **key == "CapabilityBoundingSet")
        })
    });
    switches + others.count()
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::testing::Fixture;

    fn system(place: &str, content: &str) -> Fixture {
        Fixture::new()
            .file("/usr/lib/systemd/systemd", "")
            .file("/usr/lib/systemd/system/multi-user.target", "[Unit]\n")
            .link("/usr/lib/systemd/system/multi-user.target", "/etc/systemd/system/default.target")
            .file(&format!("{place}/app.service"), content)
            .link("../app.service", "/etc/systemd/system/multi-user.target.wants/app.service")
    }

    #[test]
    fn an_unconfined_service_of_the_product_is_told_and_a_packages_is_not() {
        let plain = "[Service]\nExecStart=/opt/app\n";
        assert_eq!(
            system("/etc/systemd/system", plain).findings("SVC-009"),
            ["/etc/systemd/system/app.service app.service runs as root with 0 of 15 confinements"]
        );
        assert!(matches!(
            system("/usr/lib/systemd/system", plain).check("SVC-009"),
            Verdict::NotApplicable(_)
        ));
    }

    #[test]
    fn drop_ins_count() {
        let fixture = system("/etc/systemd/system", "[Service]\nExecStart=/opt/app\nUser=app\n").file(
            "/etc/systemd/system/app.service.d/confined.conf",
            "[Service]\nNoNewPrivileges=yes\nProtectSystem=strict\nPrivateTmp=on\nCapabilityBoundingSet=\n",
        );
        assert!(fixture.is_pass("SVC-009"));
    }
}
