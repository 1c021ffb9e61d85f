//! The files of a package: `info/NAME.list` and `info/NAME.md5sums`.

use std::collections::HashMap;

use crate::bytes::{lines, text};
use crate::content::{ContentDigest, DigestAlgorithm};
use crate::{OwnedFile, Problems};

use super::diversion::Diversions;
use super::package::DpkgPackage;

/// Most files of one package that are kept.
pub const FILES_MAX: usize = 1_000_000;

/// The name of a file of `/var/lib/dpkg/info`: `libc6:amd64.list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfoName<'a> {
    /// The package.
    pub package: &'a str,
    /// The architecture, given for packages that can be there for several.
    pub architecture: Option<&'a str>,
    /// What the file holds: `list`, `md5sums`, `postinst`.
    pub kind: &'a str,
}

impl<'a> InfoName<'a> {
    /// Splits a file name; none if it has no ending.
    pub fn parse(name: &'a str) -> Option<Self> {
        let (owner, kind) = name.rsplit_once('.')?;
        let (package, architecture) = match owner.split_once(':') {
            Some((package, architecture)) => (package, Some(architecture)),
            None => (owner, None),
        };
        (!package.is_empty()).then_some(Self { package, architecture, kind })
    }
}

/// Returns the paths of a `.list` file as the bytes they are: files, folders and links; the root is `/`.
pub fn owned_paths(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines(list).filter(|(_, line)| line.starts_with(b"/")).map(|(_, line)| match line {
        b"/." => b"/",
        _ => line,
    })
}

/// One line of a `.md5sums` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Md5Line<'a> {
    /// The path, without a slash at the start.
    pub path: &'a [u8],
    /// The digest of its content.
    pub digest: ContentDigest,
}

/// Returns the digests of a `.md5sums` file; lines that make no sense are told and passed over.
pub fn md5_sums<'a>(content: &'a [u8], problems: &mut Problems) -> impl Iterator<Item = Md5Line<'a>> {
    lines(content).filter(|(_, line)| !line.is_empty()).filter_map(move |(number, line)| {
        let found = parse_sum(line);
        if found.is_none() {
            problems.add(number, "a line is no digest and path");
        }
        found
    })
}

fn parse_sum(line: &[u8]) -> Option<Md5Line<'_>> {
    let (digits, rest) = line.split_at_checked(32)?;
    let digest = ContentDigest::from_hex(DigestAlgorithm::Md5, digits)?;
    // The second character is a star for what md5sum calls binary.
    let path = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *"))?;
    let path = path.strip_prefix(b"./").or_else(|| path.strip_prefix(b"/")).unwrap_or(path);
    (!path.is_empty()).then_some(Md5Line { path, digest })
}

/// Joins all that dpkg knows about the files of a package: where they really are, and what their content was.
///
/// Most configuration files have their digest in the status file only. Obsolete ones are not in the list of files,
/// and are left out. A file that an image leaves out on purpose (`path-exclude` of `dpkg(1)`) is listed as well.
pub fn owned_files(
    package: &DpkgPackage,
    list: &[u8],
    sums: &[u8],
    diversions: &Diversions,
    problems: &mut Problems,
) -> Vec<OwnedFile> {
    let digests: HashMap<&[u8], ContentDigest> =
        md5_sums(sums, problems).take(FILES_MAX).map(|line| (line.path, line.digest)).collect();
    let conffiles: HashMap<&str, _> =
        package.conffiles.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut files = Vec::new();
    for path in owned_paths(list).take(FILES_MAX) {
        let name = text(path);
        let conffile = conffiles.get(&*name);
        let digest = match conffile {
            Some(conffile) => conffile.digest,
            None => path.strip_prefix(b"/").and_then(|path| digests.get(path)).copied(),
        };
        files.push(OwnedFile {
            path: diversions.real_path(&name, &package.name).to_owned(),
            digest,
            size_bytes: None,
            mode: None,
            is_configuration: conffile.is_some(),
            may_be_missing: conffile.is_some_and(|file| file.is_obsolete || file.is_removed_on_upgrade),
            may_differ: false,
        });
    }
    files
}

#[cfg(test)]
mod tests {
    use super::super::read_status;
    use super::*;

    #[test]
    fn splits_names_of_files() {
        let name = InfoName::parse("libc6:amd64.md5sums").unwrap();
        assert_eq!((name.package, name.architecture, name.kind), ("libc6", Some("amd64"), "md5sums"));
        let name = InfoName::parse("python3.11.list").unwrap();
        assert_eq!((name.package, name.architecture, name.kind), ("python3.11", None, "list"));
        assert_eq!(InfoName::parse("format"), None);
        assert_eq!(InfoName::parse(".list"), None);
    }

    #[test]
    fn joins_lists_digests_and_diversions() {
        let status = "Package: a\nStatus: install ok installed\nVersion: 1\nConffiles:\n \
                      /etc/a 900150983cd24fb0d6963f7d28e17f72\n";
        let database = read_status(status.as_bytes()).unwrap();
        let mut problems = Problems::default();
        let sums = b"d41d8cd98f00b204e9800998ecf8427e  usr/bin/a\n\
                     d41d8cd98f00b204e9800998ecf8427e *./usr/bin/b c\nnonsense\n";
        let diversions = Diversions::read(b"/usr/bin/a\n/usr/bin/a.real\n:\n", &mut problems);
        let list = b"/.\n/usr/bin/a\n/usr/bin/b c\n/etc/a\n/usr/link\n";
        let files = owned_files(&database.packages[0], list, sums, &diversions, &mut problems);
        let shown: Vec<_> = files
            .iter()
            .map(|file| (file.path.as_str(), file.digest.is_some(), file.is_configuration))
            .collect();
        assert_eq!(
            shown,
            [
                ("/", false, false),
                ("/usr/bin/a.real", true, false),
                ("/usr/bin/b c", true, false),
                ("/etc/a", true, true),
                ("/usr/link", false, false)
            ]
        );
        assert_eq!(problems.iter().map(|problem| problem.position).collect::<Vec<_>>(), [3]);
    }
}
