//! The C interface of amint-identity; `include/amint_identity.h` documents it for its users.
//!
//! Every function may be called from any thread; an expectation may be used by one thread at a time. A panic, which
//! would be a defect, ends in [`FAILED`] and never leaves this library. This is the one crate with unsafe code: it turns
//! pointers of C into slices and strings, and nothing else.

mod expectation;
mod outcome;
mod text;

pub use expectation::*;
pub use outcome::*;
