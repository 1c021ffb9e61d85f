//! The HTML page of a scan: one file in the frame of the build's page, readable without scripts.
//!
//! A scan may tell of thousands of findings and packages. What fails the image comes first and stands open; long
//! lists that ask nothing of the reader start folded, and a filter finds rows in all of them.

mod findings;
mod inventory;
mod page;
mod table;

use amint_types::scan::ScanDocument;
use askama::Template;

use crate::ReportError;
use crate::text::printable;

/// Renders a scan as one self-contained HTML page.
pub fn html(document: &ScanDocument) -> Result<String, ReportError> {
    let page = page::Page::new(document);
    let text = page.render().map_err(|source| ReportError::Render { format: "HTML", source })?;
    Ok(printable(&text).into_owned())
}
