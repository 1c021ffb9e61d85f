//! Files as such: modes, owners, mounts.

mod permissions;
mod stable_device_names;

pub(super) use permissions::Permissions;
pub(super) use stable_device_names::StableDeviceNames;
