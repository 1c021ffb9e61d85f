//! Parts of archives that are not free, and the firmware in them that may be passed on all the same.

use amint_types::Severity;
use amint_types::scan::{PackageKind, ScannedPackage};

use crate::pattern::{fits, fits_any};
use crate::table::{rows, words};

const SECTIONS: &str = include_str!("../data/sections.tsv");
const ARCHIVES: &str = include_str!("../data/archives.tsv");
const FIRMWARE: &str = include_str!("../data/firmware.tsv");

/// What is known of a part of an archive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Component {
    pub(crate) name: &'static str,
    pub(crate) severity: Severity,
    pub(crate) reason: &'static str,
    pub(crate) source: &'static str,
}

/// What is known of firmware.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Firmware {
    /// Whether anybody may pass it on unchanged.
    pub(crate) may_be_passed_on: bool,
    pub(crate) license: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) source: &'static str,
}

/// Returns what is known of the component in a section: `non-free/libs`, `multiverse`; none for free ones.
pub(crate) fn component(section: &str) -> Option<Component> {
    let component = section.split('/').next().unwrap_or_default().trim();
    rows::<4>(SECTIONS)
        .find(|row| row.first().is_some_and(|name| component.eq_ignore_ascii_case(name)))
        .and_then(|[name, severity, reason, source]| {
            Some(Component { name, severity: severity.parse().ok()?, reason, source })
        })
}

/// Returns what is known of firmware by the name of its package.
pub(crate) fn firmware(package: &str) -> Option<Firmware> {
    rows::<5>(FIRMWARE).find(|[_, packages, ..]| fits_any(&words(packages), package)).map(
        |[verdict, _, license, reason, source]| Firmware {
            may_be_passed_on: verdict == "may",
            license,
            reason,
            source,
        },
    )
}

/// Returns what the archive of a package promises, and where, if it takes only what may be sold. A Debian package
/// counts only where its section is known and free.
pub(crate) fn promise(
    package: &ScannedPackage,
    section: Option<&str>,
) -> Option<(&'static str, &'static str)> {
    if package.kind == PackageKind::Deb && section.is_none_or(|section| component(section).is_some()) {
        return None;
    }
    let vendor = package.vendor.as_deref()?.to_lowercase();
    rows::<4>(ARCHIVES)
        .filter(|[kind, ..]| *kind == package.kind.as_str())
        .find(|[_, vendors, ..]| vendors.split(" | ").any(|pattern| fits(pattern, vendor.trim())))
        .map(|[_, _, promise, source]| (promise, source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::assert_shape;

    #[test]
    fn tables_are_well_formed() {
        assert_shape::<4>(SECTIONS);
        assert_shape::<5>(FIRMWARE);
        assert_shape::<4>(ARCHIVES);
        assert!(rows::<4>(SECTIONS).all(|[name, ..]| component(name).is_some()));
        assert!(rows::<5>(FIRMWARE).all(|[verdict, ..]| ["may", "look"].contains(&verdict)));
    }

    #[test]
    fn knows_parts_that_are_not_free() {
        assert_eq!(component("non-free/libs").map(|found| found.severity), Some(Severity::High));
        assert_eq!(component("non-free-firmware/kernel").map(|found| found.name), Some("non-free-firmware"));
        assert_eq!(component("contrib/utils").map(|found| found.severity), Some(Severity::Medium));
        assert_eq!(component("multiverse/web").map(|found| found.severity), Some(Severity::High));
        assert_eq!(component("restricted/misc").map(|found| found.severity), Some(Severity::High));
        for free in ["libs", "universe/libs", "main/libs", ""] {
            assert!(component(free).is_none(), "{free}");
        }
    }

    #[test]
    fn knows_firmware_that_may_be_passed_on() {
        for name in
            ["intel-microcode", "amd64-microcode", "firmware-iwlwifi", "linux-firmware", "microcode_ctl"]
        {
            assert!(firmware(name).is_some_and(|found| found.may_be_passed_on), "{name}");
        }
        assert!(firmware("firmware-ivtv").is_some_and(|found| !found.may_be_passed_on));
        assert!(firmware("nvidia-driver").is_none());
    }
}
