//! The machine that a program is for, from its header (ELF specification, "ELF header").

use std::io::Read;

use crate::{CheckError, Context};

/// Returns `e_machine` of a program, following links; none when it is missing or no ELF file.
pub(super) fn machine(cx: &Context<'_>, path: &str) -> Result<Option<u16>, CheckError> {
    let mut header = [0; 20];
    let opened = match cx.tree().open(path.as_ref()) {
        Ok(opened) => opened,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut taken = opened.take(header.len() as u64);
    if taken.read_exact(&mut header).is_err() || &header[..4] != b"\x7fELF" {
        return Ok(None);
    }
    let bytes = [header[18], header[19]];
    // EI_DATA: 2 is most significant byte first.
    Ok(Some(if header[5] == 2 { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }))
}

/// Names a machine in the words of Debian's or of everybody else's packages.
pub(super) fn architecture(machine: u16, is_debian: bool) -> String {
    let (debian, other) = match machine {
        3 => ("i386", "i686"),
        21 => ("ppc64el", "ppc64le"),
        22 => ("s390x", "s390x"),
        40 => ("armhf", "armv7hl"),
        62 => ("amd64", "x86_64"),
        183 => ("arm64", "aarch64"),
        243 => ("riscv64", "riscv64"),
        _ => return format!("machine-{machine}"),
    };
    (if is_debian { debian } else { other }).to_owned()
}
