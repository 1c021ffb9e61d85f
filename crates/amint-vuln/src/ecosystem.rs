//! Where packages come from: a distribution and its release, or the registry of a language.

use std::fmt;

use amint_types::scan::{OperatingSystem, PackageKind};

use crate::versions::Scheme;

/// Longest release that is taken.
const RELEASE_BYTES_MAX: usize = 64;

/// A family of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Family {
    /// Debian.
    Debian,
    /// Ubuntu, without paid updates.
    Ubuntu,
    /// Updates of Ubuntu Pro.
    UbuntuPro,
    /// Alpine.
    Alpine,
    /// Amazon Linux.
    Amazon,
    /// `AlmaLinux`.
    AlmaLinux,
    /// Rocky Linux.
    Rocky,
    /// Red Hat Enterprise Linux.
    RedHat,
    /// Streams of a minor release of it under extended support.
    RedHatExtended,
    /// Oracle Linux.
    Oracle,
    /// Fedora.
    Fedora,
    /// SUSE Linux Enterprise.
    Suse,
    /// Its long-term support.
    SuseLongTerm,
    /// SUSE Linux Enterprise Micro.
    SuseMicro,
    /// openSUSE Leap.
    OpenSuseLeap,
    /// openSUSE Tumbleweed.
    OpenSuseTumbleweed,
    /// Python.
    Pypi,
    /// Node.
    Npm,
    /// Ruby.
    Gem,
    /// Java.
    Maven,
    /// Go.
    Golang,
    /// Rust.
    Cargo,
    /// PHP.
    Composer,
    /// .NET.
    Nuget,
}

impl Family {
    /// Names, as they are stored.
    const NAMES: [(Self, &'static str); 24] = [
        (Self::Debian, "debian"),
        (Self::Ubuntu, "ubuntu"),
        (Self::UbuntuPro, "ubuntu-pro"),
        (Self::Alpine, "alpine"),
        (Self::Amazon, "amazon"),
        (Self::AlmaLinux, "almalinux"),
        (Self::Rocky, "rocky"),
        (Self::RedHat, "redhat"),
        (Self::RedHatExtended, "redhat-eus"),
        (Self::Oracle, "oracle"),
        (Self::Fedora, "fedora"),
        (Self::Suse, "suse"),
        (Self::SuseLongTerm, "suse-ltss"),
        (Self::SuseMicro, "suse-micro"),
        (Self::OpenSuseLeap, "opensuse-leap"),
        (Self::OpenSuseTumbleweed, "opensuse-tumbleweed"),
        (Self::Pypi, "pypi"),
        (Self::Npm, "npm"),
        (Self::Gem, "gem"),
        (Self::Maven, "maven"),
        (Self::Golang, "golang"),
        (Self::Cargo, "cargo"),
        (Self::Composer, "composer"),
        (Self::Nuget, "nuget"),
    ];

    /// Returns the name, as it is stored.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(family, _)| *family == self).map_or("unknown", |(_, name)| name)
    }

    /// Returns the order of its versions.
    pub fn scheme(self) -> Scheme {
        match self {
            Self::Debian | Self::Ubuntu | Self::UbuntuPro => Scheme::Dpkg,
            Self::Alpine => Scheme::Apk,
            Self::Pypi => Scheme::Pep440,
            Self::Npm | Self::Cargo => Scheme::Semver,
            Self::Gem => Scheme::Gem,
            Self::Maven => Scheme::Maven,
            Self::Golang => Scheme::Go,
            Self::Composer => Scheme::Composer,
            Self::Nuget => Scheme::Nuget,
            _ => Scheme::Rpm,
        }
    }

    /// Tells whether it is the registry of a language.
    pub fn is_of_language(self) -> bool {
        self >= Self::Pypi
    }

    /// Returns the family of a kind of package that belongs to no operating system.
    pub fn of_language(kind: PackageKind) -> Option<Self> {
        Some(match kind {
            PackageKind::Pypi => Self::Pypi,
            PackageKind::Npm => Self::Npm,
            PackageKind::Gem => Self::Gem,
            PackageKind::Maven => Self::Maven,
            PackageKind::Golang => Self::Golang,
            PackageKind::Cargo => Self::Cargo,
            PackageKind::Composer => Self::Composer,
            PackageKind::Nuget => Self::Nuget,
            _ => return None,
        })
    }

    /// Returns a package's name in the form in which two spellings of it are the same.
    pub fn normal_name(self, name: &str) -> String {
        match self {
            // PEP 503.
            Self::Pypi => {
                let mut normal = String::with_capacity(name.len());
                for character in name.chars() {
                    let is_separator = matches!(character, '-' | '_' | '.');
                    if !is_separator {
                        normal.extend(character.to_lowercase());
                    } else if !normal.ends_with('-') {
                        normal.push('-');
                    }
                }
                normal
            }
            Self::Composer | Self::Nuget => name.to_lowercase(),
            // Both spellings are one crate in the registry.
            Self::Cargo => name.replace('_', "-"),
            _ => name.to_owned(),
        }
    }
}

/// A family with its release: `debian:12`; registries of languages have no release.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ecosystem {
    family: Family,
    release: String,
}

impl Ecosystem {
    /// Makes one. A release that is too long or holds control characters becomes empty.
    pub fn new(family: Family, release: &str) -> Self {
        let is_good = release.len() <= RELEASE_BYTES_MAX && !release.contains(|c: char| c.is_control());
        Self { family, release: if is_good { release.to_owned() } else { String::new() } }
    }

    /// Returns the family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Returns the release, empty for registries of languages.
    pub fn release(&self) -> &str {
        &self.release
    }

    /// Returns the order of its versions.
    pub fn scheme(&self) -> Scheme {
        self.family.scheme()
    }

    /// Reads the stored form.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, release) = text.split_once(':').unwrap_or((text, ""));
        let (family, _) = Family::NAMES.iter().find(|(_, known)| *known == name)?;
        Some(Self::new(*family, release))
    }

    /// Reads a name of OSV (<https://ossf.github.io/osv-schema/#defined-ecosystems>), with the repository or product
    /// that it narrows the ecosystem to.
    pub fn from_osv(name: &str) -> Option<(Self, Option<String>)> {
        let (head, rest) = name.split_once(':').unwrap_or((name, ""));
        let plain = |family, release: &str| Some((Self::new(family, release), None));
        match head {
            "Debian" => plain(Family::Debian, rest),
            "Ubuntu" => {
                let is_pro = rest.starts_with("Pro");
                let release = rest.split(':').find(|part| part.starts_with(|c: char| c.is_ascii_digit()))?;
                // Certified variants have versions of their own that no ordinary image uses.
                if rest.contains("FIPS") || rest.contains("Realtime") {
                    return None;
                }
                plain(if is_pro { Family::UbuntuPro } else { Family::Ubuntu }, release)
            }
            "Alpine" => plain(Family::Alpine, rest.trim_start_matches('v')),
            "AlmaLinux" => plain(Family::AlmaLinux, rest),
            "Rocky Linux" => plain(Family::Rocky, rest),
            "Red Hat" => red_hat(rest),
            "SUSE" => suse(rest),
            "openSUSE" => open_suse(rest),
            "PyPI" => plain(Family::Pypi, ""),
            "npm" => plain(Family::Npm, ""),
            "RubyGems" => plain(Family::Gem, ""),
            "Maven" => plain(Family::Maven, ""),
            "Go" => plain(Family::Golang, ""),
            "crates.io" => plain(Family::Cargo, ""),
            "Packagist" => plain(Family::Composer, ""),
            "NuGet" => plain(Family::Nuget, ""),
            _ => None,
        }
    }

    /// Returns what an operating system's packages are judged by, the regular one first.
    pub fn of_system(system: &OperatingSystem) -> Vec<Self> {
        let version = system.version_id.as_deref().unwrap_or_default();
        let major = version.split('.').next().unwrap_or_default();
        let one = |family, release: &str| vec![Self::new(family, release)];
        match system.id.as_str() {
            "debian" => debian(system, major),
            "ubuntu" => vec![Self::new(Family::Ubuntu, version), Self::new(Family::UbuntuPro, version)],
            "alpine" => {
                if version.contains('_') || version.is_empty() {
                    return one(Family::Alpine, "edge");
                }
                let end = version.match_indices('.').nth(1).map_or(version.len(), |(index, _)| index);
                one(Family::Alpine, version.get(..end).unwrap_or(version))
            }
            "amzn" => one(Family::Amazon, major),
            "almalinux" => one(Family::AlmaLinux, major),
            "rocky" => one(Family::Rocky, major),
            "rhel" => vec![Self::new(Family::RedHat, major), Self::new(Family::RedHatExtended, version)],
            "ol" => one(Family::Oracle, major),
            "fedora" => one(Family::Fedora, major),
            "sles" | "sles_sap" | "sled" | "sle_hpc" => {
                vec![Self::new(Family::Suse, version), Self::new(Family::SuseLongTerm, version)]
            }
            "sle-micro" | "suse-microos" | "sl-micro" => one(Family::SuseMicro, version),
            "opensuse-leap" => one(Family::OpenSuseLeap, version),
            "opensuse-tumbleweed" => one(Family::OpenSuseTumbleweed, ""),
            _ => Vec::new(),
        }
    }
}

/// Unstable and testing have no `VERSION_ID`.
fn debian(system: &OperatingSystem, major: &str) -> Vec<Ecosystem> {
    let release = match (major, system.codename.as_deref()) {
        ("", Some(codename)) => debian_release(codename).unwrap_or(codename),
        (major, _) => major,
    };
    vec![Ecosystem::new(Family::Debian, release)]
}

/// Returns the number of a release of Debian by its code name.
pub fn debian_release(codename: &str) -> Option<&'static str> {
    const RELEASES: [(&str, &str); 9] = [
        ("jessie", "8"),
        ("stretch", "9"),
        ("buster", "10"),
        ("bullseye", "11"),
        ("bookworm", "12"),
        ("trixie", "13"),
        ("forky", "14"),
        ("duke", "15"),
        ("sid", "sid"),
    ];
    RELEASES.iter().find(|(name, _)| *name == codename).map(|(_, release)| *release)
}

/// Reads what follows `Red Hat:`, which is a CPE without its first words: `enterprise_linux:9::appstream`.
fn red_hat(rest: &str) -> Option<(Ecosystem, Option<String>)> {
    let mut parts = rest.split(':');
    let (product, version) = (parts.next()?, parts.next()?);
    let repository = parts.nth(1).filter(|name| !name.is_empty()).map(str::to_owned);
    let ecosystem = match product {
        "enterprise_linux" => Ecosystem::new(Family::RedHat, version.split('.').next().unwrap_or(version)),
        "rhel_eus" | "rhel_e4s" | "rhel_aus" | "rhel_tus" | "rhel_els" => {
            Ecosystem::new(Family::RedHatExtended, version)
        }
        _ => return None,
    };
    Some((ecosystem, repository))
}

/// Reads a CPE of Red Hat: `cpe:/o:redhat:enterprise_linux:9::baseos` or the form 2.3.
pub(crate) fn from_red_hat_cpe(cpe: &str) -> Option<(Ecosystem, Option<String>)> {
    let rest = cpe.strip_prefix("cpe:/").or_else(|| cpe.strip_prefix("cpe:2.3:"))?;
    red_hat(rest.split_once("redhat:")?.1)
}

/// Reads `Linux Enterprise Module for Basesystem 15 SP6`: the product's name is kept as the repository.
fn suse(rest: &str) -> Option<(Ecosystem, Option<String>)> {
    let product = rest.strip_prefix("Linux ").unwrap_or(rest).strip_prefix("Enterprise ")?;
    let words: Vec<&str> = product.split([' ', '-']).collect();
    let number = words.iter().rposition(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let is_micro = product.starts_with("Micro ");
    let service_pack = words.get(number + 1).and_then(|word| word.strip_prefix("SP"));
    let version = words.get(number)?;
    let release = match service_pack {
        Some(pack) => format!("{version}.{pack}"),
        None => (*version).to_owned(),
    };
    let is_long_term =
        words.iter().any(|word| matches!(*word, "LTSS" | "ESPOS" | "SAP" | "HPC" | "TERADATA"));
    let family = match (is_micro, is_long_term) {
        (true, _) => Family::SuseMicro,
        (_, true) => Family::SuseLongTerm,
        _ => Family::Suse,
    };
    let name = words.get(..number).map(|words| words.join(" "));
    Some((Ecosystem::new(family, &release), name))
}

fn open_suse(rest: &str) -> Option<(Ecosystem, Option<String>)> {
    if rest == "Tumbleweed" {
        return Some((Ecosystem::new(Family::OpenSuseTumbleweed, ""), None));
    }
    let release = rest.strip_prefix("Leap ")?;
    (!release.starts_with("Micro")).then(|| (Ecosystem::new(Family::OpenSuseLeap, release), None))
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.family.as_str())?;
        if self.release.is_empty() { Ok(()) } else { write!(formatter, ":{}", self.release) }
    }
}

#[cfg(test)]
mod tests {
    use amint_types::scan::SupportState;

    use super::*;

    fn osv(name: &str) -> String {
        Ecosystem::from_osv(name).map_or_else(String::new, |(ecosystem, _)| ecosystem.to_string())
    }

    #[test]
    fn knows_the_names_that_feeds_use() {
        assert_eq!(osv("Debian:12"), "debian:12");
        assert_eq!(osv("Ubuntu:22.04:LTS"), "ubuntu:22.04");
        assert_eq!(osv("Ubuntu:Pro:18.04:LTS"), "ubuntu-pro:18.04");
        assert_eq!(osv("Ubuntu:Pro:FIPS:22.04:LTS"), "");
        assert_eq!(osv("Alpine:v3.20"), "alpine:3.20");
        assert_eq!(osv("Red Hat:enterprise_linux:9::appstream"), "redhat:9");
        assert_eq!(osv("Red Hat:rhel_eus:9.2::baseos"), "redhat-eus:9.2");
        assert_eq!(osv("SUSE:Linux Enterprise Module for Basesystem 15 SP6"), "suse:15.6");
        assert_eq!(osv("SUSE:Linux Enterprise Server 15 SP3-LTSS"), "suse-ltss:15.3");
        assert_eq!(osv("SUSE:Linux Enterprise Micro 5.1"), "suse-micro:5.1");
        assert_eq!(osv("openSUSE:Leap 15.6"), "opensuse-leap:15.6");
        assert_eq!(osv("crates.io"), "cargo");
        assert_eq!(osv("Bitnami"), "");
        let stored = Ecosystem::parse("suse-ltss:15.3").unwrap();
        assert_eq!((stored.family(), stored.release()), (Family::SuseLongTerm, "15.3"));
    }

    #[test]
    fn knows_what_judges_an_operating_system() {
        let of = |id: &str, version: Option<&str>, codename: Option<&str>| -> String {
            let system = OperatingSystem {
                id: id.to_owned(),
                version_id: version.map(str::to_owned),
                codename: codename.map(str::to_owned),
                name: id.to_owned(),
                like: Vec::new(),
                architecture: None,
                support: SupportState::Unknown,
                support_ends: None,
                long_term_support_ends: None,
            };
            Ecosystem::of_system(&system).first().map(ToString::to_string).unwrap_or_default()
        };
        assert_eq!(of("debian", Some("12"), None), "debian:12");
        assert_eq!(of("debian", None, Some("forky")), "debian:14");
        assert_eq!(of("alpine", Some("3.20.3"), None), "alpine:3.20");
        assert_eq!(of("alpine", Some("3.22_alpha20250108"), None), "alpine:edge");
        assert_eq!(of("almalinux", Some("9.4"), None), "almalinux:9");
        assert_eq!(of("amzn", Some("2023"), None), "amazon:2023");
        assert_eq!(of("nixos", Some("24.11"), None), "");
    }

    #[test]
    fn takes_spellings_of_one_name_for_one() {
        assert_eq!(Family::Pypi.normal_name("Ruamel.Yaml__X"), "ruamel-yaml-x");
        assert_eq!(Family::Cargo.normal_name("serde_json"), "serde-json");
        assert_eq!(Family::Golang.normal_name("github.com/A/b"), "github.com/A/b");
    }
}
