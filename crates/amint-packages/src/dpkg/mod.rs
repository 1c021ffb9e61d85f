//! dpkg's database (`dpkg(1)`, `deb-conffiles(5)`; dpkg's `doc/` and `lib/dpkg/parse.c`).
//!
//! | file below `/var/lib/dpkg` | read by |
//! |---|---|
//! | `status` | [`read_status`] |
//! | `status.d/*` (images without dpkg, "distroless") | [`read_status_part`] |
//! | `info/*.list`, `info/*.md5sums` | [`owned_paths`], [`md5_sums`], [`owned_files`] |
//! | `diversions`, `statoverride` | [`Diversions`], [`read_overrides`] |
//!
//! `/usr/share/doc/*/copyright` is read by [`Copyright`].

mod copyright;
mod diversion;
mod info;
mod package;
mod state;
mod status;

pub use copyright::{COPYRIGHT_BYTES_MAX, Copyright};
pub use diversion::{Diversion, Diversions, StatOverride, read_overrides};
pub use info::{FILES_MAX, InfoName, Md5Line, md5_sums, owned_files, owned_paths};
pub use package::{Conffile, DpkgPackage, SourceReference};
pub use state::{ErrorFlag, PackageState, Status, Want};
pub use status::{DpkgDatabase, PACKAGES_MAX, read_status, read_status_part};
