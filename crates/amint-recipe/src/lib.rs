//! The recipe `amint.toml` and its lock file: models, validation with spans, JSON Schema.
//!
//! A recipe says what an image is made of, how it is hardened, how it is tested and where it goes: the
//! repeatable process of A7. [`load`] reads one from disk, [`parse`] does the same with text alone. Both report
//! *all* mistakes at once, each with line, column, offending text and, where there is one, a way out.
//!
//! TOML is walked by hand over spanned values instead of through serde: serde stops at the first mistake and
//! loses the span of what it converts. One file of `section/` holds one section of the recipe: its type, its
//! reader, its checks and their tests; `text/` holds the forms of single values; [`defaults`] holds every value
//! that a recipe may leave out; [`lock`] holds the lock file `amint.lock`. Nothing here knows what a rule id or a
//! package name means beyond its form.

pub mod defaults;
mod diagnostic;
mod load;
pub mod lock;
mod problems;
mod recipe;
mod schema;
mod section;
mod source;
mod table;
mod template;
mod text;
mod text_file;
mod toml_string;
mod validate_files;
mod waiver_file;

pub use diagnostic::{Diagnostic, DiagnosticSeverity, Diagnostics, mask_passwords};
pub use load::{RECIPE_BYTES_MAX, RecipeError, RecipeFile, load};
pub use recipe::{Recipe, parse};
pub use schema::json_schema;
pub use section::{
    Access, AccessProtocol, Base, Debian, DeregistrationProtection, Disk, Expect, FileEntry, Harden, Image,
    Kernel, Lifecycle, Marketplace, Packages, Pin, PinTarget, Port, Profile, Protocol, Publish, Repository,
    Right, Run, RunAction, Services, Test, TestAction, TestInstance, User, Waiver, is_organization,
    is_product,
};
pub use template::template;
pub use text::{Cidr, Region, is_region};
pub use toml_string::toml_string;
pub use validate_files::validate_files;
pub use waiver_file::{load_waivers, parse_waivers};
