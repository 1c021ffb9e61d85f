//! What the indexes of suites offer for the source packages of an image.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

use amint_archive::{PackageFile, SuiteIndex, package_location};
use amint_debian::control::{Paragraph, Paragraphs};
use amint_debian::package::PackageRecord;

use crate::installed::compare;

/// Most binary packages of one source that are kept: any of them has the changelog.
const BINARIES_MAX: usize = 64;

/// A binary package that carries the changelog of its source.
#[derive(Clone, Debug)]
pub(crate) struct Binary {
    pub(crate) name: String,
    pub(crate) file: PackageFile,
}

/// The newest version of a source package in all suites.
#[derive(Clone, Debug, Default)]
pub(crate) struct Newest {
    pub(crate) version: String,
    /// The smallest first.
    pub(crate) binaries: Vec<Binary>,
    /// Whether it is in the suite of security fixes.
    pub(crate) is_security: bool,
}

/// Returns all indexes of a suite, one after the other.
pub(crate) fn open(suite: &SuiteIndex) -> io::Result<Box<dyn Read>> {
    let mut all: Box<dyn Read> = Box::new(io::empty());
    for index in &suite.indexes {
        // An index need not end with an empty line.
        all = Box::new(all.chain(index.open()?).chain(&b"\n\n"[..]));
    }
    Ok(all)
}

/// Notes the newest versions of the sources that `is_wanted` names, and returns how many packages the suite has.
pub(crate) fn note_newest(
    suite: &SuiteIndex,
    is_wanted: impl Fn(&str) -> bool,
    newest: &mut BTreeMap<String, Newest>,
) -> io::Result<usize> {
    let damaged =
        |error: Box<dyn std::error::Error + Send + Sync>| io::Error::new(io::ErrorKind::InvalidData, error);
    let mut paragraphs = Paragraphs::new(BufReader::with_capacity(64 * 1024, open(suite)?));
    let mut paragraph = Paragraph::default();
    let mut count = 0;
    while paragraphs.next_into(&mut paragraph).map_err(|error| damaged(error.into()))? {
        count += 1;
        let source = paragraph.get("Source").or_else(|| paragraph.get("Package")).unwrap_or_default();
        if !is_wanted(source.split([' ', '(']).next().unwrap_or_default()) {
            continue;
        }
        let record = PackageRecord::from_paragraph(&paragraph, 0).map_err(|error| damaged(error.into()))?;
        let location =
            package_location(&suite.uri, &record.filename).map_err(|error| damaged(error.into()))?;
        let known = newest.entry(record.source.clone()).or_default();
        let order = compare(&record.source_version, &known.version);
        if order.is_lt() && !known.version.is_empty() {
            continue;
        }
        if order.is_gt() || known.version.is_empty() {
            let is_security = suite.suite.ends_with("-security");
            *known = Newest { version: record.source_version.clone(), binaries: Vec::new(), is_security };
        }
        let file = PackageFile {
            name: format!("{} {} {}", record.name, record.version, record.architecture),
            bytes: record.bytes,
            sha256: record.sha256,
            locations: vec![location],
        };
        let binary = Binary { name: record.name, file };
        let key = |binary: &Binary| (binary.file.bytes, binary.name.clone());
        let place = known.binaries.partition_point(|other| key(other) <= key(&binary));
        known.binaries.insert(place, binary);
        known.binaries.truncate(BINARIES_MAX);
    }
    Ok(count)
}
