//! Go: the build information that the linker puts into every program (package `debug/buildinfo` of Go's library).

use amint_types::ReadAt;
use amint_types::scan::{PackageKind, ScannedPackage};

use crate::LanguageError;
use crate::elf::{Elf, number};
use crate::make::package;

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Blobs of build information are aligned to this.
const ALIGN: usize = 16;
/// How much of the data is searched where no section names it.
const SEARCH_BYTES: u64 = 1 << 20;
/// The longest build information.
const TEXT_BYTES_MAX: u64 = 16 << 20;
/// Marks around the list of modules.
const MARK_BYTES: usize = 16;
const PACKAGES_MAX: usize = 100_000;
/// What Go says where it does not know a version.
const UNVERSIONED: &str = "(devel)";
/// Variables that builders give a program's version to, the usual ones first.
const VERSION_VARIABLES: [&str; 4] = ["version", "gitversion", "buildversion", "appversion"];

pub(crate) fn read(path: &str, content: &dyn ReadAt) -> Result<Vec<ScannedPackage>, LanguageError> {
    let Some(elf) = Elf::open(content)? else { return Ok(Vec::new()) };
    let Some(offset) = find(&elf)? else { return Ok(Vec::new()) };
    let Some((version, modules)) = texts(&elf, offset)? else { return Ok(Vec::new()) };
    Ok(packages(&version, &modules, path))
}

fn find(elf: &Elf<'_>) -> Result<Option<u64>, LanguageError> {
    let sections = elf.sections()?;
    if let Some(section) = sections.iter().find(|section| section.name == b".go.buildinfo") {
        return search(elf, section.offset, section.bytes);
    }
    if !sections.is_empty() {
        return Ok(None);
    }
    // A stripped program has no sections: the blob is at the start of the first writable segment.
    match elf.segments()?.iter().find(|segment| segment.is_writable) {
        Some(segment) => search(elf, segment.offset, segment.file_bytes),
        None => Ok(None),
    }
}

fn search(elf: &Elf<'_>, offset: u64, bytes: u64) -> Result<Option<u64>, LanguageError> {
    let end = offset.saturating_add(bytes.min(SEARCH_BYTES)).min(elf.content().size_bytes());
    let Some(length) = end.checked_sub(offset).and_then(|length| usize::try_from(length).ok()) else {
        return Ok(None);
    };
    let mut data = vec![0; length];
    elf.content().read_exact_at(offset, &mut data)?;
    let place = data.chunks(ALIGN).position(|chunk| chunk.starts_with(MAGIC));
    Ok(place.map(|place| offset + (place * ALIGN) as u64))
}

/// The version of Go, and the list of modules.
type Texts = (Vec<u8>, Vec<u8>);

/// Reads the version of Go and the list of modules: inline since Go 1.18, by pointer before.
fn texts(elf: &Elf<'_>, offset: u64) -> Result<Option<Texts>, LanguageError> {
    let mut header = [0; 32];
    elf.content().read_exact_at(offset, &mut header)?;
    let (pointer_bytes, flags) = (usize::from(header[14]), header[15]);
    if flags & 2 != 0 {
        let mut at = offset + 32;
        let version = inline(elf.content(), &mut at)?;
        let modules = inline(elf.content(), &mut at)?;
        return Ok(Some((version, modules)));
    }
    if !matches!(pointer_bytes, 4 | 8) {
        return Ok(None);
    }
    let is_big = flags & 1 != 0;
    let mut found = Vec::new();
    for place in [16, 16 + pointer_bytes] {
        let address = number(&header, place, pointer_bytes, is_big);
        // A Go string is a pointer and a length.
        let Some(string) = elf.at_address(address, 2 * pointer_bytes)? else { return Ok(None) };
        let start = number(&string, 0, pointer_bytes, is_big);
        let bytes = number(&string, pointer_bytes, pointer_bytes, is_big);
        if bytes > TEXT_BYTES_MAX {
            return Err(LanguageError::Limit(format!("build information of {bytes} bytes")));
        }
        let bytes = usize::try_from(bytes).unwrap_or(0);
        found.push(elf.at_address(start, bytes)?.unwrap_or_default());
    }
    let modules = found.pop().unwrap_or_default();
    Ok(found.pop().map(|version| (version, modules)))
}

/// Reads a length (unsigned varint) and as many bytes.
fn inline(content: &dyn ReadAt, at: &mut u64) -> Result<Vec<u8>, LanguageError> {
    let mut length = 0_u64;
    for shift in (0..35).step_by(7) {
        let mut byte = [0];
        content.read_exact_at(*at, &mut byte)?;
        *at += 1;
        length |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    if length > TEXT_BYTES_MAX || at.checked_add(length).is_none_or(|end| end > content.size_bytes()) {
        return Err(LanguageError::Limit(format!("build information of {length} bytes")));
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    content.read_exact_at(*at, &mut bytes)?;
    *at += length;
    Ok(bytes)
}

fn packages(version: &[u8], modules: &[u8], path: &str) -> Vec<ScannedPackage> {
    let mut found = Vec::new();
    let mut add = |name: &str, version: &str| {
        let (namespace, short) = name.rsplit_once('/').unwrap_or(("", name));
        found.extend(package(PackageKind::Golang, namespace, short, name, version, path));
    };
    let version = String::from_utf8_lossy(version).into_owned();
    // `go1.22.1 X:nocoverageredesign`: experiments follow the version.
    if let Some(version) = version.split_whitespace().next().and_then(|word| word.strip_prefix("go")) {
        add("stdlib", version);
    }
    let inside = modules.len().checked_sub(MARK_BYTES).and_then(|end| modules.get(MARK_BYTES..end));
    let text = String::from_utf8_lossy(inside.unwrap_or_default()).into_owned();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let has_module = lines.iter().any(|line| line.first() == Some(&"mod"));
    for (number, line) in lines.iter().enumerate().take(PACKAGES_MAX) {
        let replaced = lines.get(number + 1).filter(|next| next.first() == Some(&"=>"));
        let Some(name) = line.get(1) else { continue };
        let source = replaced.unwrap_or(line);
        let version = source.get(2).copied().filter(|version| !version.is_empty()).unwrap_or(UNVERSIONED);
        match line.first() {
            Some(&"mod") if version == UNVERSIONED => {
                add(name, linked_version(&lines, name).as_deref().unwrap_or(version));
            }
            Some(&("mod" | "dep")) => add(source.get(1).unwrap_or(name), version),
            // Built outside of any module, as Debian does: the program's path is all that is known of it.
            Some(&"path") if !has_module && *name != "command-line-arguments" => {
                add(name, linked_version(&lines, name).as_deref().unwrap_or(UNVERSIONED));
            }
            _ => {}
        }
    }
    found
}

/// Finds the version that whoever built a program had the linker write into it: `-X main.version=1.2.3` (`go doc cmd/link`).
///
/// Variables of other modules are passed over: their versions are not the program's.
fn linked_version(lines: &[Vec<&str>], module: &str) -> Option<String> {
    let flags = lines
        .iter()
        .filter(|line| line.first() == Some(&"build"))
        .find_map(|line| line.get(1)?.strip_prefix("-ldflags="))?;
    let words = flags.split_whitespace().map(|word| word.trim_matches(['"', '\'', '\\']));
    let set: Vec<(&str, &str)> = words
        .filter_map(|word| {
            let (variable, value) = word.strip_prefix("-X=").unwrap_or(word).split_once('=')?;
            let (owner, variable) = variable.rsplit_once('.')?;
            (owner == "main" || owner.starts_with(module)).then_some((variable, value))
        })
        .collect();
    VERSION_VARIABLES.iter().find_map(|wanted| {
        set.iter()
            .filter(|(variable, _)| variable.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.strip_prefix('v').unwrap_or(value))
            .find(|value| is_version(value))
            .map(|value| format!("v{value}"))
    })
}

/// Tells whether a text is three numbers with whatever follows them (Semantic Versioning).
fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_modules_and_their_replacements() {
        let marks = [b'm'; MARK_BYTES];
        let text = b"path\tcommand\nmod\texample.com/main\t(devel)\t\ndep\tgolang.org/x/text\tv0.3.0\th1:x=\ndep\ta.b/c\tv1.0.0\n=>\td.e/f\tv2.0.0\th1:y=\nbuild\tGOOS=linux\n";
        let modules = [&marks[..], text, &marks[..]].concat();
        let found = packages(b"go1.22.1", &modules, "/usr/bin/x");
        let shown: Vec<(String, String)> =
            found.into_iter().map(|found| (found.name, found.version)).collect();
        let wanted = [
            ("stdlib", "1.22.1"),
            ("example.com/main", "(devel)"),
            ("golang.org/x/text", "v0.3.0"),
            ("d.e/f", "v2.0.0"),
        ];
        assert_eq!(shown, wanted.map(|(name, version)| (name.to_owned(), version.to_owned())));
    }

    fn shown(text: &[u8]) -> Vec<(String, String)> {
        let marks = [b'm'; MARK_BYTES];
        let found = packages(b"", &[&marks[..], text, &marks[..]].concat(), "/usr/bin/x");
        found.into_iter().map(|found| (found.name, found.version)).collect()
    }

    #[test]
    fn the_version_of_a_program_is_what_the_linker_was_told() {
        let text = b"path\tex.com/tool/cmd/tool\nmod\tex.com/tool\t(devel)\t\nbuild\t-ldflags=\"-s -X other.com/lib.version=9.9.9 -X main.goVersion=1.2.3 -X 'main.version=1.18.1' -X main.date=2024\"\n";
        assert_eq!(shown(text), [("ex.com/tool".to_owned(), "v1.18.1".to_owned())]);
        let text = b"mod\tex.com/tool\t(devel)\t\nbuild\t-ldflags=\"-X main.version=nightly\"\n";
        assert_eq!(shown(text), [("ex.com/tool".to_owned(), "(devel)".to_owned())]);
        let text = b"mod\tex.com/tool\tv2.0.0\th1:x=\nbuild\t-ldflags=\"-X main.version=1.0.0\"\n";
        assert_eq!(shown(text), [("ex.com/tool".to_owned(), "v2.0.0".to_owned())]);
    }

    #[test]
    fn programs_built_outside_of_modules_are_listed_by_their_path() {
        let text = b"path\tgithub.com/restic/restic/cmd/restic\nbuild\t-trimpath=true\n";
        let wanted = ("github.com/restic/restic/cmd/restic".to_owned(), "(devel)".to_owned());
        assert_eq!(shown(text), [wanted]);
        assert!(shown(b"path\tcommand-line-arguments\n").is_empty());
    }
}
