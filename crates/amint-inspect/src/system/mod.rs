//! The files that the packages of the operating system own.

mod owners;

pub use owners::Owners;
