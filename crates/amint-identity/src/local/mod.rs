//! Keys of one's own, to test a product's protection away from EC2.
//!
//! [`LocalKeys`] signs documents in all three forms, in the shape that EC2 gives them. Nothing trusts these keys until
//! it is told to: their certificates must be given to [`Expect::certificates`](crate::Expect::certificates).
//! What it does not do: it is no authority, and nothing real should trust it.

mod der;
mod keys;

pub use keys::{LocalKeys, LocalKeysError};
