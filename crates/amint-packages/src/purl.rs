//! Package URLs of packages of an operating system (<https://github.com/package-url/purl-spec>).
//!
//! Written in the canonical form only: namespace in lower case, qualifiers sorted and without empty values,
//! everything but letters, digits and `.-_~:` percent-encoded.

use std::fmt::Write as _;

use amint_types::scan::{OperatingSystem, PackageKind};

/// The operating system that packages belong to, as far as their URLs tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// `ID` of os-release(5): `debian`, `amzn`; empty if it is not known.
    pub id: String,
    /// `VERSION_ID`: `13`.
    pub version_id: Option<String>,
}

impl Distribution {
    /// Takes a system by id and version.
    pub fn new(id: &str, version_id: &str) -> Self {
        let version_id = Some(version_id).filter(|version| !version.is_empty()).map(ToOwned::to_owned);
        Self { id: id.to_owned(), version_id }
    }

    /// Returns the namespace of package URLs: who makes the packages.
    pub fn namespace(&self) -> String {
        let id = self.id.to_ascii_lowercase();
        match id.as_str() {
            "rhel" => "redhat".to_owned(),
            "sles" | "sled" | "sles_sap" | "sl-micro" => "suse".to_owned(),
            _ if id.starts_with("opensuse-") => "opensuse".to_owned(),
            _ => id,
        }
    }

    /// Returns the qualifier `distro`: `debian-13`; none if the system is not known.
    pub fn qualifier(&self) -> Option<String> {
        if self.id.is_empty() {
            return None;
        }
        Some(match &self.version_id {
            Some(version) => format!("{}-{version}", self.id),
            None => self.id.clone(),
        })
    }
}

impl From<&OperatingSystem> for Distribution {
    fn from(system: &OperatingSystem) -> Self {
        Self { id: system.id.clone(), version_id: system.version_id.clone() }
    }
}

/// Writes a package URL.
///
/// `qualifiers` may come in any order; those with an empty value are left out, and of two with the same key the first
/// counts. Keys are ours and not checked.
pub fn package_url(
    kind: PackageKind,
    namespace: &str,
    name: &str,
    version: &str,
    qualifiers: &[(&str, &str)],
) -> String {
    let mut url = format!("pkg:{}/", kind.as_str());
    for part in namespace.split('/').filter(|part| !part.is_empty()) {
        encode(&mut url, &part.to_lowercase());
        url.push('/');
    }
    // deb and apk have names in lower case only; rpm tells them apart.
    match kind {
        PackageKind::Rpm => encode(&mut url, name),
        _ => encode(&mut url, &name.to_lowercase()),
    }
    if !version.is_empty() {
        url.push('@');
        encode(&mut url, version);
    }
    let mut sorted: Vec<_> = qualifiers.iter().filter(|(_, value)| !value.is_empty()).collect();
    sorted.sort_by_key(|(key, _)| *key);
    sorted.dedup_by_key(|(key, _)| *key);
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        url.push_str(key);
        url.push('=');
        encode(&mut url, value);
    }
    url
}

/// Appends text, percent-encoded.
fn encode(url: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of the specification's own test suite for deb, rpm and apk.
    #[test]
    fn writes_the_urls_of_the_specification() {
        use PackageKind::{Apk, Deb, Rpm};
        type Case =
            (PackageKind, &'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);
        let cases: [(Case, &str); 10] = [
            (
                (Deb, "debian", "curl", "7.50.3-1", &[("arch", "i386"), ("distro", "jessie")]),
                "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
            ),
            (
                (Deb, "debian", "dpkg", "1.19.0.4", &[("arch", "amd64"), ("distro", "stretch")]),
                "pkg:deb/debian/dpkg@1.19.0.4?arch=amd64&distro=stretch",
            ),
            (
                (Deb, "ubuntu", "dpkg", "1.19.0.4", &[("arch", "amd64")]),
                "pkg:deb/ubuntu/dpkg@1.19.0.4?arch=amd64",
            ),
            (
                (Deb, "debian", "attr", "1:2.4.47-2", &[("arch", "source")]),
                "pkg:deb/debian/attr@1:2.4.47-2?arch=source",
            ),
            (
                (Deb, "debian", "attr", "1:2.4.47-2+b1", &[("arch", "amd64")]),
                "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64",
            ),
            (
                (Rpm, "fedora", "curl", "7.50.3-1.fc25", &[("arch", "i386"), ("distro", "fedora-25")]),
                "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25",
            ),
            (
                (
                    Rpm,
                    "",
                    "centerim",
                    "4.22.10-1.el6",
                    &[("arch", "i686"), ("epoch", "1"), ("distro", "fedora-25")],
                ),
                "pkg:rpm/centerim@4.22.10-1.el6?arch=i686&distro=fedora-25&epoch=1",
            ),
            (
                (Apk, "alpine", "curl", "7.83.0-r0", &[("arch", "x86")]),
                "pkg:apk/alpine/curl@7.83.0-r0?arch=x86",
            ),
            (
                (Apk, "alpine", "apk", "2.12.9-r3", &[("arch", "x86")]),
                "pkg:apk/alpine/apk@2.12.9-r3?arch=x86",
            ),
            (
                (
                    Apk,
                    "alpine",
                    "libcrypto3",
                    "3.5.5-r0",
                    &[("distro", "alpine-edge"), ("upstream", "openssl"), ("arch", "x86_64")],
                ),
                "pkg:apk/alpine/libcrypto3@3.5.5-r0?arch=x86_64&distro=alpine-edge&upstream=openssl",
            ),
        ];
        for ((kind, namespace, name, version, qualifiers), wanted) in cases {
            assert_eq!(package_url(kind, namespace, name, version, qualifiers), wanted);
        }
    }

    #[test]
    fn encodes_what_would_change_the_meaning() {
        assert_eq!(
            package_url(
                PackageKind::Deb,
                "Debian",
                "G++",
                "1:1~rc1",
                &[("upstream", "gcc/13@1 &é"), ("arch", "")]
            ),
            "pkg:deb/debian/g%2B%2B@1:1~rc1?upstream=gcc%2F13%401%20%26%C3%A9"
        );
        assert_eq!(package_url(PackageKind::Rpm, "fedora", "GConf2", "", &[]), "pkg:rpm/fedora/GConf2");
    }

    #[test]
    fn names_the_makers_of_systems() {
        for (id, namespace) in
            [("debian", "debian"), ("rhel", "redhat"), ("opensuse-leap", "opensuse"), ("sles", "suse")]
        {
            assert_eq!(Distribution::new(id, "1").namespace(), namespace);
        }
        assert_eq!(Distribution::new("debian", "13").qualifier().as_deref(), Some("debian-13"));
        assert_eq!(Distribution::new("arch", "").qualifier().as_deref(), Some("arch"));
        assert_eq!(Distribution::default().qualifier(), None);
    }
}
