//! Facts that names and attributes alone tell.

mod privileged;

pub use privileged::{PrivilegedFiles, privileged_files};
