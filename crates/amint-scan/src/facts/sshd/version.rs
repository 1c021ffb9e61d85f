//! The installed OpenSSH: its version and the keywords that it was compiled with.

use std::path::Path;

use super::keywords::Version;
use crate::facts::packages;
use crate::{CheckError, Context};

/// Where the server is; those of one file hold everything, newer ones keep the session apart.
pub(super) const PROGRAM: &str = "/usr/sbin/sshd";
/// How much of the program is read.
const PROGRAM_BYTES_MAX: u64 = 16 << 20;
const MARK: &[u8] = b"OpenSSH_";

/// The installed server.
#[derive(Clone, Debug, Default)]
pub(super) struct Installed {
    /// The version, when the program or the package database tells.
    pub(super) version: Option<Version>,
    program: Vec<u8>,
}

impl Installed {
    /// Looks at the program, which is what starts, and at the package database where that says nothing.
    pub(super) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let path = Path::new(PROGRAM);
        let is_bearable = cx
            .metadata_following(path)?
            .is_some_and(|metadata| metadata.is_file() && metadata.bytes <= PROGRAM_BYTES_MAX);
        let program = if is_bearable { cx.tree().read(path, PROGRAM_BYTES_MAX)? } else { Vec::new() };
        let version = match version_in(&program) {
            Some(version) => Some(version),
            None => packages::openssh_version(cx)?,
        };
        Ok(Self { version, program })
    }

    /// Tells whether the program itself holds a keyword in its table, whatever its version should know:
    /// distributions bring keywords back to older versions, and add their own.
    pub(super) fn has_keyword(&self, name: &str) -> bool {
        let needle = [b"\0", name.as_bytes(), b"\0"].concat();
        self.program.windows(needle.len()).any(|window| window == needle)
    }
}

fn version_in(program: &[u8]) -> Option<Version> {
    // Strings of a program end with a zero byte, and the version begins one.
    program.split(|byte| *byte == 0).filter_map(|string| string.strip_prefix(MARK)).find_map(|rest| {
        let text: String = rest
            .iter()
            .take(8)
            .map(|byte| char::from(*byte))
            .take_while(|letter| letter.is_ascii_digit() || *letter == '.')
            .collect();
        let (major, minor) = text.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_tells_its_version_and_its_keywords() {
        let program = b"\x7fELF OpenSSH_ \0OpenSSH_\0OpenSSH_8.7\0port\0useowncrypto\0".to_vec();
        assert_eq!(version_in(&program), Some((8, 7)));
        let installed = Installed { version: None, program };
        assert!(installed.has_keyword("useowncrypto") && !installed.has_keyword("crypto"));
    }
}
