//! File capabilities in text, as `getcap` writes them.
//!
//! Format: `struct vfs_cap_data` and `vfs_ns_cap_data` of `linux/capability.h`; names by `capabilities(7)`.

use std::fmt;

/// Names by number.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// What a file's capabilities give whoever starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileCapabilities {
    /// A bit for each capability that the program may have.
    pub permitted: u64,
    /// A bit for each that it keeps of its caller's.
    pub inheritable: u64,
    /// Whether the program has them without asking.
    pub is_effective: bool,
}

impl FileCapabilities {
    /// Reads the value of `security.capability`; none where it is in no form that is known.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_le_bytes(value.get(at..at + 4)?.try_into().ok()?));
        let magic = word(0)?;
        let pairs = match (magic >> 24, value.len()) {
            (1, 12) => 1,
            (2, 20) | (3, 24) => 2,
            _ => return None,
        };
        let (mut permitted, mut inheritable) = (0_u64, 0_u64);
        for pair in 0..pairs {
            permitted |= u64::from(word(4 + pair * 8)?) << (32 * pair);
            inheritable |= u64::from(word(8 + pair * 8)?) << (32 * pair);
        }
        Some(Self { permitted, inheritable, is_effective: magic & 1 == 1 })
    }

    /// Tells whether the program may have a capability: `setuid`.
    pub fn permits(&self, name: &str) -> bool {
        NAMES
            .iter()
            .position(|known| *known == name)
            .is_some_and(|number| self.permitted & (1 << number) != 0)
    }
}

impl fmt::Display for FileCapabilities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { permitted, inheritable, is_effective } = *self;
        let mut groups = Vec::new();
        for (flags, set) in [
            (if is_effective { "eip" } else { "ip" }, permitted & inheritable),
            (if is_effective { "ep" } else { "p" }, permitted & !inheritable),
            (if is_effective { "ei" } else { "i" }, inheritable & !permitted),
        ] {
            if set == 0 {
                continue;
            }
            let names: Vec<String> = (0..64)
                .filter(|number| set & (1 << number) != 0)
                .map(|number| match NAMES.get(number) {
                    Some(name) => format!("cap_{name}"),
                    None => format!("cap_{number}"),
                })
                .collect();
            groups.push(format!("{}={flags}", names.join(",")));
        }
        formatter.write_str(&groups.join(" "))
    }
}

/// Says the value of `security.capability`; none where it is in no form that is known.
pub fn capabilities_text(value: &[u8]) -> Option<String> {
    FileCapabilities::parse(value).map(|capabilities| capabilities.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_getcap_says() {
        // Set by `setcap cap_net_raw=ep` and by `setcap cap_net_admin,cap_bpf+eip`.
        let raw = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(capabilities_text(&raw).as_deref(), Some("cap_net_raw=ep"));
        let both = [1, 0, 0, 2, 0, 0x10, 0, 0, 0, 0x10, 0, 0, 0x80, 0, 0, 0, 0x80, 0, 0, 0];
        assert_eq!(capabilities_text(&both).as_deref(), Some("cap_net_admin,cap_bpf=eip"));
        assert_eq!(capabilities_text(b"what"), None);
    }
}
