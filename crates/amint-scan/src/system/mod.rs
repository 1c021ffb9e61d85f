//! What the operating system of an image is: its release and support, its kernels, users and services.
//!
//! Facts, not judgements: rules and reports build on them. Everything is read from files; what a running system would
//! make of them (generators, user data) is not guessed.

mod capabilities;
mod elf;
mod grub;
mod kernels;
mod loaders;
pub mod packages;
mod ports;
mod release;
pub mod repositories;
mod services;
mod support;
mod users;

pub use capabilities::{FileCapabilities, capabilities_text};
pub use kernels::{Kernels, kernels};
pub use release::{operating_system, os_release};
pub use services::services;
pub use users::users;
