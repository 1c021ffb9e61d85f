use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::rule::finding;
use crate::system::kernels;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// The kernel that boots drives the disks and the network of EC2.
pub(in crate::rules) struct Drivers;

static META: RuleMeta = RuleMeta {
    id: "FS-007",
    title: "the kernel that boots is there, and drives EC2's disks and network",
    requirements: &["A9", "MP-A7"],
    rationale: "Nitro instances have NVMe disks and the Elastic Network Adapter, and nothing else. A kernel without a driver \
                for either finds no root file system, or no network.",
    remedy: "Install a kernel for clouds, or one with `nvme` and `ena`.",
    severities: Severities::public(Severity::High, Some(Severity::High)),
};

/// A driver: the file of its module, the option of the kernel's configuration, and what it is for.
const DRIVERS: [(&str, &str, &str); 2] =
    [("ena.ko", "CONFIG_ENA_ETHERNET", "the network"), ("nvme.ko", "CONFIG_BLK_DEV_NVME", "the disks")];
const MODULES: [&str; 2] = ["/usr/lib/modules", "/lib/modules"];

impl Rule for Drivers {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let found = cx.fact(kernels)?;
        if let Some(missing) = &found.missing {
            let message = format!("the boot loader starts `{missing}`, which is not there");
            return Ok(vec![finding(message, Path::new("/boot"))].into());
        }
        let Some(kernel) = found.kernels.iter().find(|kernel| kernel.is_default) else {
            return Ok(Verdict::NotApplicable("no boot loader says which kernel starts".to_owned()));
        };
        let mut lists = String::new();
        for folder in MODULES {
            for name in ["modules.dep", "modules.builtin"] {
                let path = Path::new(folder).join(&kernel.release).join(name);
                lists.push_str(&cx.text(path)?.unwrap_or_default());
            }
        }
        let config =
            cx.text(Path::new("/boot").join(format!("config-{}", kernel.release)))?.unwrap_or_default();
        if lists.is_empty() && config.is_empty() {
            let message = format!("nothing tells which drivers {} has", kernel.release);
            let found =
                Finding { severity: Some(Severity::Low), ..finding(message, Path::new(&kernel.path)) };
            return Ok(vec![found].into());
        }
        let findings: Vec<Finding> = DRIVERS
            .into_iter()
            .filter(|(module, option, _)| {
                let is_module = lists.lines().filter_map(|line| line.split(':').next()).any(|path| {
                    let name = path.rsplit('/').next().unwrap_or_default();
                    name == *module || name.strip_prefix(module).is_some_and(|rest| rest.starts_with('.'))
                });
                !is_module && !config.lines().any(|line| line == format!("{option}=y"))
            })
            .map(|(module, _, what)| {
                let name = module.trim_end_matches(".ko");
                finding(
                    format!("{} has no driver `{name}` for {what}", kernel.release),
                    Path::new(&kernel.path),
                )
            })
            .collect();
        Ok(findings.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn image() -> Fixture {
        Fixture::new()
            .file("/boot/vmlinuz-6.1.0", "")
            .file("/boot/grub/grub.cfg", "menuentry 'x' {\n\tlinux\t/boot/vmlinuz-6.1.0 root=UUID=1 ro\n}\n")
    }

    #[test]
    fn modules_and_what_is_built_in_count() {
        let modules = "kernel/drivers/net/ethernet/amazon/ena/ena.ko.xz:\n";
        let fixture = image().file("/usr/lib/modules/6.1.0/modules.dep", modules);
        assert_eq!(
            fixture.findings("FS-007"),
            ["/boot/vmlinuz-6.1.0 6.1.0 has no driver `nvme` for the disks"]
        );
        assert!(fixture.file("/boot/config-6.1.0", "CONFIG_BLK_DEV_NVME=y\n").is_pass("FS-007"));
    }

    #[test]
    fn a_kernel_that_tells_nothing_is_no_evidence() {
        assert_eq!(image().findings("FS-007"), ["/boot/vmlinuz-6.1.0 nothing tells which drivers 6.1.0 has"]);
    }
}
