//! Packages of kernels: which hold the kernel itself, and which of those boots.

use amint_types::scan::{Kernel, ScannedPackage};

/// What the packages of a kernel's source mean for the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KernelRole {
    /// The source is no kernel.
    None,
    /// The kernel that boots, or nothing says that it is not.
    Boots,
    /// A kernel that can be chosen in the boot menu.
    Present,
    /// Headers, tools and documentation only.
    NoKernel,
}

/// Tells what packages of one source and version are.
pub(super) fn role(source: &str, packages: &[&ScannedPackage], kernels: &[Kernel]) -> KernelRole {
    if !is_kernel_source(source) {
        return KernelRole::None;
    }
    let mut images = packages.iter().filter(|package| is_image(&package.name)).peekable();
    if images.peek().is_none() {
        return KernelRole::NoKernel;
    }
    let has_default = kernels.iter().any(|kernel| kernel.is_default);
    let boots =
        images.any(|package| kernels.iter().any(|kernel| kernel.is_default && is_of(kernel, package)));
    if boots || !has_default { KernelRole::Boots } else { KernelRole::Present }
}

fn is_kernel_source(source: &str) -> bool {
    const NOT_KERNELS: [&str; 8] = [
        "linux-base",
        "linux-firmware",
        "linux-atm",
        "linux-pam",
        "linux-ftpd",
        "linux-meta",
        "linux-sgx",
        "linux-user-chroot",
    ];
    if NOT_KERNELS.iter().any(|name| source.starts_with(name)) {
        return false;
    }
    let starts = |name: &str| source == name || source.starts_with(&format!("{name}-"));
    starts("linux") || starts("kernel") || source.starts_with("kernel6.") || source.starts_with("kernel5.")
}

fn is_image(name: &str) -> bool {
    const STARTS: [&str; 8] = [
        "linux-image",
        "linux-modules",
        "linux-lts",
        "linux-virt",
        "kernel-core",
        "kernel-modules",
        "kernel-default",
        "kernel-uek",
    ];
    const OTHERS: [&str; 5] = ["headers", "devel", "source", "doc", "tools"];
    let is_other = OTHERS.iter().any(|word| name.contains(word)) || name.contains("-dbg");
    if is_other {
        return false;
    }
    let is_plain = matches!(name, "kernel" | "linux" | "kernel-azure" | "kernel-rt")
        || name.strip_prefix("kernel").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    is_plain || STARTS.iter().any(|start| name.starts_with(start))
}

/// Tells whether a kernel is of a package: by name, by the release in the name (dpkg), or by version (rpm).
fn is_of(kernel: &Kernel, package: &ScannedPackage) -> bool {
    let version = package.version.split_once(':').map_or(package.version.as_str(), |(_, rest)| rest);
    let by_version = !version.is_empty() && kernel.release.starts_with(version);
    let by_release = package.name.ends_with(&format!("-{}", kernel.release));
    // All kernels of rpm may have one name: then the version tells them apart.
    let by_name = kernel.package.as_deref() == Some(package.name.as_str())
        && (package.kind != amint_types::scan::PackageKind::Rpm || by_version);
    by_name || by_release || by_version
}
