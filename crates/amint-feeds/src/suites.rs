//! Which suites of its distribution an image takes packages from.

use std::collections::BTreeSet;

use amint_packages::repositories::{Manager, Repository};
use amint_types::scan::OperatingSystem;
use amint_vuln::debian_release;

/// Names of suites that stand for whichever release is the present one.
const ALIASES: [&str; 6] = ["stable", "oldstable", "oldoldstable", "testing", "unstable", "sid"];
/// Suites that nothing is taken from unless asked for, or that are not released yet.
const NOT_REGULAR: [&str; 4] = ["-backports", "-backports-sloppy", "-proposed-updates", "-proposed"];
/// Releases of Debian whose images may not tell their code name.
const CODENAMES: [&str; 8] =
    ["jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "duke"];
/// Longest name of a suite.
const SUITE_BYTES_MAX: usize = 128;

/// Returns the suites of an image's own distribution that it is set up to use, sorted: `bookworm`,
/// `bookworm-security`, `bookworm-updates`.
///
/// Backports and proposed updates are left out, since nothing comes from them by itself. Of an image without any
/// source, such as one that is set up at its first boot, the regular suites of its release are meant. Systems without
/// apt have none.
pub fn suites(system: &OperatingSystem, repositories: &[Repository]) -> Vec<String> {
    let Some(codename) = codename(system) else { return Vec::new() };
    let used = repositories.iter().filter(|repository| is_used(repository));
    let found: BTreeSet<String> = used
        .flat_map(|repository| &repository.suites)
        .map(|suite| suite.trim_end_matches('/'))
        .filter(|suite| is_of(suite, &codename))
        .map(str::to_owned)
        .collect();
    if !found.is_empty() {
        return found.into_iter().collect();
    }
    if codename == "sid" {
        return vec![codename];
    }
    ["", "-security", "-updates"].iter().map(|end| format!("{codename}{end}")).collect()
}

/// Tells whether apt takes binary packages from a repository.
pub(crate) fn is_used(repository: &Repository) -> bool {
    repository.manager == Manager::Apt
        && repository.is_enabled
        && repository.types.iter().any(|kind| kind == "deb")
}

/// Returns the code name of a release of Debian or Ubuntu.
pub(crate) fn codename(system: &OperatingSystem) -> Option<String> {
    if !matches!(system.id.as_str(), "debian" | "ubuntu") {
        return None;
    }
    if let Some(codename) = system.codename.as_deref() {
        let is_word = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        return (!codename.is_empty() && codename.chars().all(is_word)).then(|| codename.to_owned());
    }
    let major = system.version_id.as_deref()?.split('.').next()?;
    let is_known = |name: &&str| system.id == "debian" && debian_release(name) == Some(major);
    CODENAMES.into_iter().find(is_known).map(str::to_owned)
}

/// Tells whether a suite is of a release: `bookworm`, `bookworm-security`, `buster/updates`, `stable`.
fn is_of(suite: &str, codename: &str) -> bool {
    let base = suite.split(['-', '/']).next().unwrap_or_default();
    let is_name = suite.len() <= SUITE_BYTES_MAX
        && suite.chars().all(|letter| letter.is_ascii_alphanumeric() || "-./_".contains(letter));
    is_name
        && (base == codename || ALIASES.contains(&base))
        && !NOT_REGULAR.iter().any(|end| suite.ends_with(end))
}

#[cfg(test)]
mod tests {
    use amint_packages::repositories::read_apt;
    use amint_types::scan::SupportState;

    use super::*;

    fn system(id: &str, version: Option<&str>, codename: Option<&str>) -> OperatingSystem {
        OperatingSystem {
            id: id.to_owned(),
            version_id: version.map(str::to_owned),
            codename: codename.map(str::to_owned),
            name: id.to_owned(),
            like: Vec::new(),
            architecture: Some("amd64".to_owned()),
            support: SupportState::Unknown,
            support_ends: None,
            long_term_support_ends: None,
        }
    }

    #[test]
    fn an_image_without_sources_means_the_regular_suites() {
        let bookworm = system("debian", Some("12"), Some("bookworm"));
        assert_eq!(suites(&bookworm, &[]), ["bookworm", "bookworm-security", "bookworm-updates"]);
        assert_eq!(suites(&system("debian", Some("8"), None), &[])[0], "jessie");
        assert!(suites(&system("amzn", Some("2023"), None), &[]).is_empty());
        assert!(suites(&system("debian", None, Some("../x")), &[]).is_empty());
    }

    #[test]
    fn takes_what_apt_is_set_up_to_use_without_backports_and_other_vendors() {
        let text = "deb http://a.example/debian bookworm main\ndeb-src http://a.example/debian bookworm-updates main\n\
                    deb http://a.example/debian bookworm-backports main\ndeb http://b.example/x nodistro main\n\
                    deb http://a.example/debian-security bookworm-security main\n";
        let repositories = read_apt("sources.list", text.as_bytes()).unwrap().repositories;
        let bookworm = system("debian", Some("12"), Some("bookworm"));
        assert_eq!(suites(&bookworm, &repositories), ["bookworm", "bookworm-security"]);
    }
}
