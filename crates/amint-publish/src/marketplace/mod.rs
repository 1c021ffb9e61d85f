//! Versions of products that are sold on AWS Marketplace.
//!
//! - [`Listing`] is what a version says of itself; its [`flaws`](Listing::flaws) are found without asking anybody.
//! - [`image_flaws`], [`product_flaws`] and [`role_flaws`] hold the AMI, the product and the access role against it.
//! - [`look`] asks AWS for them; [`make_role`] makes what is missing of the access role.
//! - [`newest_assessment`] tells what AWS's own scan found.
//! - [`submit`] starts the change set that adds the version, once; [`follow`] waits for its end.

mod assessments;
mod catalog;
mod check;
mod explain;
mod lint;
mod listing;
mod look;
mod role;
mod submit;
#[cfg(test)]
mod testing;

pub use assessments::newest_assessment;
pub use catalog::{
    AccessRole, Catalog, CatalogProduct, CatalogVersion, ChangeError, ChangeSetState, ChangeSetStatus,
    StartChangeSet,
};
pub use check::{Flaw, Origin, image_flaws, product_flaws, role_flaws};
pub use explain::explain;
pub use listing::{Access, Listing, Opening};
pub use look::{Look, LookFor, Seen, look};
pub use role::{RoleArn, RolePlan, make_role, plan_role};
pub use submit::{Submission, follow, restrict, submit};

/// The only region from which AWS Marketplace takes images (A3).
pub const REGION: &str = "us-east-1";
