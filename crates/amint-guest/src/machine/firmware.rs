//! The firmware files of a machine.

use std::fs;
use std::path::{Path, PathBuf};

use amint_types::Architecture;
use amint_types::report::Firmware;

use crate::error::GuestError;

/// Code and variables of OVMF for `x86_64`: Debian and Ubuntu, Fedora, Arch; the 4 MiB variant first, because
/// distributions are about to drop the other.
const OVMF: [(&str, &str); 7] = [
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"),
    ("/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"),
    ("/usr/share/ovmf/x64/OVMF_CODE.fd", "/usr/share/ovmf/x64/OVMF_VARS.fd"),
];

/// The same for arm64.
const AAVMF: [(&str, &str); 4] = [
    ("/usr/share/AAVMF/AAVMF_CODE.no-secboot.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
    ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
    ("/usr/share/edk2/aarch64/QEMU_CODE.fd", "/usr/share/edk2/aarch64/QEMU_VARS.fd"),
    ("/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw", "/usr/share/edk2/aarch64/vars-template-pflash.raw"),
];

/// The firmware of one machine, ready to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PreparedFirmware {
    /// QEMU's own BIOS.
    Bios,
    /// UEFI in two flash chips.
    Uefi {
        /// The code, which is only read.
        code: PathBuf,
        /// The machine's own copy of the variables.
        variables: PathBuf,
    },
}

/// Finds the firmware and makes the machine's own copy of the variables at `variables`, unless it has one.
pub(crate) fn prepare_firmware(
    architecture: Architecture,
    firmware: Firmware,
    variables: &Path,
) -> Result<PreparedFirmware, GuestError> {
    let (candidates, tool, package): (&[_], _, _) = match (architecture, firmware) {
        (Architecture::X86_64, Firmware::Bios) => return Ok(PreparedFirmware::Bios),
        (Architecture::X86_64, Firmware::Uefi) => {
            (&OVMF, "OVMF_CODE_4M.fd", "`ovmf` (Debian, Ubuntu) or `edk2-ovmf` (Fedora, Arch)")
        }
        (Architecture::Arm64, Firmware::Uefi) => {
            (&AAVMF, "AAVMF_CODE.fd", "`qemu-efi-aarch64` (Debian, Ubuntu) or `edk2-aarch64` (Fedora, Arch)")
        }
        (architecture, firmware) => {
            return Err(GuestError::UnsupportedFirmware {
                architecture: architecture.as_str(),
                firmware: firmware.as_str(),
            });
        }
    };
    let (code, template) = candidates
        .iter()
        .find(|(code, template)| Path::new(code).is_file() && Path::new(template).is_file())
        .ok_or_else(|| GuestError::ToolMissing { tool: tool.to_owned(), package })?;
    if !variables.exists() {
        let content = fs::read(template).map_err(GuestError::file("read", Path::new(template)))?;
        // Written, not copied: a copy would take over the template's read-only mode.
        fs::write(variables, content).map_err(GuestError::file("write", variables))?;
    }
    Ok(PreparedFirmware::Uefi { code: PathBuf::from(code), variables: variables.to_owned() })
}

/// Returns code and variables of a UEFI firmware for `x86_64`, if one is installed.
pub(super) fn ovmf() -> Option<(&'static str, &'static str)> {
    OVMF.iter().find(|(code, template)| Path::new(code).is_file() && Path::new(template).is_file()).copied()
}
