//! Where files lie: URIs that never show a password, and paths that never leave their repository.

use std::fmt::{self, Write as _};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use amint_types::Redacted;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::error::ArchiveError;

/// Longest path that is taken from a Release or an index.
const PATH_BYTES_MAX: usize = 1024;
/// Longest URI that is used.
const URI_BYTES_MAX: usize = 8 * 1024;

/// Hides what may be secret in a URI: user and password, and the query, which may be a token.
pub fn redact(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("***@{host}"),
        None => authority.to_owned(),
    };
    let path = match path.split_once('?') {
        Some((path, _)) => format!("{path}?***"),
        None => path.to_owned(),
    };
    format!("{scheme}://{authority}{path}")
}

/// Joins a repository's URI and the path of a package's file, its `Filename`, as a location for
/// [`PackageFile`](crate::PackageFile).
pub fn package_location(uri: &str, filename: &str) -> Result<String, ArchiveError> {
    let path = relative_path(filename)?;
    Ok(join(uri, path))
}

/// Checks that a path of a Release or an index stays where it belongs, and returns it without a leading `./`.
pub(crate) fn relative_path(path: &str) -> Result<&str, ArchiveError> {
    let bad = |problem| Err(ArchiveError::BadPath { path: path.escape_debug().to_string(), problem });
    let clean = path.strip_prefix("./").unwrap_or(path);
    if clean.is_empty() || clean.len() > PATH_BYTES_MAX {
        return bad("is empty or too long");
    }
    if clean.contains(|character: char| character.is_control() || character == '\\') {
        return bad("has a control character or a backslash");
    }
    if clean.starts_with('/') {
        return bad("does not start in the repository");
    }
    if clean.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return bad("leaves its folder");
    }
    if clean.split('/').next().is_some_and(|part| part.contains(':')) {
        return bad("is a URI of its own");
    }
    Ok(clean)
}

/// Joins a repository's URI and a checked path.
pub(crate) fn join(uri: &str, path: &str) -> String {
    let base = uri.trim_end_matches('/');
    if base.starts_with('/') || (base.is_empty() && uri.starts_with('/')) {
        return format!("{base}/{path}");
    }
    let mut joined = format!("{base}/");
    for byte in path.bytes() {
        // As apt does it, in small digits: caches of mirrors keep files by what most clients ask for. It encodes `+`,
        // which some object stores take for a space, and `~`.
        if byte.is_ascii_graphic() && !b"+~%#?\"<>[]^`{|}".contains(&byte) {
            joined.push(char::from(byte));
        } else {
            let _ = write!(joined, "%{byte:02x}");
        }
    }
    joined
}

/// Where one file lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// On a server.
    Http(HttpUri),
    /// On this host.
    File(PathBuf),
}

impl Location {
    /// Reads an `http`, `https` or `file` URI, or an absolute path.
    pub(crate) fn parse(text: &str) -> Result<Self, ArchiveError> {
        let bad = |problem| ArchiveError::BadUri { uri: redact(text).escape_debug().to_string(), problem };
        if text.len() > URI_BYTES_MAX || text.contains(char::is_control) {
            return Err(bad("is too long or has a control character"));
        }
        if text.starts_with('/') {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let (scheme, rest) =
            text.split_once(':').ok_or_else(|| bad("is neither a URI nor an absolute path"))?;
        match scheme.to_ascii_lowercase().as_str() {
            "file" => {
                let path = rest.strip_prefix("//localhost/").or_else(|| rest.strip_prefix("///"));
                let path = path.or_else(|| rest.strip_prefix('/').filter(|path| !path.starts_with('/')));
                let path = path.ok_or_else(|| bad("does not name a file of this host"))?;
                let bytes = decode(&format!("/{path}")).filter(|bytes| !bytes.contains(&0));
                let bytes = bytes.ok_or_else(|| bad("is not encoded as a URI must be"))?;
                Ok(Self::File(PathBuf::from(std::ffi::OsString::from_vec(bytes))))
            }
            scheme @ ("http" | "https") => {
                let rest = rest.strip_prefix("//").ok_or_else(|| bad("names no host"))?;
                HttpUri::new(scheme == "https", rest).map(Self::Http).map_err(bad)
            }
            _ => Err(bad("has a scheme other than http, https and file")),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(uri) => uri.fmt(formatter),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

/// A URI of a server, with its secrets apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpUri {
    pub(crate) is_https: bool,
    /// Host and port.
    authority: String,
    path: Redacted<String>,
    userinfo: Option<Redacted<String>>,
}

impl HttpUri {
    fn new(is_https: bool, rest: &str) -> Result<Self, &'static str> {
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (userinfo, authority) = match authority.rsplit_once('@') {
            Some((userinfo, authority)) => (Some(Redacted::new(userinfo.to_owned())), authority),
            None => (None, authority),
        };
        if authority.is_empty() || authority.starts_with(':') {
            return Err("names no host");
        }
        if rest.contains(|character: char| character.is_whitespace() || !character.is_ascii()) {
            return Err("is not encoded as a URI must be");
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { is_https, authority: authority.to_owned(), path: Redacted::new(path), userinfo })
    }

    fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    /// Returns the text that a request is made with: without user and password.
    pub(crate) fn request_text(&self) -> String {
        format!("{}://{}{}", self.scheme(), self.authority, self.path.expose())
    }

    /// Returns the host without its port.
    pub(crate) fn host(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.authority,
        }
    }

    /// Returns the value of an `Authorization` header (RFC 7617), when the URI has a user.
    pub(crate) fn authorization(&self) -> Option<Redacted<String>> {
        let userinfo = decode(self.userinfo.as_ref()?.expose())?;
        let (user, password) = match userinfo.iter().position(|byte| *byte == b':') {
            Some(colon) => (&userinfo[..colon], &userinfo[colon + 1..]),
            None => (userinfo.as_slice(), &[][..]),
        };
        let pair = [user, b":", password].concat();
        Some(Redacted::new(format!("Basic {}", BASE64_STANDARD.encode(pair))))
    }

    /// Follows a redirect (RFC 9110, section 10.2.2); user and password go along only to the same server.
    pub(crate) fn redirected(&self, target: &str) -> Result<Self, &'static str> {
        let lower = target.to_ascii_lowercase();
        let mut next = if lower.starts_with("http://") || lower.starts_with("https://") {
            let rest = target.split_once("://").map_or("", |(_, rest)| rest);
            Self::new(lower.starts_with("https"), rest)?
        } else if let Some(rest) = target.strip_prefix("//") {
            Self::new(self.is_https, rest)?
        } else if target.starts_with('/') {
            Self::new(self.is_https, &format!("{}{target}", self.authority))?
        } else if lower.split(['/', '?']).next().is_some_and(|part| part.contains(':')) {
            return Err("has a scheme other than http and https");
        } else {
            let path = self.path.expose();
            let path = path.split('?').next().unwrap_or(path);
            let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
            Self::new(self.is_https, &format!("{}{folder}{target}", self.authority))?
        };
        if self.is_https && !next.is_https {
            return Err("leaves https for http");
        }
        if next.authority == self.authority && next.is_https == self.is_https && next.userinfo.is_none() {
            next.userinfo.clone_from(&self.userinfo);
        }
        Ok(next)
    }
}

impl fmt::Display for HttpUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = if self.userinfo.is_some() { "***@" } else { "" };
        let text = format!("{}://{user}{}{}", self.scheme(), self.authority, self.path.expose());
        formatter.write_str(&redact(&text))
    }
}

/// Undoes percent encoding.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn http(text: &str) -> HttpUri {
        match Location::parse(text).unwrap() {
            Location::Http(uri) => uri,
            Location::File(path) => panic!("{}", path.display()),
        }
    }

    #[test]
    fn keeps_secrets_out_of_every_text() {
        let uri = http("https://user:hunter2@mirror.example:8443/debian/x?token=hunter3#f");
        assert_eq!(uri.to_string(), "https://***@mirror.example:8443/debian/x?***");
        assert!(!format!("{uri:?}").contains("hunter"));
        assert_eq!(uri.request_text(), "https://mirror.example:8443/debian/x?token=hunter3");
        assert_eq!(uri.authorization().unwrap().expose(), "Basic dXNlcjpodW50ZXIy");
        assert_eq!(uri.host(), "mirror.example");
        assert_eq!(redact("http://a:b@c@d/e"), "http://***@d/e");
        let error = Location::parse("ftp://user:hunter2@mirror.example/").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }

    #[test]
    fn finds_local_files() {
        for text in ["/srv/a b", "file:///srv/a%20b", "file:/srv/a%20b", "file://localhost/srv/a%20b"] {
            assert_eq!(Location::parse(text).unwrap(), Location::File(PathBuf::from("/srv/a b")), "{text}");
        }
        for text in [
            "file://server/srv",
            "srv/a",
            "file:///a%2",
            "file:///a%00",
            "http:///x",
            "http://a b/",
            "data:x",
        ] {
            assert!(Location::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn joins_paths_as_servers_expect_them() {
        let joined = package_location("http://mirror.example/debian/", "pool/g++_1%3a2~3.deb").unwrap();
        assert_eq!(joined, "http://mirror.example/debian/pool/g%2b%2b_1%253a2%7e3.deb");
        assert_eq!(package_location("/srv/r/", "./a+b.deb").unwrap(), "/srv/r/a+b.deb");
        let file = package_location("file:///srv/r", "a+b.deb").unwrap();
        assert_eq!(Location::parse(&file).unwrap(), Location::File(PathBuf::from("/srv/r/a+b.deb")));
    }

    #[test]
    fn refuses_paths_that_leave_the_repository() {
        for path in
            ["", "/etc/passwd", "../x", "a/../x", "a//b", "a/./b", "a\nb", "http://x/y", "a\\b", "./", "a/"]
        {
            assert!(relative_path(path).is_err(), "{path:?}");
        }
        assert_eq!(relative_path("./pool/a_1:2.deb").unwrap(), "pool/a_1:2.deb");
    }

    #[test]
    fn follows_redirects_without_giving_away_the_password() {
        let start = http("https://u:p@a.example/x/y?z");
        let same = start.redirected("/w").unwrap();
        assert_eq!(same.request_text(), "https://a.example/w");
        assert!(same.authorization().is_some());
        assert_eq!(start.redirected("w").unwrap().request_text(), "https://a.example/x/w");
        assert!(start.redirected("https://b.example/w").unwrap().authorization().is_none());
        assert!(start.redirected("//b.example/w").unwrap().authorization().is_none());
        assert!(start.redirected("http://a.example/w").is_err());
        assert!(start.redirected("file:///etc/passwd").is_err());
    }

    proptest! {
        #[test]
        fn a_checked_path_stays_below_its_folder(path in "[a./:\\\\ -]{0,12}") {
            if let Ok(clean) = relative_path(&path) {
                let joined = std::path::Path::new("/r").join(clean);
                prop_assert!(joined.starts_with("/r"));
                prop_assert!(!joined.components().any(|part| part == std::path::Component::ParentDir));
            }
        }

        #[test]
        fn locations_never_panic(text in ".{0,40}") {
            let _ = Location::parse(&text);
            let _ = redact(&text);
        }
    }
}
