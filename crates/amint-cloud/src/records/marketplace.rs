use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A product of AWS Marketplace whose versions are AMIs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Product {
    /// `prod-` and 13 letters and digits.
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) code: String,
    /// How often it was changed.
    pub(crate) revision: u64,
    pub(crate) modified: Timestamp,
    /// `Draft`, `Limited`, `Public` or `Restricted`.
    pub(crate) visibility: String,
    /// What is told of it: title, descriptions and so on, by their names.
    pub(crate) description: BTreeMap<String, Value>,
    pub(crate) regions: Vec<String>,
    pub(crate) instance_types: Vec<String>,
    pub(crate) versions: Vec<ProductVersion>,
}

/// A version of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProductVersion {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) release_notes: String,
    pub(crate) created: Timestamp,
    pub(crate) source_id: String,
    pub(crate) image_id: String,
    pub(crate) architecture: String,
    pub(crate) user_name: String,
    pub(crate) operating_system: (String, String),
    pub(crate) scanning_port: u16,
    pub(crate) options: Vec<DeliveryOption>,
}

/// How a version is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeliveryOption {
    pub(crate) id: String,
    pub(crate) usage: String,
    pub(crate) instance_type: String,
    /// As they were sent.
    pub(crate) security_groups: Value,
    pub(crate) access_endpoint: Option<Value>,
    pub(crate) is_restricted: bool,
}

/// Changes that are made together, after a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChangeSet {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) name: Option<String>,
    /// Whether nothing is to be changed.
    pub(crate) is_validation: bool,
    pub(crate) started: Timestamp,
    /// When it is no more prepared, and applied.
    pub(crate) applying: Timestamp,
    /// When it ends.
    pub(crate) ends: Timestamp,
    pub(crate) changes: Vec<CatalogChange>,
    pub(crate) outcome: Option<ChangeOutcome>,
}

/// How changes ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ChangeOutcome {
    Succeeded,
    Failed,
    Cancelled,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CatalogChange {
    pub(crate) kind: String,
    /// `AmiProduct@1.0`.
    pub(crate) entity_type: String,
    /// The product's id; of one that is made, once it is known.
    pub(crate) entity_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) details: Value,
    /// Codes and words.
    pub(crate) errors: Vec<(String, String)>,
}

impl ChangeSet {
    /// Returns the status that the catalog tells.
    pub(crate) fn status(&self, now: Timestamp) -> &'static str {
        match self.outcome {
            Some(ChangeOutcome::Succeeded) => "SUCCEEDED",
            Some(ChangeOutcome::Failed) => "FAILED",
            Some(ChangeOutcome::Cancelled) => "CANCELLED",
            None if self.applying > now => "PREPARING",
            None => "APPLYING",
        }
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:aws-marketplace:us-east-1:{}:AWSMarketplace/ChangeSet/{}", self.account, self.id)
    }
}

impl Product {
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:aws-marketplace:us-east-1:{}:AWSMarketplace/AmiProduct/{}", self.account, self.id)
    }

    pub(crate) fn title(&self) -> &str {
        self.description.get("ProductTitle").and_then(Value::as_str).unwrap_or_default()
    }
}
