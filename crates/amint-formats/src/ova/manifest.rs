//! The manifest: checksums of the files of the archive.

use amint_types::ReadAt;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::has_ending;
use super::tar::Member;
use crate::FormatError;
use crate::bytes::index;

/// Longest manifest.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;
/// Bytes read at once.
const BUFFER_BYTES: u64 = 1 << 20;

/// Compares every file that the manifest names; the description and all disks have to be named.
pub(super) fn verify(archive: &dyn ReadAt, members: &[Member]) -> Result<(), FormatError> {
    let failed = |what: String| FormatError::Manifest { what };
    let manifest = members
        .iter()
        .find(|member| has_ending(&member.name, "mf"))
        .ok_or_else(|| failed("the archive has none".to_owned()))?;
    let text = manifest.read(archive, "the manifest", MANIFEST_BYTES_MAX)?;
    let text = String::from_utf8(text).map_err(|_| failed("it is no UTF-8".to_owned()))?;
    let mut verified = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (kind, name, stored) = entry(line).ok_or_else(|| {
            failed(format!("it has the line `{}`", line.chars().take(80).collect::<String>()))
        })?;
        let member = members
            .iter()
            .find(|member| member.name == name)
            .ok_or_else(|| failed(format!("it names `{name}`, which is not there")))?;
        if verified.contains(&member) {
            return Err(failed(format!("it names `{name}` twice")));
        }
        let found = match kind {
            "SHA1" => hash::<Sha1>(archive, member)?,
            "SHA256" => hash::<Sha256>(archive, member)?,
            "SHA512" => hash::<Sha512>(archive, member)?,
            other => return Err(failed(format!("it has checksums of the unknown kind `{other}`"))),
        };
        if !found.eq_ignore_ascii_case(stored) {
            return Err(failed(format!("`{name}` has the {kind} checksum {found} instead of {stored}")));
        }
        verified.push(member);
    }
    let is_exempt = |member: &Member| has_ending(&member.name, "mf") || has_ending(&member.name, "cert");
    match members.iter().find(|member| !is_exempt(member) && !verified.contains(member)) {
        Some(member) => Err(failed(format!("it does not name `{}`", member.name))),
        None => Ok(()),
    }
}

/// Takes a line apart: `SHA256(disk.vmdk)= 0123...`.
fn entry(line: &str) -> Option<(&str, &str, &str)> {
    let (kind, rest) = line.split_once('(')?;
    let (name, stored) = rest.rsplit_once(')')?;
    Some((kind.trim(), name, stored.trim_start().strip_prefix('=')?.trim()))
}

fn hash<H: Digest>(archive: &dyn ReadAt, member: &Member) -> Result<String, FormatError> {
    let mut hash = H::new();
    let mut buffer = vec![0; index(member.bytes.min(BUFFER_BYTES))];
    let mut done = 0;
    while done < member.bytes {
        let bytes = index((member.bytes - done).min(BUFFER_BYTES));
        let offset = member.offset + done;
        let part = buffer.get_mut(..bytes).unwrap_or_default();
        archive.read_exact_at(offset, part).map_err(|source| FormatError::Read {
            what: "a file of the archive",
            offset,
            source,
        })?;
        hash.update(&*part);
        done += bytes as u64;
    }
    Ok(hex::encode(hash.finalize()))
}
