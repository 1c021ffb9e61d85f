//! CISA's catalogue of known exploited vulnerabilities (<https://www.cisa.gov/known-exploited-vulnerabilities-catalog>).

use std::io::BufRead;

use serde::Deserialize;

use super::{ImportError, Sink};
use crate::record::Facts;

#[derive(Deserialize)]
struct Catalogue {
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "cveID")]
    id: String,
    #[serde(rename = "vulnerabilityName", default)]
    name: Option<String>,
    #[serde(rename = "knownRansomwareCampaignUse", default)]
    ransom: Option<String>,
}

pub(super) fn import(source: Box<dyn BufRead + '_>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let catalogue: Catalogue = serde_json::from_reader(source)?;
    for entry in catalogue.vulnerabilities {
        let facts = Facts {
            title: entry.name,
            is_listed_exploited: true,
            is_used_for_ransom: entry.ransom.as_deref() == Some("Known"),
            ..Facts::default()
        };
        sink.facts(entry.id.trim(), facts)?;
    }
    Ok(())
}
