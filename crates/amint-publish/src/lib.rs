//! From the store to AMIs: plan, upload of changed blocks, registration, proof.
//!
//! Nothing here knows AWS's SDK: everything that happens in a region goes through [`Region`], which `amint-aws`
//! implements over the real services and tests over a world in memory with faults.
//!
//! - [`plan`] is a function of what is wanted and what a region holds; it changes nothing.
//! - [`apply`] does what a plan says. Each call's intent is in the operation log before, its result after; done again,
//!   it finds what is there and goes on, so that neither a block is sent twice nor an image made twice.
//! - [`plan_all`] and [`apply_all`] do so for several regions at once, of which some may get copies from another.
//! - [`read_back`] compares the blocks of a snapshot with those of the store.
//! - [`plan_promotion`] and [`promote_all`] move a channel, which is a parameter that names an image, in all regions or in none.
//! - [`calls`] lists every request that is sent; [`policy`] allows these and nothing else.

mod apply;
mod buffers;
pub mod calls;
mod cloud;
mod collect;
mod copies;
mod estimate;
#[cfg(test)]
mod faults;
mod journal;
mod keys;
pub mod marketplace;
mod observe;
mod parameters;
mod plan;
mod policy;
mod promote;
mod read_back;
mod regions;
mod retry;
mod settings;
mod tag_policy;
#[cfg(test)]
mod testing;
mod upload;
mod wanted;
mod window;

pub use apply::{Applied, ApplyError, Publication, apply};
pub use buffers::Buffers;
pub use cloud::{
    BlockData, CloudError, CloudErrorClass, CloudImage, CloudSnapshot, CompleteSnapshot, CopyImage, Listed,
    Protection, Region, RegisterImage, SnapshotState, StartSnapshot, StartedSnapshot, Tags,
};
pub use collect::{Litter, find_litter, remove_litter};
pub use copies::Copies;
pub use estimate::{Cost, cost, expected_seconds};
pub use journal::{Journal, JournalError};
pub use keys::{CloudKey, accounts_let_in};
pub use observe::observe;
pub use parameters::{Parameter, ParameterVersion, Parameters, PutParameter};
pub use plan::{Action, Copy, Observed, Parent, Plan, Problem, Upload, plan};
pub use policy::{PolicyRequest, policy};
pub use promote::{
    ChannelPlan, ChannelStep, Promoted, Promotion, plan_promotion, plan_undo, preview_promotion, promote_all,
};
pub use read_back::{Published, ReadBack, find_published, read_back};
pub use regions::{Batch, RegionEvent, RegionProgress, apply_all, of_copy, plan_all, plan_copies};
pub use settings::Setting;
pub use upload::Progress;
pub use wanted::{AmiNameError, Settings, Wanted};
