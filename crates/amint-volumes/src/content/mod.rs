//! What lies in a part, by its own marks.

mod detect;
mod kind;
mod raid;
mod systems;

pub use detect::detect;
pub(crate) use detect::detect_or_note;
pub use kind::Content;
