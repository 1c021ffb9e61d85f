//! Unit files of systemd: which one counts, its drop-ins, and whether it is enabled or masked.
//!
//! Rules: `systemd.unit(5)`, `systemd.preset(5)`, `systemctl(1)`. What lies under `/run` is not looked at: it is gone
//! before an instance boots.

mod drop_ins;
mod names;
mod preset;
mod search;
mod state;
mod unit;

pub use preset::{Presets, is_first_boot};
pub use search::{is_masked, names, path_of};
pub use state::{UnitState, is_enabled, links, state};
pub use unit::{Entry, load, switch, values};
