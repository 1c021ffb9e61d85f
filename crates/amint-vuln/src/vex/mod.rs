//! OpenVEX (<https://github.com/openvex/spec>, version 0.2.0): statements that a vulnerability does or does not apply.

mod apply;
mod model;
mod write;

pub use apply::apply;
pub use model::{OPENVEX_BYTES_MAX, OpenVex, VexError, VexStatus};
pub use write::{VexDocument, statements_of};
