//! Why a finding weighs less than its advisory says.

use amint_types::Severity;
use amint_types::scan::{Lowered, ScannedPackage};

use crate::record::Flags;

use super::decide::Hit;
use super::kernel::KernelRole;

/// No file of the package is code.
pub(crate) const NO_CODE: &str = "none of its files is code";
/// Only headers, tools or documentation of a kernel.
pub(crate) const NO_KERNEL: &str = "only headers or tools of the kernel, and not the kernel itself";
/// The boot loader starts another kernel.
pub(crate) const NOT_DEFAULT: &str = "the kernel is not the one that boots";
/// Debian's urgency `unimportant`.
pub(crate) const UNIMPORTANT: &str = "the distribution calls it unimportant";
/// A changelog says so.
pub(crate) const DENIED: &str = "the package's changelog says that it does not apply";

/// Tells whether nothing of the packages can be attacked.
pub(super) fn holds_no_code(packages: &[&ScannedPackage]) -> bool {
    packages.iter().all(|package| match package.has_code {
        Some(has_code) => !has_code,
        None => package.name.ends_with("-doc") || package.name.ends_with("-docs"),
    })
}

/// Returns the severity that counts, and why it is not the advisory's.
pub(super) fn lower(
    severity: Severity,
    hit: &Hit,
    kernel: KernelRole,
    packages: &[&ScannedPackage],
) -> (Severity, Option<Lowered>) {
    let to = |limit: Severity, reason: &str| {
        let lowered = Lowered { from: severity, reason: reason.to_owned() };
        (severity.min(limit), (severity > limit).then_some(lowered))
    };
    if kernel == KernelRole::NoKernel {
        return to(Severity::Info, NO_KERNEL);
    }
    if holds_no_code(packages) {
        return to(Severity::Info, NO_CODE);
    }
    if hit.flags.has(Flags::UNIMPORTANT) {
        return to(Severity::Info, UNIMPORTANT);
    }
    if hit.is_denied {
        return to(Severity::Info, DENIED);
    }
    if kernel == KernelRole::Present {
        return to(Severity::Low, NOT_DEFAULT);
    }
    (severity, None)
}
