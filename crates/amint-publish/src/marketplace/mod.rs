//! Versions of products that are sold on AWS Marketplace.
//!
//! - [`Listing`] is what a version says of itself; its [`flaws`](Listing::flaws) are found without asking anybody.
//! - [`image_flaws`], [`product_flaws`] and [`role_flaws`] hold the AMI, the product and the access role against it.
//! - [`submit`] starts the change set that adds the version, once; [`follow`] waits for its end.

mod catalog;
mod check;
mod explain;
mod listing;
mod submit;

pub use catalog::{
    AccessRole, Catalog, CatalogProduct, CatalogVersion, ChangeError, ChangeSetState, ChangeSetStatus,
    StartChangeSet,
};
pub use check::{Flaw, image_flaws, product_flaws, role_flaws};
pub use explain::explain;
pub use listing::{Listing, Opening};
pub use submit::{Submission, follow, restrict, submit};

/// The only region from which AWS Marketplace takes images (A3).
pub const REGION: &str = "us-east-1";
