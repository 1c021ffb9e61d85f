//! Security Token Service.

mod assume_role;
mod get_access_key_info;
mod get_caller_identity;
mod instance_role;
mod sessions;

pub(crate) use assume_role::assume_role;
pub(crate) use get_access_key_info::get_access_key_info;
pub(crate) use get_caller_identity::get_caller_identity;
pub(crate) use instance_role::{InstanceSession, instance_role};
