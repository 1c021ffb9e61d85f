//! Finding the programs that a machine needs.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use amint_types::Architecture;

use crate::error::GuestError;

/// Where distributions put programs that a user's `PATH` may lack.
const FALLBACK_FOLDERS: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/libexec"];

/// Finds `name` on the search path.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .chain(FALLBACK_FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| {
            file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        })
}

/// Finds the QEMU of `architecture`.
pub(crate) fn qemu_program(architecture: Architecture) -> Result<PathBuf, GuestError> {
    let (tool, package) = match architecture {
        Architecture::Arm64 => ("qemu-system-aarch64", "`qemu-system-arm` (Debian) or `qemu-system-aarch64`"),
        _ => ("qemu-system-x86_64", "`qemu-system-x86` (Debian, Fedora, Arch)"),
    };
    find_program(tool).ok_or_else(|| GuestError::ToolMissing { tool: tool.to_owned(), package })
}
