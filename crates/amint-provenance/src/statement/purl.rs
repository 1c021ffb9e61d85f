//! Package URLs.

use std::fmt::Write;

/// Makes the package URL of a package of Debian: `pkg:deb/debian/NAME@VERSION?arch=ARCHITECTURE`.
///
/// Rules: package-url specification, type `deb`; characters other than `A-Za-z0-9.-_~:` are percent-encoded.
pub fn debian_purl(name: &str, version: &str, architecture: &str) -> String {
    let mut purl = String::from("pkg:deb/debian/");
    encode(&mut purl, &name.to_ascii_lowercase());
    purl.push('@');
    encode(&mut purl, version);
    purl.push_str("?arch=");
    encode(&mut purl, architecture);
    purl
}

fn encode(purl: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            purl.push(char::from(byte));
        } else {
            write!(purl, "%{byte:02X}").expect("a String takes all text");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_versions_of_debian_use() {
        assert_eq!(debian_purl("curl", "7.50.3-1", "i386"), "pkg:deb/debian/curl@7.50.3-1?arch=i386");
        assert_eq!(
            debian_purl("libstdc++6", "1:14.2~rc1+b2", "amd64"),
            "pkg:deb/debian/libstdc%2B%2B6@1:14.2~rc1%2Bb2?arch=amd64"
        );
        assert_eq!(debian_purl("x", "ä/?@#", "all"), "pkg:deb/debian/x@%C3%A4%2F%3F%40%23?arch=all");
    }
}
