//! Rust: the list of crates that `cargo auditable` puts into a program, zlib-compressed JSON in the section `.dep-v0`.

use std::io::Read;

use amint_types::ReadAt;
use amint_types::scan::{PackageKind, ScannedPackage};
use serde::Deserialize;

use crate::LanguageError;
use crate::elf::Elf;
use crate::make::package;

const SECTION: &[u8] = b".dep-v0";
/// The largest section, and the largest list in it.
const SECTION_BYTES_MAX: u64 = 8 << 20;
const LIST_BYTES_MAX: u64 = 64 << 20;
const PACKAGES_MAX: usize = 100_000;

#[derive(Deserialize)]
struct List {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    /// `build` for what only ran while building.
    #[serde(default)]
    kind: Option<String>,
}

pub(crate) fn read(path: &str, content: &dyn ReadAt) -> Result<Vec<ScannedPackage>, LanguageError> {
    let Some(elf) = Elf::open(content)? else { return Ok(Vec::new()) };
    let sections = elf.sections()?;
    let Some(section) = sections.iter().find(|section| section.name == SECTION) else {
        return Ok(Vec::new());
    };
    if section.bytes > SECTION_BYTES_MAX {
        return Err(LanguageError::Limit(format!("a list of crates of {} bytes", section.bytes)));
    }
    let mut compressed = vec![0; usize::try_from(section.bytes).unwrap_or(0)];
    content.read_exact_at(section.offset, &mut compressed)?;
    parse(&compressed, path)
}

fn parse(compressed: &[u8], path: &str) -> Result<Vec<ScannedPackage>, LanguageError> {
    let mut json = Vec::new();
    flate2::read::ZlibDecoder::new(compressed).take(LIST_BYTES_MAX + 1).read_to_end(&mut json)?;
    if json.len() as u64 > LIST_BYTES_MAX {
        return Err(LanguageError::Limit("a list of crates that grows beyond measure".to_owned()));
    }
    let list: List =
        serde_json::from_slice(&json).map_err(|error| LanguageError::malformed("list of crates", &error))?;
    let in_program = list.packages.iter().filter(|found| found.kind.as_deref() != Some("build"));
    Ok(in_program
        .filter_map(|found| package(PackageKind::Cargo, "", &found.name, &found.name, &found.version, path))
        .take(PACKAGES_MAX)
        .collect())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn reads_what_ended_up_in_the_program() {
        let json = br#"{"packages":[{"name":"serde","version":"1.0.1","source":"registry"},{"name":"cc","version":"1.0.0","kind":"build","source":"x"}]}"#;
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(json).unwrap();
        let found = parse(&encoder.finish().unwrap(), "/usr/bin/x").unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].purl, "pkg:cargo/serde@1.0.1");
        assert!(parse(b"no zlib", "/usr/bin/x").is_err());
    }
}
