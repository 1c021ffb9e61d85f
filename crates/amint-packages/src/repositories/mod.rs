//! Where the packages of an image come from: what its package managers are set up to use.
//!
//! | manager | files | read by |
//! |---|---|---|
//! | apt | `/etc/apt/sources.list`, `sources.list.d/*.list`, `*.sources` | [`read_apt`] |
//! | dnf, yum | `/etc/yum.repos.d/*.repo`, `/etc/dnf/vars/*`, `/etc/yum/vars/*` | [`read_dnf`], [`Variables`] |
//! | zypper | `/etc/zypp/repos.d/*.repo` | [`read_zypper`] |
//! | apk | `/etc/apk/repositories`, `repositories.d/*.list` | [`read_apk`] |

mod apk;
mod apt;
mod dnf;
mod ini;
mod repository;
mod variables;

pub use apk::read_apk;
pub use apt::read_apt;
pub use dnf::{MainSettings, read_dnf, read_main, read_zypper};
pub use repository::{Manager, REPOSITORIES_MAX, Repository, RepositoryFile};
pub use variables::{Variables, base_architecture};
