//! The forms of single values: sizes, networks, names, paths.
//!
//! Each reader takes text and returns either the value or a flaw with a way out; none knows where in a recipe
//! the text stands.

pub(crate) mod archive;
mod choice;
mod cidr;
pub(crate) mod disk_size;
pub(crate) mod duration;
pub(crate) mod file_mode;
pub(crate) mod names;
pub(crate) mod package;
pub(crate) mod path;
mod plain;
mod region;
mod url;

pub(crate) use choice::{Choice, choose};
pub use cidr::Cidr;
pub(crate) use plain::plain;
pub use region::{Region, is_region};
pub(crate) use url::{TEST_PATTERN as TEST_URL_PATTERN, TestUrl, mirror_url};

/// Gives a checked text its serialised form and its JSON Schema.
macro_rules! text_form {
    ($type:ident, $pattern:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}
pub(crate) use text_form;
