//! What the package managers of an image are set up to use.

use amint_inspect::Inspection;
use amint_packages::repositories::Repository;
use amint_scan::system::repositories::sources;

/// Returns the repositories of an image. What cannot be read is left out: then the regular suites are meant.
pub(crate) fn repositories_of(inspection: &Inspection) -> Vec<Repository> {
    let found = sources(&inspection.index, inspection.document.system.as_ref());
    found.files.into_iter().flat_map(|file| file.content.repositories).collect()
}
