//! The lock file `amint.lock`: exactly what an image is built from.
//!
//! A recipe says what is wanted; the lock says what that came to: every package with version, digest and origin,
//! every file and script by digest, and which choices of the recipe led there. [`drift`] tells what of a recipe no
//! longer fits its lock, so that nothing changes silently; [`diff`] tells people what an update brings.
//!
//! The text is written by [`Lock::to_toml`], always the same for the same content, and read as strictly as a recipe.
//! It names no mirror of the distribution (where packages are fetched from is the host's affair) and no secret.

mod diff;
mod drift;
mod file;
mod forms;
mod frames;
mod inputs;
mod model;
mod read;
mod render;
#[cfg(test)]
pub(crate) mod testing;
mod wishes;
mod write;

pub use diff::{Change, InputChange, LockDiff, PackageChange, Upgrade, diff};
pub use drift::{Drift, drift};
pub use file::{LOCK_BYTES_MAX, LockError};
pub use inputs::hash_inputs;
pub use model::{
    InputKind, LOCK_FILE, LOCK_FORMAT, Lock, LockedBase, LockedInput, LockedPackage, LockedSuite, Stage,
    base_digest,
};
pub use wishes::wishes_digest;
