//! Guests: QEMU machines, the metadata service, SSH, boot tests.
//!
//! [`boot_test`] boots the very bytes of a disk image as EC2 would boot them and asks the guest everything that
//! can be asked of one boot (A9); [`open_shell`] hands a booted guest to the user. The image is never written:
//! machines work on overlays. [`imds`] is the metadata service that a guest sees; QEMU reaches it through
//! [`bridge`], which the embedding binary offers as a hidden command. [`Instance`] is a machine of the embedded
//! endpoint, which runs for days.
//!
//! What it does not do: it starts no guest with hardware that EC2 has and QEMU lacks (ENA, Nitro TPM), and it
//! gives guests no way out to any network, unless an instance is let out.

mod boot;
mod bridge;
mod checks;
mod clock;
mod error;
pub mod imds;
mod instance;
mod machine;
mod probe;
mod progress;
mod promises;
mod screen;
mod shell;
mod spec;
mod ssh;

pub use boot::boot_test;
pub use bridge::bridge;
pub use checks::confirmed_rules;
pub use clock::{Clock, SystemClock};
pub use error::GuestError;
pub use instance::{INSTANCE_NETWORK, Instance, InstanceDisk, InstanceSpec};
pub use machine::{Qmp, QmpError, probe_accelerator};
pub use promises::Promises;
pub use screen::Screen;
pub use shell::open_shell;
pub use spec::{
    Accelerator, BootTestSpec, Deadlines, DiskFormat, ExpectedPort, GuestDisk, GuestTest, HeaderExpectation,
    Protocol, ShellSpec,
};
