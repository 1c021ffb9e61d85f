//! Boot tests: one power-on that everything is asked of, and perhaps another.

mod guest;
mod login;
mod power;
mod second;
mod setback;
mod stage;
mod test;
mod watch;

pub(crate) use guest::Guest;
pub(crate) use login::{LoginWait, wait_for_login};
pub(crate) use power::{PowerOn, Running, chosen_accelerator};
pub use test::boot_test;
pub(crate) use watch::{Stop, Watch, watch};
