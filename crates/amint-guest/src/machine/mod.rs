//! QEMU machines that look like EC2 instances.

mod accelerator;
mod arguments;
mod console;
mod disk;
mod firmware;
mod network;
mod process;
mod programs;
mod qmp;

pub use accelerator::probe_accelerator;
pub(crate) use arguments::{
    Drive, DriveSource, Forward, Identity, MachineLayout, Network, Places, ProbeSockets,
};
pub(crate) use console::{Console, visible_text};
pub(crate) use disk::{PreparedDisk, prepare_disk};
pub(crate) use firmware::{PreparedFirmware, prepare_firmware};
pub(crate) use network::free_ports;
pub(crate) use process::{Machine, StartError};
pub(crate) use programs::{find_program, qemu_program};
pub use qmp::{Qmp, QmpError};
