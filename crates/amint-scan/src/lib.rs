//! Rules: what is judged on a file tree, and how it is mended.
//!
//! One definition, two directions: a [`Rule`] says what it asks for, checks it on any [`FileTree`], and may
//! know the change that makes it so. [`scan`] asks every rule of the profiles; [`harden`] applies their fixes
//! to a folder. What is stored is judged, never the running system; a rule that cannot look says so and is
//! never counted as a pass.
//!
//! [`FileTree`]: amint_disk::tree::FileTree

mod context;
mod controls;
mod error;
mod facts;
mod fix;
mod fix_plan;
mod glob;
mod harden;
mod looks;
mod marketplace;
mod profile;
mod redact;
mod reference;
mod request;
mod rule;
mod rules;
mod scan;
pub mod system;
mod waive;

#[cfg(test)]
mod testing;

pub use context::Context;
pub use controls::{Control, benchmark_of, benchmarks, controls, controls_for};
pub use error::{CheckError, ScanError, chain};
pub use facts::secrets::{FoundSecret, FoundSecrets, Origin};
pub use facts::{certificates, sshd, units};
pub use fix::FixContext;
pub use fix_plan::{FixPlan, PlannedChange, fix_plan};
pub use harden::harden;
pub use looks::{Looks, confirmed_rules, looks, unwanted_kernel_modules, wanted_kernel_settings};
pub use marketplace::{MARKETPLACE_CONTROLS, MarketplaceControl, assess, rules_serving};
pub use profile::{ParseProfileError, Profile};
pub use reference::reference_markdown;
pub use request::{Protocol, Right, ScanRequest, Waiver};
pub use rule::{Fix, RecipeChange, Rule, RuleMeta, Severities, Verdict};
pub use rules::{rules, source_manifest};
pub use scan::{Known, scan, scan_secrets, scan_with};
pub use waive::{waive, waiver_warnings};
