//! Installed packages, as far as rules need them.

use crate::{CheckError, Context};

const STATUS: &str = "/var/lib/dpkg/status";

/// Returns the version of an installed Debian package.
pub(crate) fn version(cx: &Context<'_>, name: &str) -> Result<Option<String>, CheckError> {
    let Some(status) = cx.text(STATUS)? else { return Ok(None) };
    for paragraph in status.split("\n\n") {
        let field = |key: &str| {
            paragraph.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).map(str::trim)
        };
        let is_installed = field("Status").is_some_and(|state| state.ends_with(" installed"));
        if field("Package") == Some(name) && is_installed {
            return Ok(field("Version").map(str::to_owned));
        }
    }
    Ok(None)
}

/// Returns major and minor version of the installed OpenSSH server, when the package database tells.
pub(crate) fn openssh_version(cx: &Context<'_>) -> Result<Option<(u32, u32)>, CheckError> {
    let version = version(cx, "openssh-server")?;
    Ok(version.and_then(|version| {
        let upstream = version.split_once(':').map_or(version.as_str(), |(_, rest)| rest);
        let digits: Vec<&str> = upstream.splitn(3, |letter: char| !letter.is_ascii_digit()).collect();
        Some((digits.first()?.parse().ok()?, digits.get(1)?.parse().ok()?))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn only_what_is_installed_has_a_version() {
        let status = "Package: openssh-server\nStatus: install ok installed\nVersion: 1:10.0p1-7+deb13u4\n\n\
                      Package: old\nStatus: deinstall ok config-files\nVersion: 1\n";
        Fixture::new().file(STATUS, status).with(|cx| {
            assert_eq!(openssh_version(cx).unwrap(), Some((10, 0)));
            assert_eq!(version(cx, "old").unwrap(), None);
        });
    }
}
