//! Looks into images: opens any of them, and offers every file once to every analyzer.
//!
//! [`Image`](image::Image) opens what is named: disk images of every format, folders, archives, images of the store. [`place`](image::place)
//! puts its file systems together as the image itself would mount them, [`Index`](index::Index) walks them once, and
//! [`pass::run`] reads every wanted file once, in the order of the disk. Nothing is mounted and nothing needs root.

pub mod analyzers;
mod baseline;
mod coverage;
pub mod facts;
mod files;
mod free_space;
pub mod image;
pub mod index;
mod inspect;
mod integrity;
mod judge;
pub mod pass;
pub mod source;
pub mod system;
#[cfg(test)]
mod testing;

pub use coverage::unread_reasons;
pub use files::compare_files;
pub use inspect::{InspectOptions, Inspection, analyzer_ids, inspect};
pub use judge::{JudgeError, JudgeOptions, age_problems, blocking_reason, judge, parse_profiles};
