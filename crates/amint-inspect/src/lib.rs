//! Looks into images: opens any of them, and offers every file once to every analyzer.

pub mod index;
pub mod pass;
pub mod source;
