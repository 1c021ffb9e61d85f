//! Alpine's `secdb` (<https://secdb.alpinelinux.org/>): which version of an origin package fixed what.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ImportError, Sink};
use crate::ecosystem::{Ecosystem, Family};
use crate::record::{Flags, Range, Record};

/// One document: a repository of a release.
#[derive(Debug, Deserialize)]
pub(super) struct Secdb {
    distroversion: String,
    #[serde(default)]
    reponame: String,
    packages: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    pkg: Package,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    secfixes: Option<BTreeMap<String, Option<Vec<String>>>>,
}

pub(super) fn import(document: Secdb, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    for Entry { pkg } in document.packages {
        for (version, ids) in pkg.secfixes.unwrap_or_default() {
            put(
                &document.distroversion,
                &document.reponame,
                &pkg.name,
                &version,
                &ids.unwrap_or_default(),
                sink,
            )?;
        }
    }
    Ok(())
}

/// Notes what one version fixed. Entries are ids, sometimes several names of one thing with spaces between.
pub(super) fn put(
    release: &str,
    repository: &str,
    package: &str,
    version: &str,
    entries: &[String],
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    for entry in entries {
        let mut names: Vec<String> = entry.split_whitespace().map(str::to_owned).collect();
        let main = names.iter().position(|name| name.starts_with("CVE-")).unwrap_or(0);
        if names.is_empty() {
            continue;
        }
        let id = names.swap_remove(main);
        let mut record =
            Record::new(Ecosystem::new(Family::Alpine, release.trim_start_matches('v')), package, id);
        record.aliases = names;
        record.repository = (!repository.is_empty()).then(|| repository.to_owned());
        record.flags = Flags::SOURCE.with(Flags::STATE);
        if version == "0" {
            record.flags = record.flags.with(Flags::NOT_AFFECTED);
        } else {
            record.ranges.push(Range::before(version));
        }
        sink.record(record)?;
    }
    Ok(())
}
