//! The build: from a recipe to a bootable disk.
//!
//! A lock ([`locking`]) names every package; they are installed into a tree ([`mod@install`]), the recipe's files,
//! steps and services follow in a sandbox, rules harden and judge the tree, and a disk is assembled from it.
//! Everything runs inside private namespaces ([`namespace`]); no loop device and no device-mapper is used, and
//! nothing is mounted where the host could see it.

pub mod changelogs;
pub mod compare;
pub mod install;
pub mod locking;
pub mod mirror;
pub mod namespace;
pub mod packages;
pub mod plan;

mod apt_state;
mod boot_loader;
mod build;
mod command;
mod customise;
mod ec2;
mod error;
mod keys;
pub mod layers;
mod no_sync;
mod normalise;
mod parallel;
mod sandbox;
mod steps;
mod tree;

pub use build::{BuildRequest, Built, build, scan_request, scan_waiver};
pub use command::{CommandError, find_program, package_of};
pub use error::BuildError;
pub use tree::TreeError;
