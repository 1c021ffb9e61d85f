//! Telling a machine that gave up from an image that does not boot.

use crate::boot::Stop;

/// Why a boot says nothing about the image, and is tried once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setback {
    /// The accelerator gave up.
    Halted(String),
    /// The firmware saw no disk to boot from: so it is where its own time-outs pass on a busy computer before QEMU
    /// answers for the disk. An image that cannot be booted says the same again.
    NoDisk,
}

impl Setback {
    /// Tells whether `stop` is the machine's own doing.
    pub(crate) fn of(stop: &Stop, is_logged_in: bool) -> Option<Self> {
        match stop {
            Stop::Halted(state) if state == "internal-error" => Some(Self::Halted(state.clone())),
            Stop::DeadEnd(line) if !is_logged_in && line.to_ascii_lowercase().contains("no bootable") => {
                Some(Self::NoDisk)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_is_tried_again_only_where_the_machine_itself_gave_up() {
        let halted = Stop::Halted("internal-error".to_owned());
        assert_eq!(Setback::of(&halted, false), Some(Setback::Halted("internal-error".to_owned())));
        assert_eq!(Setback::of(&Stop::Halted("guest-panicked".to_owned()), false), None);
        for line in ["No bootable device.", "BdsDxe: No bootable option or device was found."] {
            assert_eq!(Setback::of(&Stop::DeadEnd(line.to_owned()), false), Some(Setback::NoDisk));
            assert_eq!(Setback::of(&Stop::DeadEnd(line.to_owned()), true), None);
        }
        assert_eq!(Setback::of(&Stop::DeadEnd("Kernel panic - not syncing".to_owned()), false), None);
        assert_eq!(Setback::of(&Stop::Cancelled, false), None);
    }
}
