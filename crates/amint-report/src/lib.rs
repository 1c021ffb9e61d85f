//! Reports of builds and scans: self-contained HTML pages, `JUnit` XML, JSON, SARIF, CycloneDX, SPDX, differences.
//!
//! Everything here is a pure function of a [`BuildReport`](amint_types::report::BuildReport) or a
//! [`ScanDocument`](amint_types::scan::ScanDocument): same report, same bytes. Names, excerpts and console lines of an image are hostile text; they leave this crate escaped
//! for the format at hand and without control characters.

mod error;
mod html;
mod json;
mod junit;
pub mod scan;
mod text;
mod verdict;

pub use error::ReportError;
pub use html::{html, html_at};
pub use json::json;
pub use junit::junit;
pub use text::{printable, printable_line};
pub use verdict::{Reason, Verdict, VerdictOutcome, verdict};
