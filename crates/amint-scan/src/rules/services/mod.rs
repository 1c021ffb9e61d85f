//! Services that an instance cannot do without.

mod cloud_init;

pub(super) use cloud_init::CloudInit;
