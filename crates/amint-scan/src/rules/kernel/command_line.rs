use std::path::Path;

use amint_types::scan::Kernel;
use amint_types::{Severity, weakening_arguments};

use crate::rule::{finding, finding_at};
use crate::system::kernels;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// The kernel is started with its guards on.
pub(in crate::rules) struct CommandLine;

static META: RuleMeta = RuleMeta {
    id: "KRN-003",
    title: "the kernel starts with its guards on, and speaks on the serial console",
    requirements: &["A9", "B6", "CIS-1.4", "MP-L4"],
    rationale: "A few words on the kernel's command line switch off mandatory access control, the mitigations of \
                processors' flaws or the audit trail, or start a shell of root instead of the system. Without a serial \
                console EC2 shows nothing of a boot that fails.",
    remedy: "Take the words out of /etc/default/grub, /etc/kernel/cmdline or the boot entries, add `console=ttyS0`, and make \
             the boot loader's configuration anew.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

/// What the next configuration of GRUB is made of.
const GRUB_DEFAULTS: &str = "/etc/default/grub";
/// The consoles that EC2 shows.
const SERIAL: [&str; 3] = ["console=ttyS0", "console=ttyAMA0", "console=hvc0"];

impl Rule for CommandLine {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let found = cx.fact(kernels)?;
        if found.kernels.is_empty() {
            return Ok(Verdict::NotApplicable("there is no kernel".to_owned()));
        }
        let mut findings = Vec::new();
        let default = found.kernels.iter().find(|kernel| kernel.is_default);
        let grub = cx.text(GRUB_DEFAULTS)?;
        if default.is_none() && grub.is_none() {
            return Ok(Verdict::NotApplicable("no boot loader says how the kernel is started".to_owned()));
        }
        if let Some((kernel, line)) = default.and_then(|kernel| Some((kernel, kernel.command_line.as_ref()?)))
        {
            findings.extend(weakening_arguments(line).map(|word| {
                finding(format!("the kernel is started with `{word}`"), Path::new(&kernel.path))
            }));
            if !line.split_whitespace().any(|word| SERIAL.iter().any(|console| word.starts_with(console))) {
                let mut found = finding("no serial console is named", Path::new(&kernel.path));
                found.severity = Some(Severity::Low);
                findings.push(found);
            }
        }
        let told = |word: &str| default_has(default, word);
        for (number, text) in (1_u32..).zip(grub.unwrap_or_default().lines()) {
            let Some((key, value)) = text.split_once('=') else { continue };
            if !matches!(key.trim(), "GRUB_CMDLINE_LINUX" | "GRUB_CMDLINE_LINUX_DEFAULT") {
                continue;
            }
            let value = value.trim().trim_matches(['"', '\'']).to_owned();
            findings.extend(weakening_arguments(&value).filter(|word| !told(word)).map(|word| {
                let message = format!("the next configuration of GRUB starts the kernel with `{word}`");
                finding_at(message, Path::new(GRUB_DEFAULTS), number, text)
            }));
        }
        Ok(findings.into())
    }
}

fn default_has(kernel: Option<&Kernel>, word: &str) -> bool {
    let line = kernel.and_then(|kernel| kernel.command_line.as_deref()).unwrap_or_default();
    line.split_whitespace().any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn grub(line: &str) -> Fixture {
        Fixture::new().file("/boot/vmlinuz-6.1.0", "").file(
            "/boot/grub/grub.cfg",
            &format!("menuentry 'x' {{\n\tlinux\t/boot/vmlinuz-6.1.0 root=UUID=1 ro {line}\n}}\n"),
        )
    }

    #[test]
    fn words_that_take_guards_away_are_found() {
        assert!(grub("console=ttyS0,115200n8 mitigations=auto init_on_alloc=1").is_pass("KRN-003"));
        let weak = grub("console=ttyS0 apparmor=0 init=/bin/sh systemd.debug_shell=1 -- single");
        assert_eq!(weak.findings("KRN-003").len(), 3, "{:?}", weak.findings("KRN-003"));
        assert!(grub("console=ttyS0 init=/usr/lib/systemd/systemd").is_pass("KRN-003"));
        for unknown in [Fixture::new(), Fixture::new().file("/boot/vmlinuz-6.1.0", "")] {
            assert!(matches!(unknown.check("KRN-003"), Verdict::NotApplicable(_)));
        }
    }

    #[test]
    fn a_silent_boot_weighs_little() {
        let Verdict::Fail(findings) = grub("quiet").check("KRN-003") else { panic!("must fail") };
        assert_eq!((findings.len(), findings[0].severity), (1, Some(Severity::Low)));
    }

    #[test]
    fn what_grub_will_be_made_of_counts_and_comments_do_not() {
        let fixture = grub("console=ttyS0").file(
            "/etc/default/grub",
            "# GRUB_CMDLINE_LINUX=\"selinux=0\"\nGRUB_CMDLINE_LINUX_RECOVERY=\"single\"\nGRUB_CMDLINE_LINUX=\"nokaslr quiet\"\n",
        );
        assert_eq!(
            fixture.findings("KRN-003"),
            ["/etc/default/grub:3 the next configuration of GRUB starts the kernel with `nokaslr`"]
        );
    }
}
