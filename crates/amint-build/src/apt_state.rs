//! What apt keeps in an image: where packages come from, and which ones nobody asked for.

use std::fmt::Write;

use amint_recipe::Recipe;
use amint_recipe::lock::Lock;

use crate::mirror::Mirrors;

/// Returns the apt sources (one-line style, `sources.list(5)`) that steps of the recipe install packages from.
pub(crate) fn apt_sources(recipe: &Recipe, mirrors: &Mirrors) -> String {
    let components = recipe.base.components.join(" ");
    let suite = recipe.base.debian.as_str();
    let archive = &mirrors.archive;
    let mut lines =
        format!("deb {archive} {suite} {components}\ndeb {archive} {suite}-updates {components}\n");
    if let Some(security) = &mirrors.security {
        let _ = writeln!(lines, "deb {security} {suite}-security {components}");
    }
    lines
}

/// Returns apt's record of packages that are there only because others need them (`apt-mark(8)`).
pub(crate) fn extended_states(lock: &Lock) -> String {
    let mut text = String::new();
    for package in lock.packages.iter().filter(|package| !package.is_requested) {
        let name = &package.name;
        let architecture = &lock.base.architecture;
        let _ = writeln!(text, "Package: {name}\nArchitecture: {architecture}\nAuto-Installed: 1\n");
    }
    text
}
