//! What a booted guest is asked, and what answers are good.
//!
//! Each file holds one question or a family of them: what to run in the guest, and a pure `judge_…` that turns
//! the answer into a verdict. Answers come from a guest that may be broken or hostile; they are only ever read as
//! text.

mod boot_facts;
mod checklist;
mod cloud_init;
mod confirmed;
mod growth;
mod http;
mod identity_files;
mod live;
mod logins;
mod ports;
mod recipe_tests;
mod time_source;
mod unique;
mod units;

pub(crate) use boot_facts::{boot_mode, console, identity_document, nvme_timeout, sudo};
pub(crate) use checklist::{Checklist, Seen, Verdict};
pub(crate) use cloud_init::cloud_init;
pub use confirmed::confirmed_rules;
pub(crate) use growth::{Sizes, growth};
pub(crate) use identity_files::prepare_identity;
pub(crate) use live::{LIVE_CHECKS, disagreements, judged, snapshot, verdict_on, weak_algorithms};
pub(crate) use logins::{accounts, connect_patiently, passwords_refused, refused_key, root_refused};
pub(crate) use ports::ports;
pub(crate) use recipe_tests::{guest_ports, recipe_test, validate};
pub(crate) use time_source::time_source;
pub(crate) use unique::{Traces, compare, traces};
pub(crate) use units::failed_units;
