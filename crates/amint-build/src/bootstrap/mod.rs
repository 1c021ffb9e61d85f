//! From an archive of packages to a tree of installed packages.
//!
//! This is the narrow seam between the build and the engine that installs packages: an engine gets a
//! [`BootstrapRequest`] and an empty folder, and leaves a configured tree whose package database is right,
//! with no initramfs made and no service started.

mod mmdebstrap;

use std::fmt::Write;
use std::path::Path;

use amint_types::{Architecture, Cancel, EventSink};

pub use mmdebstrap::Mmdebstrap;

use crate::command::CommandError;
use crate::mirror::Mirrors;

/// What an engine has to install.
#[derive(Clone, Debug)]
pub struct BootstrapRequest {
    /// Code name of the release: `trixie`.
    pub suite: String,
    /// Architecture of the image.
    pub architecture: Architecture,
    /// Components: `main`.
    pub components: Vec<String>,
    /// The archives.
    pub mirrors: Mirrors,
    /// The keyring that signatures are verified with, or none for the engine's own of the distribution.
    pub keyring: Option<std::path::PathBuf>,
    /// Packages to install, each with `=VERSION` where one is asked for.
    pub packages: Vec<String>,
    /// Whether recommended packages come along.
    pub with_recommends: bool,
    /// Seconds since 1970 that programs should take for the present (`SOURCE_DATE_EPOCH`).
    pub source_epoch: i64,
}

/// An engine that installs packages into an empty folder.
pub trait Bootstrap {
    /// Returns the engine's name and version, for provenance.
    fn name(&self) -> String;

    /// Fills `tree` (an empty folder), telling what happens as events of `step`.
    fn bootstrap(
        &self,
        request: &BootstrapRequest,
        tree: &Path,
        step: &str,
        sink: &dyn EventSink,
        cancel: &Cancel,
    ) -> Result<(), CommandError>;
}

/// Returns the apt sources (one-line style, `sources.list(5)`) that a request stands for.
pub fn apt_sources(request: &BootstrapRequest) -> String {
    let components = request.components.join(" ");
    let options = match &request.keyring {
        Some(keyring) => format!("[signed-by={}] ", keyring.display()),
        None => String::new(),
    };
    let suite = &request.suite;
    let archive = &request.mirrors.archive;
    let mut lines = format!(
        "deb {options}{archive} {suite} {components}\ndeb {options}{archive} {suite}-updates {components}\n"
    );
    if let Some(security) = &request.mirrors.security {
        let _ = writeln!(lines, "deb {options}{security} {suite}-security {components}");
    }
    lines
}
