//! Does the running machine keep what the image's files promise?
//!
//! One script gathers everything at once, because each question of its own costs a process under software
//! emulation; each file judges one part of the answer.

mod accounts;
mod agreement;
mod command_line;
mod firewall;
mod judged;
mod kernel;
mod modules;
mod mounts;
mod programs;
mod protection;
mod snapshot;
mod sshd;
mod sysctl;

pub(crate) use agreement::{disagreements, verdict_on};
pub(crate) use judged::judged;
use snapshot::Snapshot;
pub(crate) use snapshot::snapshot;
pub(crate) use sshd::weak_algorithms;

use crate::checks::Verdict;
use crate::promises::Promises;

/// One question to the snapshot of a machine.
pub(crate) struct LiveCheck {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) requirements: &'static [&'static str],
    pub(crate) judge: fn(&Snapshot, &Promises) -> Verdict,
}

/// All of them, in the order of the report.
pub(crate) const LIVE_CHECKS: [LiveCheck; 10] = [
    LiveCheck {
        id: "live-sshd",
        title: "sshd itself says that its settings are in force",
        requirements: &["A2", "A11", "B6"],
        judge: sshd::judge,
    },
    LiveCheck {
        id: "live-accounts",
        title: "no account of the machine has a password",
        requirements: &["A2", "A11"],
        judge: accounts::judge,
    },
    LiveCheck {
        id: "live-sysctl",
        title: "the kernel runs with the settings of the files",
        requirements: &["B6"],
        judge: sysctl::judge,
    },
    LiveCheck {
        id: "live-modules",
        title: "modules that nobody needs are neither loaded nor loadable",
        requirements: &["B6"],
        judge: modules::judge,
    },
    LiveCheck {
        id: "live-command-line",
        title: "the kernel was started without weakening arguments",
        requirements: &["B6"],
        judge: command_line::judge,
    },
    LiveCheck {
        id: "live-kernel",
        title: "the newest installed kernel runs",
        requirements: &["A3"],
        judge: kernel::judge,
    },
    LiveCheck {
        id: "live-mounts",
        title: "file systems are mounted as fstab says",
        requirements: &["B6"],
        judge: mounts::judge,
    },
    LiveCheck {
        id: "live-protection",
        title: "AppArmor or SELinux guards programs",
        requirements: &["B6"],
        judge: protection::judge,
    },
    LiveCheck {
        id: "live-firewall",
        title: "packet filter rules are loaded",
        requirements: &["B6"],
        judge: firewall::judge,
    },
    LiveCheck {
        id: "live-programs",
        title: "every running program belongs to a package",
        requirements: &["A3"],
        judge: programs::judge,
    },
];
