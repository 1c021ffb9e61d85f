//! The sections of a recipe: one file each, with its type, its reader and its checks.

mod base;
mod disk;
mod files;
mod harden;
mod image;
mod kernel;
mod lifecycle;
mod marketplace;
mod packages;
mod ports;
mod publish;
mod repository;
mod rights;
mod run;
mod services;
mod test;
mod user;

pub use base::{Base, Debian};
pub use disk::Disk;
pub use files::FileEntry;
pub use harden::{Harden, Profile, Waiver};
pub use image::Image;
pub use kernel::Kernel;
pub use lifecycle::Lifecycle;
pub use marketplace::{Access, AccessProtocol, Marketplace, is_product};
pub use packages::{Packages, Pin, PinTarget};
pub use ports::{Port, Protocol};
pub use publish::{DeregistrationProtection, Publish, is_organization};
pub use repository::Repository;
pub use rights::Right;
pub use run::{Run, RunAction};
pub use services::Services;
pub use test::{Expect, Test, TestAction, TestInstance};
pub use user::User;

pub(crate) use base::parse as parse_base;
pub(crate) use disk::parse as parse_disk;
pub(crate) use files::parse as parse_files;
pub(crate) use harden::{parse as parse_harden, parse_waivers};
pub(crate) use image::parse as parse_image;
pub(crate) use kernel::parse as parse_kernel;
pub(crate) use lifecycle::parse as parse_lifecycle;
pub(crate) use marketplace::parse as parse_marketplace;
pub(crate) use packages::{check_pins, parse as parse_packages};
pub(crate) use ports::parse as parse_ports;
pub(crate) use publish::parse as parse_publish;
pub(crate) use repository::parse as parse_repositories;
pub(crate) use rights::parse as parse_rights;
pub(crate) use run::parse as parse_run;
pub(crate) use services::parse as parse_services;
pub(crate) use test::{check_ports, parse as parse_test};
pub(crate) use user::parse as parse_user;

/// The top-level keys of a recipe.
pub(crate) const TOP_KEYS: [&str; 17] = [
    "image",
    "base",
    "packages",
    "repository",
    "files",
    "run",
    "user",
    "services",
    "ports",
    "disk",
    "kernel",
    "harden",
    "rights",
    "test",
    "publish",
    "lifecycle",
    "marketplace",
];

/// The keys of every section, to tell where a misplaced key belongs.
pub(crate) const SECTIONS: [(&str, &[&str]); 21] = [
    ("[image]", &image::KEYS),
    ("[base]", &base::KEYS),
    ("[packages]", &packages::KEYS),
    ("pins", &packages::PIN_KEYS),
    ("[[repository]]", &repository::KEYS),
    ("[[files]]", &files::KEYS),
    ("[[run]]", &run::KEYS),
    ("[user]", &user::KEYS),
    ("[services]", &services::KEYS),
    ("[[ports]]", &ports::KEYS),
    ("[disk]", &disk::KEYS),
    ("[kernel]", &kernel::KEYS),
    ("[harden]", &harden::KEYS),
    ("[[harden.waive]]", &harden::WAIVE_KEYS),
    ("[[rights]]", &rights::KEYS),
    ("[[test]]", &test::KEYS),
    ("expect", &test::EXPECT_KEYS),
    ("[publish]", &publish::KEYS),
    ("[lifecycle]", &lifecycle::KEYS),
    ("[marketplace]", &marketplace::KEYS),
    ("access", &marketplace::ACCESS_KEYS),
];

/// The sections of a file of waivers alone.
pub(crate) const WAIVER_SECTIONS: [(&str, &[&str]); 3] =
    [("", &["harden"]), ("[harden]", &["waive"]), ("[[harden.waive]]", &harden::WAIVE_KEYS)];

/// Helps the tests of sections: the messages and hints of a section within an otherwise valid recipe.
#[cfg(test)]
pub(crate) mod testing {
    use std::path::Path;

    use crate::recipe::{Recipe, parse};

    const VALID: &str = "[image]\nname = \"web\"\nversion = \"1\"\n[base]\ndebian = \"trixie\"\n";

    /// Reads a recipe of the least there must be, and `section`.
    pub(crate) fn recipe(section: &str) -> Recipe {
        let text = format!("{VALID}{section}");
        parse(&text, Path::new("amint.toml")).unwrap_or_else(|error| panic!("{}", error.render_plain()))
    }

    /// Returns what is wrong with `section`: the offending text, the message and the hint of each error.
    pub(crate) fn errors(section: &str) -> Vec<(String, String, String)> {
        let text = format!("{VALID}{section}");
        let error = parse(&text, Path::new("amint.toml")).expect_err("the section should be refused");
        error
            .errors()
            .map(|item| (item.text.clone(), item.message.clone(), item.hint.clone().unwrap_or_default()))
            .collect()
    }

    /// Returns the messages of the errors of `section`.
    pub(crate) fn messages(section: &str) -> Vec<String> {
        errors(section).into_iter().map(|(_, message, _)| message).collect()
    }

    /// Returns the messages of the warnings about `section`.
    pub(crate) fn warnings(section: &str) -> Vec<String> {
        recipe(section).warnings.items.into_iter().map(|item| item.message).collect()
    }
}
