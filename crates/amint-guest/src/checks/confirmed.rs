//! Which rules about the image's files each check confirms on the running machine.

use std::collections::BTreeSet;

/// Checks and the rules that they confirm. The rules' own mark (`file`, `both`) stands in `amint-scan`.
const CONFIRMED: [(&str, &[&str]); 25] = [
    ("boot-login", &["FS-007", "SSH-007", "SSH-014", "SVC-004"]),
    ("cloud-init", &["SVC-004"]),
    ("grow", &["FS-006"]),
    ("live-accounts", &["ACC-001", "ACC-002", "ACC-004", "ACC-005"]),
    ("live-command-line", &["KRN-003"]),
    ("live-firewall", &["NET-001"]),
    ("live-kernel", &["VUL-003"]),
    ("live-modules", &["KRN-002"]),
    ("live-mounts", &["FS-004"]),
    ("live-programs", &["VUL-005"]),
    ("live-protection", &["MAC-001"]),
    (
        "live-sshd",
        &[
            "SSH-001", "SSH-002", "SSH-003", "SSH-004", "SSH-005", "SSH-010", "SSH-011", "SSH-012",
            "SSH-017", "SSH-018", "SSH-019",
        ],
    ),
    ("live-sysctl", &["KRN-001"]),
    ("no-leftover-key", &["SSH-008"]),
    ("ports", &["SSH-010", "SVC-001", "SVC-003"]),
    ("probe-ports", &["SVC-001", "SVC-003"]),
    ("probe-ssh-methods", &["SSH-001", "SSH-002", "SSH-004"]),
    ("probe-tls", &["CRY-002"]),
    ("ssh-algorithms", &["SSH-011"]),
    ("ssh-password-refused", &["SSH-001", "SSH-002", "SSH-004"]),
    ("ssh-root-refused", &["SSH-003"]),
    ("sudo", &["ACC-008"]),
    ("time-source", &["SVC-008"]),
    ("unique-host-keys", &["SSH-006", "SSH-007"]),
    ("unique-machine-id", &["SEC-008"]),
];

/// Returns the rules that the check `id` confirms.
pub(crate) fn confirmed_by(id: &str) -> &'static [&'static str] {
    CONFIRMED.iter().find(|(check, _)| *check == id).map_or(&[], |(_, rules)| rules)
}

/// Returns the ids of all rules that a boot test confirms.
pub fn confirmed_rules() -> BTreeSet<&'static str> {
    CONFIRMED.iter().flat_map(|(_, rules)| rules.iter().copied()).collect()
}
