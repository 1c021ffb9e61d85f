//! Debian's security tracker as JSON: 70 MB, read source package by source package.
//!
//! `{source: {CVE: {description, releases: {codename: {status, fixed_version, urgency, nodsa_reason}}}}}`, see
//! <https://security-team.debian.org/security_tracker.html>.

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::{ImportError, Sink};
use crate::ecosystem::{Ecosystem, Family, debian_release};
use crate::record::{Facts, Flags, Range, Record};
use crate::scores::severity_of_word;

#[derive(Deserialize)]
struct Issue {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    releases: BTreeMap<String, Release>,
}

#[derive(Deserialize)]
struct Release {
    #[serde(default)]
    status: String,
    #[serde(default)]
    fixed_version: Option<String>,
    #[serde(default)]
    urgency: String,
    #[serde(default)]
    nodsa_reason: Option<String>,
}

pub(super) fn import(source: Box<dyn BufRead + '_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut failure = None;
    let mut deserializer = serde_json::Deserializer::from_reader(source);
    let result = deserializer.deserialize_map(Sources { sink, failure: &mut failure });
    if let Some(error) = failure {
        return Err(error);
    }
    result?;
    Ok(deserializer.end()?)
}

struct Sources<'a, 'b> {
    sink: &'a mut Sink<'b>,
    failure: &'a mut Option<ImportError>,
}

impl<'de> Visitor<'de> for Sources<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("source packages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(package) = map.next_key::<String>()? {
            map.next_value_seed(Issues { package: &package, sink: self.sink, failure: self.failure })?;
        }
        Ok(())
    }
}

/// The issues of one source package, one at a time: the kernel has thousands.
struct Issues<'a, 'b> {
    package: &'a str,
    sink: &'a mut Sink<'b>,
    failure: &'a mut Option<ImportError>,
}

impl<'de> DeserializeSeed<'de> for Issues<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Issues<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the issues of a source package")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(id) = map.next_key::<String>()? {
            // Issues without a CVE id yet get a new name each time that the tracker is written.
            if id.starts_with("TEMP-") {
                map.next_value::<IgnoredAny>()?;
                self.sink.skip();
                continue;
            }
            let issue: Issue = map.next_value()?;
            if let Err(error) = put(self.package, &id, issue, self.sink) {
                *self.failure = Some(error);
                return Err(A::Error::custom("the database cannot take more"));
            }
        }
        Ok(())
    }
}

fn put(package: &str, id: &str, issue: Issue, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    for (codename, release) in issue.releases {
        let number = debian_release(&codename).unwrap_or(&codename);
        let mut record = Record::new(Ecosystem::new(Family::Debian, number), package, id);
        record.flags = flags(&release);
        record.severity = severity_of_word(&release.urgency);
        match (release.status.as_str(), release.fixed_version.as_deref()) {
            // "0" says that no version of this release was ever affected.
            (_, Some("0")) => record.flags = record.flags.with(Flags::NOT_AFFECTED),
            ("resolved", Some(fixed)) if !fixed.is_empty() => record.ranges.push(Range::before(fixed)),
            ("open" | "undetermined", _) => record.ranges.push(Range::all()),
            _ => {
                sink.skip();
                continue;
            }
        }
        sink.record(record)?;
    }
    sink.facts(id, Facts { title: issue.description, ..Facts::default() })
}

fn flags(release: &Release) -> Flags {
    let mut flags = Flags::SOURCE.with(Flags::STATE);
    match release.urgency.trim_end_matches('*') {
        "unimportant" => flags = flags.with(Flags::UNIMPORTANT),
        "end-of-life" => flags = flags.with(Flags::END_OF_LIFE),
        _ => {}
    }
    match release.nodsa_reason.as_deref() {
        Some("ignored") => flags.with(Flags::IGNORED),
        Some("postponed") => flags.with(Flags::POSTPONED),
        _ => flags,
    }
}
