//! Documents, as they are read.

use jiff::Timestamp;
use serde::Deserialize;

/// Longest document.
pub const OPENVEX_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most statements.
const STATEMENTS_MAX: usize = 1_000_000;

/// A document of statements.
#[derive(Clone, Debug)]
pub struct OpenVex {
    pub(super) statements: Vec<Statement>,
}

/// A document cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VexError {
    /// It is not in the form of OpenVEX.
    #[error("the document is no OpenVEX")]
    Form(#[from] serde_json::Error),
    /// Its context names another format.
    #[error("the document's context is `{0}` and not OpenVEX's")]
    Context(String),
    /// It is beyond a limit.
    #[error("the document is beyond a limit: {0}")]
    TooLarge(&'static str),
}

/// What a statement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VexStatus {
    /// It does not apply.
    NotAffected,
    /// It applies.
    Affected,
    /// It is mended.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
}

/// One statement.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) ids: Vec<String>,
    /// Package URLs that it is about.
    pub(super) products: Vec<String>,
    pub(super) status: VexStatus,
    pub(super) reason: String,
    pub(super) time: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "@context")]
    context: String,
    #[serde(default)]
    timestamp: Option<Timestamp>,
    statements: Vec<RawStatement>,
}

#[derive(Deserialize)]
struct RawStatement {
    vulnerability: serde_json::Value,
    #[serde(default)]
    products: Vec<Product>,
    status: VexStatus,
    #[serde(default)]
    justification: Option<String>,
    #[serde(default)]
    impact_statement: Option<String>,
    #[serde(default)]
    timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Product {
    #[serde(rename = "@id", default)]
    id: Option<String>,
    #[serde(default)]
    identifiers: Option<Identifiers>,
    #[serde(default)]
    subcomponents: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "@id", default)]
    id: Option<String>,
    #[serde(default)]
    identifiers: Option<Identifiers>,
}

#[derive(Deserialize)]
struct Identifiers {
    #[serde(default)]
    purl: Option<String>,
}

impl OpenVex {
    /// Reads a document.
    pub fn from_json(bytes: &[u8]) -> Result<Self, VexError> {
        if bytes.len() > OPENVEX_BYTES_MAX {
            return Err(VexError::TooLarge("it is longer than 64 MiB"));
        }
        let document: Document = serde_json::from_slice(bytes)?;
        if !document.context.starts_with("https://openvex.dev/ns") {
            return Err(VexError::Context(document.context.chars().take(100).collect()));
        }
        if document.statements.len() > STATEMENTS_MAX {
            return Err(VexError::TooLarge("it has too many statements"));
        }
        let time = document.timestamp;
        let statements = document.statements.into_iter().map(|raw| statement(raw, time)).collect();
        Ok(Self { statements })
    }

    /// Returns how many statements it has.
    pub fn statement_count(&self) -> usize {
        self.statements.len()
    }
}

fn statement(raw: RawStatement, time: Option<Timestamp>) -> Statement {
    let mut ids = Vec::new();
    match &raw.vulnerability {
        serde_json::Value::String(id) => ids.push(id.clone()),
        vulnerability => {
            let field = |name: &str| vulnerability.get(name).and_then(serde_json::Value::as_str);
            ids.extend([field("name"), field("@id")].into_iter().flatten().map(str::to_owned));
            let aliases = vulnerability.get("aliases").and_then(serde_json::Value::as_array);
            ids.extend(aliases.into_iter().flatten().filter_map(|alias| alias.as_str().map(str::to_owned)));
        }
    }
    let mut products = Vec::new();
    for product in raw.products {
        // With components named, the product is what holds them.
        if product.subcomponents.is_empty() {
            products.extend(purl(product.identifiers, product.id));
        }
        products.extend(product.subcomponents.into_iter().filter_map(|part| purl(part.identifiers, part.id)));
    }
    let reason =
        [raw.justification, raw.impact_statement].into_iter().flatten().collect::<Vec<_>>().join(": ");
    Statement { ids, products, status: raw.status, reason, time: raw.timestamp.or(time) }
}

fn purl(identifiers: Option<Identifiers>, id: Option<String>) -> Option<String> {
    identifiers.and_then(|identifiers| identifiers.purl).or(id).filter(|purl| purl.starts_with("pkg:"))
}
