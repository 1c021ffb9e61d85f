//! Java: archives and the archives inside them.
//!
//! What an archive is, its `pom.properties` say (Maven writes them), else its manifest, else its name. Archives that
//! were merged into one have several `pom.properties`: each counts.

use std::io::{self, Cursor, Read, Seek};

use amint_types::ReadAt;
use amint_types::scan::{PackageKind, ScannedPackage};
use zip::ZipArchive;

use crate::LanguageError;
use crate::make::package;

/// Endings of archives.
const ENDINGS: [&str; 9] = [".jar", ".war", ".ear", ".jpi", ".hpi", ".par", ".sar", ".nar", ".kar"];
/// How deep archives inside archives are opened.
const DEPTH_MAX: usize = 5;
/// How many members one archive may have.
const MEMBERS_MAX: usize = 200_000;
/// How much one archive inside another may take.
const NESTED_BYTES_MAX: u64 = 128 << 20;
/// How much all archives inside one file may take together.
const TOTAL_BYTES_MAX: u64 = 512 << 20;
/// The largest manifest or properties.
const TEXT_BYTES_MAX: u64 = 1 << 20;
const PACKAGES_MAX: usize = 20_000;
/// What Maven's plug-ins append to the names of archives that hold what they depend on.
const KINDS: [&str; 3] = ["-jar-with-dependencies", "-shaded", "-all"];

pub(crate) fn wants(path: &[u8]) -> bool {
    ENDINGS.iter().any(|ending| {
        path.len()
            .checked_sub(ending.len())
            .and_then(|at| path.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(ending.as_bytes()))
    })
}

pub(crate) fn read(path: &str, content: &dyn ReadAt) -> Result<Vec<ScannedPackage>, LanguageError> {
    let mut search = Search { packages: Vec::new(), left_bytes: TOTAL_BYTES_MAX, problem: None };
    search.open(Places { content, at: 0 }, path, 0)?;
    match search.problem {
        Some(problem) if search.packages.is_empty() => Err(problem),
        _ => Ok(search.packages),
    }
}

struct Search {
    packages: Vec<ScannedPackage>,
    left_bytes: u64,
    /// The first thing inside that could not be read.
    problem: Option<LanguageError>,
}

#[derive(Default)]
struct Identity {
    group: String,
    artifact: String,
    version: String,
}

impl Search {
    fn open<R: Read + Seek>(&mut self, reader: R, path: &str, depth: usize) -> Result<(), LanguageError> {
        let malformed = |error: zip::result::ZipError| LanguageError::malformed("archive", &error);
        let mut archive = ZipArchive::new(reader).map_err(malformed)?;
        if archive.len() > MEMBERS_MAX {
            return Err(LanguageError::Limit(format!("an archive of {} members", archive.len())));
        }
        let mut identities = Vec::new();
        let mut manifest = None;
        let mut nested = Vec::new();
        for number in 0..archive.len() {
            let Some(name) = archive.name_for_index(number).map(str::to_owned) else { continue };
            if name.starts_with("META-INF/maven/") && name.ends_with("/pom.properties") {
                identities.extend(text(&mut archive, number).map(|text| properties(&text)));
            } else if name.eq_ignore_ascii_case("META-INF/MANIFEST.MF") {
                manifest = text(&mut archive, number);
            } else if wants(name.as_bytes()) {
                nested.push((number, name));
            }
        }
        self.name(path, identities, manifest.as_deref().unwrap_or_default());
        for (number, name) in nested {
            if depth + 1 > DEPTH_MAX {
                self.problem
                    .get_or_insert(LanguageError::Limit("archives that are nested too deeply".to_owned()));
                break;
            }
            let below = format!("{path}!/{name}");
            let result = self
                .read_member(&mut archive, number)
                .and_then(|bytes| self.open(Cursor::new(bytes), &below, depth + 1));
            if let Err(error) = result {
                self.problem.get_or_insert(error);
            }
        }
        Ok(())
    }

    fn read_member<R: Read + Seek>(
        &mut self,
        archive: &mut ZipArchive<R>,
        number: usize,
    ) -> Result<Vec<u8>, LanguageError> {
        let member = archive.by_index(number).map_err(|error| LanguageError::malformed("archive", &error))?;
        let limit = NESTED_BYTES_MAX.min(self.left_bytes);
        let mut bytes = Vec::new();
        member.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(LanguageError::Limit("archives inside that are too large".to_owned()));
        }
        self.left_bytes -= bytes.len() as u64;
        Ok(bytes)
    }

    fn name(&mut self, path: &str, mut identities: Vec<Identity>, manifest: &str) {
        identities.retain(|found| !found.artifact.is_empty() && !found.version.is_empty());
        let file = path.rsplit('/').next().unwrap_or(path);
        // Several were merged, and none of them is what the file is called: the archive is something of its own.
        let is_merged = identities.len() > 1 && {
            let (named, numbered) = by_name(file);
            numbered.is_some() && identities.iter().all(|found| found.artifact != named)
        };
        if identities.is_empty() || is_merged {
            identities.extend(by_manifest(manifest, file));
        }
        for found in identities {
            if self.packages.len() >= PACKAGES_MAX {
                self.problem.get_or_insert(LanguageError::Limit("too many archives".to_owned()));
                return;
            }
            let full = if found.group.is_empty() {
                found.artifact.clone()
            } else {
                format!("{}:{}", found.group, found.artifact)
            };
            self.packages.extend(package(
                PackageKind::Maven,
                &found.group,
                &found.artifact,
                &full,
                &found.version,
                path,
            ));
        }
    }
}

fn text<R: Read + Seek>(archive: &mut ZipArchive<R>, number: usize) -> Option<String> {
    let member = archive.by_index(number).ok()?;
    let mut bytes = Vec::new();
    member.take(TEXT_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn properties(text: &str) -> Identity {
    let mut found = Identity::default();
    for line in text.lines().filter(|line| !line.starts_with(['#', '!'])) {
        let Some((key, value)) = line.split_once(['=', ':']) else { continue };
        let value = value.trim().to_owned();
        match key.trim() {
            "groupId" => found.group = value,
            "artifactId" => found.artifact = value,
            "version" => found.version = value,
            _ => {}
        }
    }
    found
}

/// The main section of a manifest, its continued lines joined (JAR specification, "JAR Manifest").
fn by_manifest(manifest: &str, file: &str) -> Option<Identity> {
    let mut lines: Vec<String> = Vec::new();
    for line in manifest.lines().take_while(|line| !line.is_empty()) {
        match (line.strip_prefix(' '), lines.last_mut()) {
            (Some(more), Some(last)) => last.push_str(more),
            _ => lines.push(line.to_owned()),
        }
    }
    let value = |wanted: &str| {
        lines.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(wanted)
                .then(|| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        })
    };
    let (named, numbered) = by_name(file);
    let symbolic =
        value("Bundle-SymbolicName").map(|name| name.split(';').next().unwrap_or_default().trim().to_owned());
    let version = numbered
        .or_else(|| value("Implementation-Version"))
        .or_else(|| value("Bundle-Version"))
        .or_else(|| value("Specification-Version"))?;
    let group = value("Implementation-Vendor-Id")
        .or_else(|| symbolic.clone().filter(|name| name.contains('.')))
        .unwrap_or_default();
    let group = group.strip_suffix(&format!(".{named}")).map(str::to_owned).unwrap_or(group);
    let is_name = |group: &str| !group.contains(char::is_whitespace) && !group.contains('/');
    Some(Identity {
        group: Some(group).filter(|group| is_name(group)).unwrap_or_default(),
        artifact: named,
        version,
    })
}

/// `commons-io-2.11.0.jar` is `commons-io` in version `2.11.0`, and `py4j0.10.9.jar` is `py4j` in `0.10.9`.
fn by_name(file: &str) -> (String, Option<String>) {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let stem = KINDS.iter().find_map(|kind| stem.strip_suffix(kind)).unwrap_or(stem);
    let starts_with_digit = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit());
    if let Some((at, _)) = stem.match_indices('-').find(|(at, _)| starts_with_digit(&stem[at + 1..])) {
        return (stem[..at].to_owned(), Some(stem[at + 1..].to_owned()));
    }
    let name = stem.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let version = &stem[name.len()..];
    if !name.is_empty() && starts_with_digit(version) && version.contains('.') && !version.ends_with('.') {
        return (name.to_owned(), Some(version.to_owned()));
    }
    (stem.to_owned(), None)
}

/// Content as something that can be read and skipped through.
struct Places<'a> {
    content: &'a dyn ReadAt,
    at: u64,
}

impl Read for Places<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.content.size_bytes().saturating_sub(self.at);
        let count = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        self.content.read_exact_at(self.at, &mut buffer[..count])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Places<'_> {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        let at = match position {
            io::SeekFrom::Start(at) => Some(at),
            io::SeekFrom::Current(by) => self.at.checked_add_signed(by),
            io::SeekFrom::End(by) => self.content.size_bytes().checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in members {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    const POM: &[u8] =
        b"#Generated\nversion=2.14.1\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\n";

    #[test]
    fn finds_an_archive_inside_archives() {
        let inner = archive(&[("META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties", POM)]);
        let war = archive(&[("WEB-INF/lib/log4j-core.jar", &inner)]);
        let ear = archive(&[("app.war", &war)]);
        let found = read("/opt/app.ear", &ear).unwrap();
        let log4j = found.iter().find(|found| found.name == "org.apache.logging.log4j:log4j-core").unwrap();
        assert_eq!(log4j.version, "2.14.1");
        assert_eq!(log4j.path, "/opt/app.ear!/app.war!/WEB-INF/lib/log4j-core.jar");
        assert_eq!(log4j.purl, "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1");
    }

    #[test]
    fn manifests_and_names_tell_where_maven_is_silent() {
        let jar = archive(&[(
            "META-INF/MANIFEST.MF",
            b"Manifest-Version: 1.0\r\nImplementation-Version: 1.\r\n 2\r\n\r\nName: x\r\n",
        )]);
        let found = read("/lib/thing.jar", &jar).unwrap();
        assert_eq!((found[0].name.as_str(), found[0].version.as_str()), ("thing", "1.2"));
        let found = read("/lib/commons-io-2.11.0.jar", &archive(&[("a.class", b"")])).unwrap();
        assert_eq!((found[0].name.as_str(), found[0].version.as_str()), ("commons-io", "2.11.0"));
    }

    #[test]
    fn an_archive_that_holds_others_is_listed_itself() {
        let other = b"version=1.4\ngroupId=commons-cli\nartifactId=commons-cli\n";
        let merged = archive(&[
            ("META-INF/maven/a/b/pom.properties", POM),
            ("META-INF/maven/c/d/pom.properties", other),
        ]);
        let names = |path: &str| -> Vec<String> {
            let found = read(path, &merged).unwrap();
            found.into_iter().map(|found| format!("{}@{}", found.name, found.version)).collect()
        };
        let inside = ["org.apache.logging.log4j:log4j-core@2.14.1", "commons-cli:commons-cli@1.4"];
        let all = [&inside[..], &["tabula@1.0.5"]].concat();
        assert_eq!(names("/opt/tabula-1.0.5-jar-with-dependencies.jar"), all);
        // Its own name is among those inside, or says nothing.
        assert_eq!(names("/opt/commons-cli-1.4.jar"), inside);
        assert_eq!(names("/opt/tool.jar"), inside);
    }

    #[test]
    fn versions_may_follow_names_without_a_dash() {
        let wanted = |name: &str, version: &str| (name.to_owned(), Some(version.to_owned()));
        assert_eq!(by_name("py4j0.10.9.9.jar"), wanted("py4j", "0.10.9.9"));
        assert_eq!(by_name("commons-io-2.11.0.jar"), wanted("commons-io", "2.11.0"));
        for unversioned in ["log4j2.jar", "thing.jar", "1.2.jar", "x1..jar"] {
            assert_eq!(by_name(unversioned).1, None, "{unversioned}");
        }
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        assert!(read("/x.jar", &b"no archive".to_vec()).is_err());
    }
}
