//! Instance types: what of them matters to a machine here. Names, processors and memory are EC2's.

/// An instance type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InstanceType {
    pub(crate) name: &'static str,
    pub(crate) cpus: u32,
    pub(crate) memory_mib: u32,
    /// `x86_64` or `arm64`.
    pub(crate) architecture: &'static str,
    /// Whether it starts by UEFI at all.
    pub(crate) has_uefi: bool,
}

const fn x86(name: &'static str, cpus: u32, memory_mib: u32) -> InstanceType {
    InstanceType { name, cpus, memory_mib, architecture: "x86_64", has_uefi: true }
}

/// A type of the older hypervisor, which has no UEFI.
const fn older(name: &'static str, cpus: u32, memory_mib: u32) -> InstanceType {
    InstanceType { has_uefi: false, ..x86(name, cpus, memory_mib) }
}

const fn arm(name: &'static str, cpus: u32, memory_mib: u32) -> InstanceType {
    InstanceType { name, cpus, memory_mib, architecture: "arm64", has_uefi: true }
}

/// The types that there are, sorted by name.
pub(crate) const INSTANCE_TYPES: [InstanceType; 45] = [
    x86("c5.2xlarge", 8, 16_384),
    x86("c5.large", 2, 4096),
    x86("c5.xlarge", 4, 8192),
    x86("c6i.large", 2, 4096),
    x86("c6i.xlarge", 4, 8192),
    arm("c7g.large", 2, 4096),
    arm("c7g.medium", 1, 2048),
    arm("c7g.xlarge", 4, 8192),
    x86("m5.2xlarge", 8, 32_768),
    x86("m5.large", 2, 8192),
    x86("m5.xlarge", 4, 16_384),
    arm("m6g.large", 2, 8192),
    arm("m6g.medium", 1, 4096),
    x86("m6i.large", 2, 8192),
    x86("m6i.xlarge", 4, 16_384),
    arm("m7g.large", 2, 8192),
    arm("m7g.medium", 1, 4096),
    x86("m7i.large", 2, 8192),
    x86("r5.large", 2, 16_384),
    x86("r6i.large", 2, 16_384),
    older("t2.large", 2, 8192),
    older("t2.medium", 2, 4096),
    older("t2.micro", 1, 1024),
    older("t2.nano", 1, 512),
    older("t2.small", 1, 2048),
    x86("t3.2xlarge", 8, 32_768),
    x86("t3.large", 2, 8192),
    x86("t3.medium", 2, 4096),
    x86("t3.micro", 2, 1024),
    x86("t3.nano", 2, 512),
    x86("t3.small", 2, 2048),
    x86("t3.xlarge", 4, 16_384),
    x86("t3a.large", 2, 8192),
    x86("t3a.medium", 2, 4096),
    x86("t3a.micro", 2, 1024),
    x86("t3a.nano", 2, 512),
    x86("t3a.small", 2, 2048),
    x86("t3a.xlarge", 4, 16_384),
    arm("t4g.2xlarge", 8, 32_768),
    arm("t4g.large", 2, 8192),
    arm("t4g.medium", 2, 4096),
    arm("t4g.micro", 2, 1024),
    arm("t4g.nano", 2, 512),
    arm("t4g.small", 2, 2048),
    arm("t4g.xlarge", 4, 16_384),
];

/// Finds a type.
pub(crate) fn find(name: &str) -> Option<InstanceType> {
    INSTANCE_TYPES.into_iter().find(|one| one.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_sorted_and_each_is_there_once() {
        assert!(INSTANCE_TYPES.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert_eq!(find("t3.micro").map(|found| found.memory_mib), Some(1024));
    }
}
