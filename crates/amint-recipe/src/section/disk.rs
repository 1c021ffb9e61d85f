//! `[disk]`: how large the image's disk is.

use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::Problems;
use crate::table::Table;
use crate::text::disk_size;

pub(crate) const KEYS: [&str; 1] = ["size"];

/// Says how large the image's disk is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Disk {
    /// The disk's size in whole GiB, such as `2GiB`. Without it the smallest that the content fits in. The root
    /// file system grows to the volume's size when an instance starts.
    #[serde(rename = "size", serialize_with = "disk_size::serialize")]
    #[schemars(with = "Option<String>", extend("pattern" = disk_size::PATTERN))]
    pub size_bytes: Option<u64>,
}

pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Disk {
    let Some(table) = root.table(problems, "disk", "[disk]", &KEYS) else { return Disk::default() };
    Disk { size_bytes: table.parsed(problems, "size", disk_size::parse).map(|size| size.value) }
}

#[cfg(test)]
mod tests {
    use crate::section::testing::{errors, recipe};

    #[test]
    fn has_no_size_unless_told() {
        assert_eq!(recipe("").disk.size_bytes, None);
        assert_eq!(recipe("[disk]\nsize = \"8GiB\"\n").disk.size_bytes, Some(8 << 30));
    }

    #[test]
    fn tells_how_to_write_a_size() {
        assert_eq!(errors("[disk]\nsize = \"8G\"\n")[0].2, "write `8GiB`");
        assert_eq!(errors("[disk]\nsize = 8\n")[0].1, "`size` must be a string, not a whole number");
    }
}
