//! Text of dpkg and apk, and lists of repositories: no bytes make the readers panic.
#![no_main]

use amint_packages::Problems;
use amint_packages::repositories::{MainSettings, Variables};
use amint_packages::{apk, dpkg, repositories};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut problems = Problems::default();
    let diversions = dpkg::Diversions::read(bytes, &mut problems);
    if let Ok(database) = dpkg::read_status_part(bytes) {
        for package in database.packages.iter().take(10) {
            dpkg::owned_files(package, bytes, bytes, &diversions, &mut problems);
        }
    }
    dpkg::read_overrides(bytes, &mut problems);
    dpkg::Copyright::read(bytes).names();
    apk::read_installed(bytes);
    apk::read_world(bytes);
    let variables = Variables::of_system("1.2", "x86_64");
    repositories::read_dnf(bytes, &variables, &MainSettings::default());
    repositories::read_apt("x.list", bytes);
    repositories::read_apt("x.sources", bytes);
    repositories::read_apk(bytes);
});
