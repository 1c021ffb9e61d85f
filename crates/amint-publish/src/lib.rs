//! From the store to AMIs: plan, upload of changed blocks, registration, proof.
//!
//! Nothing here knows AWS's SDK: everything that happens in a region goes through [`Region`], which `amint-aws`
//! implements over the real services and tests over a world in memory with faults.
//!
//! - [`plan`] is a function of what is wanted and what a region holds; it changes nothing.
//! - [`apply`] does what a plan says. Each call's intent is in the operation log before, its result after; done again,
//!   it finds what is there and goes on, so that neither a block is sent twice nor an image made twice.
//! - [`read_back`] compares the blocks of a snapshot with those of the store.

mod apply;
mod cloud;
mod journal;
mod plan;
mod read_back;
mod retry;
#[cfg(test)]
mod testing;
mod upload;
mod wanted;

pub use apply::{Applied, ApplyError, Publication, apply, observe};
pub use cloud::{
    BlockData, CloudError, CloudErrorClass, CloudImage, CloudSnapshot, CompleteSnapshot, Listed, Region,
    RegisterImage, SnapshotState, StartSnapshot, StartedSnapshot, Tags,
};
pub use journal::{Journal, JournalError};
pub use plan::{Action, Observed, Parent, Plan, Problem, Upload, plan};
pub use read_back::{ReadBack, read_back};
pub use upload::Progress;
pub use wanted::Wanted;
