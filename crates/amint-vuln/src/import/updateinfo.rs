//! `updateinfo.xml` of repositories of rpm packages (`createrepo_c`'s `updateinfo_c`, libsolv).
//!
//! Amazon Linux, `AlmaLinux`, Rocky Linux, Fedora and SUSE publish it. Packages are named by binary package, epoch,
//! version and release.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{ImportError, Sink};
use crate::ecosystem::Ecosystem;
use crate::record::{Facts, Range, Record};
use crate::scores::severity_of_word;

/// Most packages of one advisory.
const PACKAGES_MAX: usize = 100_000;
/// Longest text between two tags.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

#[derive(Default)]
struct Update {
    is_security: bool,
    id: String,
    title: String,
    severity: String,
    cves: Vec<String>,
    module: Option<String>,
    packages: Vec<(String, String, Option<String>)>,
}

pub(super) fn import(
    ecosystem: &Ecosystem,
    repository: Option<&str>,
    source: Box<dyn BufRead + '_>,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    let mut reader = Reader::from_reader(source);
    let mut buffer = Vec::new();
    let mut update = Update::default();
    let mut text = String::new();
    let mut has_root = false;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer)? {
            Event::Start(tag) | Event::Empty(tag) => {
                has_root |= tag.name().as_ref() == "updates";
                text.clear();
                start(&tag, &mut update);
            }
            Event::Text(part) => {
                if text.len().saturating_add(part.len()) > TEXT_BYTES_MAX {
                    return Err(ImportError::TooLarge("a text is longer than 1 MiB"));
                }
                text.push_str(&part);
            }
            Event::GeneralRef(name) => text.push_str(entity(&name)),
            Event::End(tag) => match tag.name().as_ref() {
                "id" => text.trim().clone_into(&mut update.id),
                "title" => text.trim().clone_into(&mut update.title),
                "severity" => text.trim().clone_into(&mut update.severity),
                "collection" => update.module = None,
                "update" => put(std::mem::take(&mut update), ecosystem, repository, sink)?,
                _ => {}
            },
            Event::Eof if has_root => return Ok(()),
            Event::Eof => return Err(ImportError::Form("it has no list of updates")),
            _ => {}
        }
        if update.packages.len() > PACKAGES_MAX || update.cves.len() > PACKAGES_MAX {
            return Err(ImportError::TooLarge("an advisory has too many packages"));
        }
    }
}

fn entity(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => " ",
    }
}

fn start(tag: &BytesStart<'_>, update: &mut Update) {
    let attribute = |name: &str| -> Option<String> {
        let attribute = tag.try_get_attribute(name).ok().flatten()?;
        Some(attribute.value.into_owned())
    };
    match tag.name().as_ref() {
        "update" => {
            *update =
                Update { is_security: attribute("type").as_deref() == Some("security"), ..Update::default() };
        }
        "reference" => {
            let id = attribute("id").filter(|id| id.starts_with("CVE-"));
            // SUSE writes the id in some titles only.
            let title = || attribute("title").filter(|title| title.starts_with("CVE-"));
            update.cves.extend(id.or_else(title));
        }
        "module" => {
            update.module =
                attribute("name").zip(attribute("stream")).map(|(name, stream)| format!("{name}:{stream}"));
        }
        "package" => {
            let (Some(name), Some(version), Some(release)) =
                (attribute("name"), attribute("version"), attribute("release"))
            else {
                return;
            };
            let epoch =
                attribute("epoch").filter(|epoch| !epoch.is_empty()).unwrap_or_else(|| "0".to_owned());
            let fixed = format!("{epoch}:{version}-{release}");
            // Each architecture has its own line.
            let package = (name, fixed, update.module.clone());
            if update.packages.last() != Some(&package) {
                update.packages.push(package);
            }
        }
        _ => {}
    }
}

fn put(
    mut update: Update,
    ecosystem: &Ecosystem,
    repository: Option<&str>,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    if !update.is_security || update.id.is_empty() {
        sink.skip();
        return Ok(());
    }
    update.packages.sort();
    update.packages.dedup();
    let severity = severity_of_word(&update.severity);
    for (name, fixed, module) in update.packages {
        let mut record = Record::new(ecosystem.clone(), name, &update.id);
        record.vulnerabilities.clone_from(&update.cves);
        record.aliases.push(update.id.clone());
        record.ranges.push(Range::before(fixed));
        record.severity = severity;
        record.module = module;
        record.repository = repository.map(str::to_owned);
        sink.record(record)?;
    }
    sink.facts(&update.id, Facts { title: Some(update.title), severity, ..Facts::default() })
}
