//! What a scan or a hardening is asked to do.

use jiff::civil::Date;

use crate::Profile;

pub use amint_rights::Right;

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// An accepted violation, with a reason, somebody who answers for it, and a last day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The rule's id, or an advisory's.
    pub rule: String,
    /// Why the violation is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it is accepted.
    pub until: Date,
    /// Only findings at paths that this pattern matches (`*` crosses folders); all findings when none.
    pub path: Option<String>,
    /// Only findings of packages that this pattern matches.
    pub package: Option<String>,
    /// Only findings of versions that this pattern matches.
    pub version: Option<String>,
}

/// What a scan or a hardening is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanRequest {
    /// The profiles whose rules count.
    pub profiles: Vec<Profile>,
    /// What is accepted.
    pub waivers: Vec<Waiver>,
    /// The day of the scan: waivers lapse after theirs.
    pub today: Date,
    /// The one user that people log in as.
    pub user: String,
    /// The ports that the recipe opens.
    pub ports: Vec<(u16, Protocol)>,
    /// The rights to pass on what is not free.
    pub rights: Vec<Right>,
}
