//! Where each rule is judged: on the image's files, on the booted machine, or on both.

use crate::rules::{KERNEL_SETTINGS, UNUSED_MODULES};

/// Where a rule looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Looks {
    /// Only at the files of the image.
    File,
    /// Only at the machine that the boot test starts.
    Live,
    /// At the files, and the boot test confirms it on the machine.
    Both,
}

impl Looks {
    /// Returns the word of reports: `file`, `live`, `both`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Live => "live",
            Self::Both => "both",
        }
    }
}

/// The rules that the boot test confirms, by id. What each check confirms stands in `amint-guest`; a test of
/// `amint-cli`, which knows both crates, compares the two.
const CONFIRMED: [&str; 36] = [
    "ACC-001", "ACC-002", "ACC-004", "ACC-005", "ACC-008", "CRY-002", "FS-004", "FS-006", "FS-007",
    "KRN-001", "KRN-002", "KRN-003", "MAC-001", "NET-001", "SEC-008", "SSH-001", "SSH-002", "SSH-003",
    "SSH-004", "SSH-005", "SSH-006", "SSH-007", "SSH-008", "SSH-010", "SSH-011", "SSH-012", "SSH-014",
    "SSH-017", "SSH-018", "SSH-019", "SVC-001", "SVC-003", "SVC-004", "SVC-008", "VUL-003", "VUL-005",
];

/// Tells where the rule `rule_id` is judged.
pub fn looks(rule_id: &str) -> Looks {
    if CONFIRMED.binary_search(&rule_id).is_ok() { Looks::Both } else { Looks::File }
}

/// Returns the rules that a boot test confirms, by id; some belong to rules of profiles that are not asked.
pub fn confirmed_rules() -> &'static [&'static str] {
    &CONFIRMED
}

/// Returns the kernel settings that the rule KRN-001 wants, each with the values that are right.
pub fn wanted_kernel_settings() -> &'static [(&'static str, &'static [&'static str])] {
    &KERNEL_SETTINGS
}

/// Returns the kernel modules that the rule KRN-002 wants out of reach.
pub fn unwanted_kernel_modules() -> &'static [&'static str] {
    &UNUSED_MODULES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_tells_the_two_kinds_apart() {
        assert!(CONFIRMED.is_sorted_by(|left, right| left < right));
        assert_eq!(looks("SSH-001"), Looks::Both);
        assert_eq!(looks("SEC-001"), Looks::File);
        assert_eq!(looks(""), Looks::File);
        assert_eq!(Looks::Both.as_str(), "both");
    }
}
