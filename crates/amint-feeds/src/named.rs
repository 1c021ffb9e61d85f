//! Sources that a person names: `KIND=FILE` or `KIND=ADDRESS`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::str::FromStr;

use amint_vuln::{Builder, Ecosystem, ImportCounts, ImporterKind, Input};
use jiff::Timestamp;

use crate::download::{DOWNLOAD_BYTES_MAX, Downloads};
use crate::error::FeedError;

/// How much of a file is looked through for the day on which it was made.
const START_BYTES: u64 = 4096;

/// The kinds that can be named, each with what it is. What follows `@` is the release that the source is about.
pub const KINDS: [(&str, &str); 14] = [
    ("osv", "OSV records: a zip archive, a folder, or JSON"),
    ("debian-tracker", "Debian's security tracker, as JSON"),
    ("debian-support-ended@RELEASE", "Debian's list of packages whose security support ended"),
    ("debian-support-limited@RELEASE", "Debian's list of packages whose security support is limited"),
    ("debian-packages@RELEASE/SUITE", "index of binary packages of a suite"),
    ("debian-sources@RELEASE/SUITE", "index of source packages of a suite"),
    ("debian-changelog@RELEASE", "changelog of a source package"),
    ("updateinfo@RELEASE", "updateinfo.xml of a repository of rpm packages"),
    ("alpine-secdb", "Alpine's security database, as JSON"),
    ("csaf-vex", "VEX documents in CSAF, as Red Hat publishes them: a folder, an archive, or JSON"),
    ("kev", "CISA's catalogue of known exploited vulnerabilities, as JSON"),
    ("epss", "EPSS scores, as CSV"),
    ("ssvc", "CVE records with CISA's SSVC container: a folder, an archive, or JSON"),
    ("compact", "compact JSON lines of amint's own"),
];

/// A source is named in a way that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NamedSourceError {
    /// There is no `=` with something behind it.
    #[error("`{0}` is not KIND=FILE or KIND=ADDRESS")]
    Form(String),
    /// The kind is not known.
    #[error("`{0}` is no kind of source")]
    Kind(String),
    /// The kind needs a release, or has one without need.
    #[error("`{kind}` is to be written as `{form}`, with RELEASE such as debian:12")]
    Release {
        /// What was written.
        kind: String,
        /// How it is written.
        form: &'static str,
    },
}

/// A source that a person named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSource {
    /// What it is.
    pub kind: ImporterKind,
    /// Where it is.
    pub place: String,
}

impl FromStr for NamedSource {
    type Err = NamedSourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || NamedSourceError::Form(text.to_owned());
        let (kind, place) = text.split_once('=').ok_or_else(form)?;
        if place.is_empty() {
            return Err(form());
        }
        Ok(Self { kind: parse_kind(kind)?, place: place.to_owned() })
    }
}

fn parse_kind(text: &str) -> Result<ImporterKind, NamedSourceError> {
    let (word, about) = text.split_once('@').unwrap_or((text, ""));
    let form = KINDS.iter().map(|(form, _)| *form).find(|form| form.split('@').next() == Some(word));
    let form = form.ok_or_else(|| NamedSourceError::Kind(text.to_owned()))?;
    let wrong = || NamedSourceError::Release { kind: text.to_owned(), form };
    let (release, suite) = about.split_once('/').unwrap_or((about, ""));
    if form.contains('@') != text.contains('@') || form.contains('/') == suite.is_empty() {
        return Err(wrong());
    }
    let ecosystem =
        || Ecosystem::parse(release).filter(|found| !found.release().is_empty()).ok_or_else(wrong);
    let suite = suite.to_owned();
    Ok(match word {
        "osv" => ImporterKind::Osv,
        "debian-tracker" => ImporterKind::DebianTracker,
        "debian-support-ended" => ImporterKind::DebianSupport { ecosystem: ecosystem()?, has_ended: true },
        "debian-support-limited" => ImporterKind::DebianSupport { ecosystem: ecosystem()?, has_ended: false },
        "debian-packages" => ImporterKind::DebianPackages { ecosystem: ecosystem()?, suite },
        "debian-sources" => ImporterKind::DebianSources { ecosystem: ecosystem()?, suite },
        "debian-changelog" => ImporterKind::DebianChangelog { ecosystem: ecosystem()? },
        "updateinfo" => ImporterKind::UpdateInfo { ecosystem: ecosystem()?, repository: None },
        "alpine-secdb" => ImporterKind::AlpineSecdb,
        "csaf-vex" => ImporterKind::CsafVex,
        "kev" => ImporterKind::Kev,
        "epss" => ImporterKind::Epss,
        "ssvc" => ImporterKind::Ssvc,
        _ => ImporterKind::Compact,
    })
}

impl NamedSource {
    /// Returns how the database calls it: the kind and the last part of its place.
    pub fn name(&self) -> String {
        let place = self.place.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let last = place.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or("source");
        format!("{}/{last}", self.kind.as_str())
    }

    /// Fetches and imports it. Its date is the one that stands in it where its kind has one, else that of its server or
    /// file, else `now`.
    ///
    /// # Errors
    /// Fails when it cannot be had whole, or is not of its kind.
    pub fn add(
        &self,
        builder: &mut Builder,
        downloads: &Downloads,
        now: Timestamp,
    ) -> Result<ImportCounts, FeedError> {
        let name = self.name();
        let file = downloads
            .fetch(&self.place, DOWNLOAD_BYTES_MAX)
            .map_err(|source| FeedError::Download { name: name.clone(), source })?;
        let date = own_date(&self.kind, file.path()).or(file.date).unwrap_or(now);
        let path = file.path().to_owned();
        let input = if path.is_dir() { Input::Folder(path) } else { Input::File(path) };
        Ok(builder.add(&name, date, &self.kind, input)?)
    }
}

/// Finds the day that stands in a source: `dateReleased` of KEV, `score_date` of EPSS.
fn own_date(kind: &ImporterKind, path: &Path) -> Option<Timestamp> {
    let word = match kind {
        ImporterKind::Kev => "\"dateReleased\"",
        ImporterKind::Epss => "score_date",
        _ => return None,
    };
    let mut start = Vec::new();
    let file = BufReader::new(File::open(path).ok()?);
    let mut packed = BufReader::new(flate2::read::MultiGzDecoder::new(file));
    if packed.by_ref().take(START_BYTES).read_to_end(&mut start).is_err() {
        start.clear();
        File::open(path).ok()?.take(START_BYTES).read_to_end(&mut start).ok()?;
    }
    let text = String::from_utf8_lossy(&start);
    let rest = text.split_once(word)?.1;
    let rest = rest.trim_start_matches([':', ' ', '"']);
    let end = rest.find(['"', ',', '\n', '\r']).unwrap_or(rest.len());
    parse_moment(rest.get(..end)?.trim())
}

/// EPSS writes the offset without a colon.
fn parse_moment(text: &str) -> Option<Timestamp> {
    let parsed = text.parse().ok();
    parsed.or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_name() {
        let source: NamedSource = "osv=https://a.example/npm/all.zip?x=1".parse().unwrap();
        assert_eq!((source.kind.clone(), source.name().as_str()), (ImporterKind::Osv, "osv/all.zip"));
        let source: NamedSource = "debian-packages@debian:12/bookworm=Packages".parse().unwrap();
        let ImporterKind::DebianPackages { ecosystem, suite } = source.kind else { panic!("{source:?}") };
        assert_eq!((ecosystem.to_string().as_str(), suite.as_str()), ("debian:12", "bookworm"));
        assert!("updateinfo@amazon:2023=u.xml.gz".parse::<NamedSource>().is_ok());
    }

    #[test]
    fn says_how_a_kind_is_written() {
        let error = |text: &str| text.parse::<NamedSource>().unwrap_err().to_string();
        assert!(error("osv").contains("KIND=FILE"));
        assert!(error("ovs=a").contains("no kind"));
        assert!(error("updateinfo=a").contains("updateinfo@RELEASE"));
        assert!(error("updateinfo@nothing:1=a").contains("updateinfo@RELEASE"));
        assert!(error("osv@debian:12=a").contains("`osv`"));
        assert!(error("debian-sources@debian:12=a").contains("RELEASE/SUITE"));
    }

    #[test]
    fn takes_the_day_that_stands_in_a_source() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let kev = write(
            "kev.json",
            b"{\"title\": \"KEV\", \"dateReleased\": \"2026-11-02T10:00:00.5Z\", \"v\": 1}",
        );
        assert_eq!(own_date(&ImporterKind::Kev, &kev).unwrap().as_second(), 1_793_613_600);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(
            &mut packed,
            b"#model_version:v2025.03.14,score_date:2026-11-02T00:00:00+0000\ncve,epss,percentile\n",
        )
        .unwrap();
        let epss = write("epss.csv.gz", &packed.finish().unwrap());
        assert_eq!(own_date(&ImporterKind::Epss, &epss).unwrap().as_second(), 1_793_577_600);
        assert_eq!(own_date(&ImporterKind::Osv, &kev), None);
    }
}
