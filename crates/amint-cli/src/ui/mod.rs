//! What people see: progress, errors, recipe diagnostics, tables and the closing summary of a build.
//!
//! Engines emit events; the two reporters here listen. [`Reporter`] writes for people on standard error,
//! [`JsonReporter`] writes one object per line for programs on standard output. Everything else in this module
//! is a pure function from data to text, so that a command decides where it goes. Text that comes from an
//! image or a program loses its control characters before it reaches the terminal.

mod diagnostics;
mod error;
mod json;
mod live;
mod palette;
mod reporter;
mod steps;
mod summary;
mod table;
mod text;

pub(crate) use diagnostics::{Diagnostic, diagnostics};
pub(crate) use error::error;
pub(crate) use json::JsonReporter;
pub(crate) use palette::Palette;
pub(crate) use reporter::{Reporter, Verbosity};
pub(crate) use summary::{SummaryOptions, summary};
pub(crate) use table::Table;
