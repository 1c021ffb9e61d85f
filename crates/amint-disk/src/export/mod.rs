//! Writes disks in the formats of virtual machines.
//!
//! Each writer streams: the disk is read once, block by block, and memory does not grow with it. What is zero
//! takes no room. The same disk gives the same bytes in every format, whenever and wherever it is written.

mod error;
mod flat;
mod format;
mod identity;
mod output;
pub mod qcow2;
mod vhd;
mod vmdk;
mod write;

pub use error::ExportError;
pub use format::{Format, ParseFormatError};
pub use write::{ExportOptions, ExportSummary, export, export_with};
