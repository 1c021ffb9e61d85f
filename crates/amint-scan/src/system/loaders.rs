//! Boot loaders other than GRUB's own menu: the Boot Loader Specification, systemd-boot, extlinux, unified kernel images.

use std::cmp::Ordering;
use std::io::Read;

use crate::{CheckError, Context};

/// Where entries of the Boot Loader Specification lie (UAPI.1).
pub(super) const ENTRY_FOLDERS: [&str; 3] =
    ["/boot/loader/entries", "/boot/efi/loader/entries", "/efi/loader/entries"];
/// Where systemd-boot is told what to start (`loader.conf(5)`).
const LOADER_FILES: [&str; 3] =
    ["/boot/efi/loader/loader.conf", "/efi/loader/loader.conf", "/boot/loader/loader.conf"];
/// Where unified kernel images lie.
const IMAGE_FOLDERS: [&str; 3] = ["/boot/efi/EFI/Linux", "/efi/EFI/Linux", "/boot/EFI/Linux"];
const EXTLINUX_FILES: [&str; 6] = [
    "/boot/extlinux/extlinux.conf",
    "/extlinux/extlinux.conf",
    "/boot/extlinux.conf",
    "/extlinux.conf",
    "/boot/syslinux/syslinux.cfg",
    "/boot/syslinux.cfg",
];
/// How much of an image's sections is read.
const SECTION_BYTES_MAX: u32 = 64 * 1024;
/// How far into a unified image the table of sections may lie.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Something that a boot loader may start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BootEntry {
    /// The name that settings use: of the file, without `.conf`.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) version: String,
    /// The kernel, as the loader names it.
    pub(super) kernel: String,
    pub(super) arguments: String,
    /// Whether the kernel is a unified image with its own command line.
    pub(super) is_unified: bool,
}

/// Lists entries of the Boot Loader Specification, the one that starts by default first.
pub(super) fn specified(cx: &Context<'_>) -> Result<Vec<BootEntry>, CheckError> {
    let mut entries = Vec::new();
    for folder in ENTRY_FOLDERS {
        for file in cx.list(folder)? {
            let name = file.name.to_string_lossy().into_owned();
            let Some(id) = name.strip_suffix(".conf") else { continue };
            let text = cx.text(format!("{folder}/{name}"))?.unwrap_or_default();
            let mut entry = BootEntry { id: id.to_owned(), ..BootEntry::default() };
            for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
                let Some((key, value)) = line.split_once(char::is_whitespace) else { continue };
                let value = value.trim();
                match key {
                    "title" => value.clone_into(&mut entry.title),
                    "version" => value.clone_into(&mut entry.version),
                    "linux" | "efi" => value.clone_into(&mut entry.kernel),
                    "options" => {
                        if !entry.arguments.is_empty() {
                            entry.arguments.push(' ');
                        }
                        entry.arguments.push_str(value);
                    }
                    _ => {}
                }
            }
            if !entry.kernel.is_empty() {
                entries.push(entry);
            }
        }
    }
    entries.sort_by(|left, right| compare(&right.id, &left.id));
    entries.dedup_by(|left, right| left.id == right.id);
    Ok(entries)
}

/// Orders names with numbers in them, as the loaders do (UAPI.10, "Version Format Specification").
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        let is_mark = |letter: char| !letter.is_ascii_alphanumeric() && letter != '~' && letter != '^';
        left = left.trim_start_matches(is_mark);
        right = right.trim_start_matches(is_mark);
        match (left.strip_prefix('~'), right.strip_prefix('~')) {
            (Some(next_left), Some(next_right)) => (left, right) = (next_left, next_right),
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) if left.is_empty() || right.is_empty() => return left.len().cmp(&right.len()),
            (None, None) => {
                let is_number = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit());
                let part = |text: &str, of_digits: bool| {
                    text.find(|letter: char| {
                        if of_digits { !letter.is_ascii_digit() } else { !letter.is_ascii_alphabetic() }
                    })
                    .unwrap_or(text.len())
                };
                let of_digits = is_number(left);
                if of_digits != is_number(right) {
                    return if of_digits { Ordering::Greater } else { Ordering::Less };
                }
                let (first, left_rest) = left.split_at(part(left, of_digits));
                let (second, right_rest) = right.split_at(part(right, of_digits));
                if first.is_empty() && second.is_empty() {
                    return left.cmp(right);
                }
                let order = if of_digits {
                    let (first, second) = (first.trim_start_matches('0'), second.trim_start_matches('0'));
                    first.len().cmp(&second.len()).then_with(|| first.cmp(second))
                } else {
                    first.cmp(second)
                };
                if order != Ordering::Equal {
                    return order;
                }
                (left, right) = (left_rest, right_rest);
            }
        }
    }
}

/// Returns the pattern of the entry that systemd-boot starts; none when systemd-boot is not set up.
pub(super) fn systemd_boot_default(cx: &Context<'_>) -> Result<Option<String>, CheckError> {
    for path in LOADER_FILES {
        let Some(text) = cx.text(path)? else { continue };
        let value = text.lines().find_map(|line| {
            let (key, value) = line.trim().split_once(char::is_whitespace)?;
            (key == "default").then(|| value.trim().to_owned())
        });
        return Ok(Some(value.unwrap_or_default()));
    }
    Ok(None)
}

/// Lists unified kernel images, the newest first.
pub(super) fn unified(cx: &Context<'_>) -> Result<Vec<BootEntry>, CheckError> {
    let mut entries = Vec::new();
    for folder in IMAGE_FOLDERS {
        for file in cx.list(folder)? {
            let name = file.name.to_string_lossy().into_owned();
            let Some(id) = name.strip_suffix(".efi") else { continue };
            let path = format!("{folder}/{name}");
            let sections = sections(cx, &path)?;
            let text = |wanted: &str| {
                let found = sections.iter().find(|(name, _)| name == wanted);
                found.map(|(_, text)| text.trim_end_matches(['\0', '\n']).to_owned()).unwrap_or_default()
            };
            entries.push(BootEntry {
                id: id.to_owned(),
                title: String::new(),
                version: text(".uname"),
                kernel: path,
                arguments: text(".cmdline"),
                is_unified: true,
            });
        }
    }
    entries.sort_by(|left, right| compare(&right.id, &left.id));
    Ok(entries)
}

/// Reads the small text sections of a program in PE form (Microsoft PE specification, "Section Table").
fn sections(cx: &Context<'_>, path: &str) -> Result<Vec<(String, String)>, CheckError> {
    let mut header = Vec::new();
    let opened = cx.tree().open(path.as_ref())?;
    let failed = |source| amint_disk::tree::TreeError::io("read", path.as_ref(), source);
    opened.take(HEADER_BYTES_MAX as u64).read_to_end(&mut header).map_err(failed)?;
    let mut found = Vec::new();
    for (name, offset, bytes) in section_table(&header).unwrap_or_default() {
        if !matches!(name.as_str(), ".uname" | ".cmdline") || bytes > SECTION_BYTES_MAX {
            continue;
        }
        // The sections with text come early; skipping to them reads little.
        let mut opened = cx.tree().open(path.as_ref())?;
        std::io::copy(&mut opened.by_ref().take(u64::from(offset)), &mut std::io::sink()).map_err(failed)?;
        let mut content = Vec::new();
        opened.take(u64::from(bytes)).read_to_end(&mut content).map_err(failed)?;
        found.push((name, String::from_utf8_lossy(&content).into_owned()));
    }
    Ok(found)
}

fn section_table(header: &[u8]) -> Option<Vec<(String, u32, u32)>> {
    let word = |at: usize| Some(u32::from_le_bytes(header.get(at..at.checked_add(4)?)?.try_into().ok()?));
    let half = |at: usize| Some(u16::from_le_bytes(header.get(at..at.checked_add(2)?)?.try_into().ok()?));
    let signature = usize::try_from(word(0x3c)?).ok()?;
    if header.get(..2)? != b"MZ" || header.get(signature..signature.checked_add(4)?)? != b"PE\0\0" {
        return None;
    }
    let count = usize::from(half(signature + 6)?);
    let table = signature + 24 + usize::from(half(signature + 20)?);
    let mut sections = Vec::new();
    for number in 0..count {
        let at = table.checked_add(number * 40)?;
        let name = header.get(at..at.checked_add(8)?)?;
        let name = String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
        // The size in memory leaves out the padding of the file.
        let bytes = word(at + 8)?.min(word(at + 16)?);
        sections.push((name, word(at + 20)?, bytes));
    }
    Some(sections)
}

/// Returns the label that extlinux or syslinux starts by default; none when neither is set up.
pub(super) fn extlinux(cx: &Context<'_>) -> Result<Option<BootEntry>, CheckError> {
    for path in EXTLINUX_FILES {
        let Some(text) = cx.text(path)? else { continue };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut wanted = None;
        let mut entries: Vec<BootEntry> = Vec::new();
        for line in text.lines() {
            let Some((key, value)) = line.trim().split_once(char::is_whitespace) else { continue };
            let value = value.trim();
            match key.to_ascii_uppercase().as_str() {
                "DEFAULT" | "ONTIMEOUT" if entries.is_empty() => wanted = Some(value.to_owned()),
                "LABEL" => entries.push(BootEntry { id: value.to_owned(), ..BootEntry::default() }),
                "KERNEL" | "LINUX" => {
                    if let Some(entry) = entries.last_mut() {
                        let is_absolute = value.starts_with('/');
                        entry.kernel =
                            if is_absolute { value.to_owned() } else { format!("{folder}/{value}") };
                    }
                }
                "APPEND" => {
                    if let Some(entry) = entries.last_mut() {
                        value.clone_into(&mut entry.arguments);
                    }
                }
                _ => {}
            }
        }
        let found = wanted.and_then(|wanted| entries.iter().find(|entry| entry.id == wanted).cloned());
        return Ok(found.or_else(|| entries.into_iter().next()));
    }
    Ok(None)
}
