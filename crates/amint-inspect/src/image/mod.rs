//! An image: its parts, the file systems in them, and where each of them is mounted.

mod error;
mod fstab;
mod open;
mod part;
mod place;
mod root;

pub use error::InspectError;
pub use open::{Image, ImageOptions};
pub use part::{Ids, Part, State};
pub use place::{Placed, place};
