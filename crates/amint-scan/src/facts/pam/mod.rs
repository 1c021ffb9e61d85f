//! Who lets somebody in: the stacks of PAM, as libpam runs them.
//!
//! Files of /etc/pam.d win over those of /usr/lib/pam.d, and over /etc/pam.conf where there is such a folder.
//! `include`, `substack` and Debian's `@include` are followed, and both forms of control are understood
//! (`pam.conf(5)`). What a module does is known for the usual ones; any other is taken for one that may refuse.

mod control;
mod modules;
mod stack;
mod verdict;

pub(crate) use modules::{Nature, nature};
pub(crate) use stack::{Entry, Item, stack};
pub(crate) use verdict::{open_by, opens_without_proof};

/// What a stack is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Who somebody is.
    Auth,
    /// How their password changes.
    Password,
}

impl Kind {
    /// Returns the kind as files name it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Password => "password",
        }
    }
}
