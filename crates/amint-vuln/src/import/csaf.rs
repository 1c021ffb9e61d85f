//! VEX documents of Red Hat in the form of CSAF 2.0 (<https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>).
//!
//! Products are tied together by the product tree: a relationship says that a package is a component of a product
//! with a CPE; statuses name relationships.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{ImportError, Sink};
use crate::ecosystem::{Ecosystem, from_red_hat_cpe};
use crate::record::{Facts, Flags, Range, Record};
use crate::scores::{cvss_tenths, severity_of_word};

/// Deepest branch of a product tree.
const DEPTH_MAX: usize = 32;

/// One document.
#[derive(Debug, Deserialize)]
pub(super) struct Csaf {
    #[serde(default)]
    document: Head,
    #[serde(default)]
    product_tree: Tree,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Debug, Default, Deserialize)]
struct Head {
    #[serde(default)]
    aggregate_severity: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
struct Text {
    #[serde(default)]
    text: String,
}

#[derive(Debug, Default, Deserialize)]
struct Tree {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    relationships: Vec<Relationship>,
}

#[derive(Debug, Deserialize)]
struct Branch {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    product: Option<Product>,
}

#[derive(Debug, Deserialize)]
struct Product {
    product_id: String,
    #[serde(default)]
    product_identification_helper: Helper,
}

#[derive(Debug, Default, Deserialize)]
struct Helper {
    #[serde(default)]
    cpe: Option<String>,
    #[serde(default)]
    purl: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Relationship {
    product_reference: String,
    relates_to_product_reference: String,
    full_product_name: FullName,
}

#[derive(Debug, Deserialize)]
struct FullName {
    product_id: String,
}

#[derive(Debug, Deserialize)]
struct Vulnerability {
    #[serde(default)]
    cve: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    scores: Vec<Score>,
    #[serde(default)]
    product_status: Statuses,
    #[serde(default)]
    remediations: Vec<Remediation>,
}

#[derive(Debug, Deserialize)]
struct Score {
    #[serde(default)]
    cvss_v3: Option<Cvss>,
}

#[derive(Debug, Deserialize)]
struct Cvss {
    #[serde(rename = "vectorString", default)]
    vector: String,
}

#[derive(Debug, Default, Deserialize)]
struct Statuses {
    #[serde(default)]
    fixed: Vec<String>,
    #[serde(default)]
    known_affected: Vec<String>,
    #[serde(default)]
    known_not_affected: Vec<String>,
    #[serde(default)]
    under_investigation: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Remediation {
    category: String,
    #[serde(default)]
    product_ids: Vec<String>,
}

/// A package as its URL tells it.
struct Package {
    name: String,
    version: Option<String>,
    module: Option<String>,
    is_source: bool,
}

pub(super) fn import(document: Csaf, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut helpers = BTreeMap::new();
    for branch in &document.product_tree.branches {
        collect(branch, 0, &mut helpers)?;
    }
    let relations: BTreeMap<&str, &Relationship> = document
        .product_tree
        .relationships
        .iter()
        .map(|relation| (relation.full_product_name.product_id.as_str(), relation))
        .collect();
    let severity = document.document.aggregate_severity.and_then(|text| severity_of_word(&text.text));
    for vulnerability in &document.vulnerabilities {
        let Some(id) = &vulnerability.cve else {
            sink.skip();
            continue;
        };
        let tree = Products { helpers: &helpers, relations: &relations };
        put(id, vulnerability, severity, &tree, sink)?;
        let vector = vulnerability.scores.iter().find_map(|score| score.cvss_v3.as_ref());
        let facts = Facts {
            title: vulnerability.title.clone(),
            severity,
            cvss_tenths: vector.and_then(|cvss| cvss_tenths(&cvss.vector)),
            ..Facts::default()
        };
        sink.facts(id, facts)?;
    }
    Ok(())
}

fn collect<'a>(
    branch: &'a Branch,
    depth: usize,
    helpers: &mut BTreeMap<&'a str, &'a Helper>,
) -> Result<(), ImportError> {
    if depth > DEPTH_MAX {
        return Err(ImportError::TooLarge("a product tree is too deep"));
    }
    if let Some(product) = &branch.product {
        helpers.insert(&product.product_id, &product.product_identification_helper);
    }
    branch.branches.iter().try_for_each(|branch| collect(branch, depth + 1, helpers))
}

struct Products<'a> {
    helpers: &'a BTreeMap<&'a str, &'a Helper>,
    relations: &'a BTreeMap<&'a str, &'a Relationship>,
}

impl Products<'_> {
    /// Finds ecosystem, repository and package of a product that is a component of another.
    fn find(&self, id: &str) -> Option<(Ecosystem, Option<String>, Package)> {
        let relation = self.relations.get(id)?;
        let product = self.helpers.get(relation.relates_to_product_reference.as_str())?;
        let (ecosystem, repository) = from_red_hat_cpe(product.cpe.as_deref()?)?;
        let component = self.helpers.get(relation.product_reference.as_str());
        let package = if let Some(purl) = component.and_then(|helper| helper.purl.as_deref()) {
            package(purl)?
        } else {
            // Components that no version is told of have no URL, but a name.
            let reference = relation.product_reference.as_str();
            let (module, name) = match reference.rsplit_once('/') {
                Some((module, name)) => (Some(module.to_owned()), name),
                None => (None, reference),
            };
            Package { name: name.to_owned(), version: None, module, is_source: true }
        };
        Some((ecosystem, repository, package))
    }
}

/// Reads `pkg:rpm/redhat/openssh@8.7p1-38.el9_4.1?arch=src&epoch=0`.
fn package(purl: &str) -> Option<Package> {
    let rest = purl.strip_prefix("pkg:rpm/")?;
    let (path, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
    let (path, version) = match path.split_once('@') {
        Some((path, version)) => (path, Some(version)),
        None => (path, None),
    };
    let qualifier = |name: &str| {
        qualifiers
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
            .map(|(_, value)| value)
    };
    let epoch = qualifier("epoch").unwrap_or("0");
    let module = qualifier("rpmmod").map(|module| module.replace("%3A", ":"));
    let module = module.map(|module| module.split(':').take(2).collect::<Vec<_>>().join(":"));
    let decode =
        |text: &str| text.replace("%2B", "+").replace("%2b", "+").replace("%5E", "^").replace("%7E", "~");
    Some(Package {
        name: decode(path.rsplit('/').next()?),
        version: version.map(|version| format!("{epoch}:{}", decode(version))),
        module,
        is_source: version.is_none() || qualifier("arch") == Some("src"),
    })
}

fn put(
    id: &str,
    vulnerability: &Vulnerability,
    severity: Option<amint_types::Severity>,
    products: &Products<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    let of_category = |category: &str| -> BTreeSet<&str> {
        let matching =
            vulnerability.remediations.iter().filter(|remediation| remediation.category == category);
        matching.flat_map(|remediation| remediation.product_ids.iter().map(String::as_str)).collect()
    };
    let unplanned = of_category("no_fix_planned");
    let status = &vulnerability.product_status;
    let groups = [
        (&status.fixed, Flags::default()),
        (&status.known_affected, Flags::default()),
        (&status.under_investigation, Flags::default()),
        (&status.known_not_affected, Flags::NOT_AFFECTED),
    ];
    for (products_of_group, flags) in groups {
        for product in products_of_group {
            let Some((ecosystem, repository, package)) = products.find(product) else {
                sink.skip();
                continue;
            };
            let mut record = Record::new(ecosystem, package.name, id);
            record.flags = flags.with(Flags::STATE);
            if package.is_source {
                record.flags = record.flags.with(Flags::SOURCE);
            }
            if unplanned.contains(product.as_str()) {
                record.flags = record.flags.with(Flags::IGNORED);
            }
            (record.repository, record.module, record.severity) = (repository, package.module, severity);
            if !flags.has(Flags::NOT_AFFECTED) {
                record.ranges.push(package.version.map_or_else(Range::all, Range::before));
            }
            sink.record(record)?;
        }
    }
    Ok(())
}
