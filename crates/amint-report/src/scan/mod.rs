//! Reports of a scan, and of what changed between two scans.
//!
//! Each is a pure function of a [`ScanDocument`](amint_types::scan::ScanDocument): no clock, no randomness, so that
//! the same document gives the same bytes. Text that a person reads loses its control characters; what a machine
//! compares (names, versions, package URLs, ids) stays what it is, escaped as its format asks.
//!
//! | Function | Format | Ruled by |
//! | --- | --- | --- |
//! | [`scan_json`] | the model itself | [`scan_schema`] |
//! | [`sarif`] | SARIF 2.1.0 | OASIS standard, errata 01 |
//! | [`cyclonedx`] | CycloneDX 1.6 JSON | ECMA-424 |
//! | [`spdx`] | SPDX 2.3 JSON | the SPDX specification 2.3 |
//! | [`junit`] | `JUnit` XML | what CI systems read |
//! | [`assessment_json`] | an assessment of AWS Marketplace | `DescribeAssessment` of its Catalog API |
//! | [`html`] | one self-contained page | |
//! | [`difference_json`], [`difference_markdown`] | what two scans differ in | |

mod cyclonedx;
mod difference;
mod html;
mod json;
mod junit;
mod license;
mod markdown;
mod names;
mod sarif;
mod spdx;
mod text;

pub use cyclonedx::cyclonedx;
pub use difference::difference;
pub use html::html;
pub use json::{assessment_json, difference_json, scan_json, scan_schema};
pub use junit::junit;
pub use markdown::difference_markdown;
pub use sarif::sarif;
pub use spdx::spdx;
