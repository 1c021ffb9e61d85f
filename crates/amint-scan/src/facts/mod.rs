//! Facts about an image that several rules need.

pub(crate) mod accounts;
pub(crate) mod apache;
pub(crate) mod apt_settings;
pub(crate) mod census;
pub mod certificates;
pub(crate) mod cloud;
pub(crate) mod commands;
pub(crate) mod conf_files;
pub(crate) mod crypt;
pub(crate) mod homes;
pub(crate) mod jobs;
pub(crate) mod keyring;
pub(crate) mod listeners;
pub(crate) mod modprobe;
pub(crate) mod nginx;
pub(crate) mod packaged;
pub(crate) mod packages;
pub(crate) mod pam;
pub(crate) mod secrets;
pub mod sshd;
pub(crate) mod sudoers;
pub(crate) mod sweep;
pub(crate) mod sysctl;
pub(crate) mod tree_source;
pub mod units;
pub(crate) mod yaml;
