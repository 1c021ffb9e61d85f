//! What of an image needs resale rights, and why; and which sources copyleft asks to be offered with it.
//!
//! It answers requirement A1 of Marketplace's policy for AMI products
//! (<https://docs.aws.amazon.com/marketplace/latest/userguide/product-and-ami-policies.html>): who sells an image must
//! hold the rights for whatever in it is not free. [`judge`] looks at the operating system, the part of the archive that
//! each package came from, its licences, and software that is known by name, vendor or file; rights that the recipe
//! declares cover what they name until their last day. All knowledge stands in tables below `data/`, each row with the
//! public page that says so. It reads nothing itself, and it is no advice of a lawyer: it tells what a person must look
//! at, and what it cannot know is told as unknown.

mod finding;
mod judge;
mod license;
mod offer;
mod package;
mod pattern;
mod product;
mod report;
mod right;
mod section;
mod system;
mod table;
#[cfg(test)]
mod testing;
mod version;

pub use finding::{AboutPackage, RightsFinding, RightsRule};
pub use judge::{Image, judge};
pub use license::{Expression, Judged, LicenseClass, class_of_name, classify, classify_all, recognise};
pub use offer::{SOURCE_MANIFEST_VERSION, SourceManifest, SourceOffer};
pub use report::{CoveredFinding, LicenseCounts, RightsReport, UnusedReason, UnusedRight};
pub use right::Right;
