//! Facts that names and attributes alone tell.

mod capabilities;
mod privileged;

pub use capabilities::capabilities_text;
pub use privileged::{PrivilegedFiles, privileged_files};
