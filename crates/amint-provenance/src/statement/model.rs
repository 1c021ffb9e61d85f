//! The JSON form of statements, field by field in the order of the specifications.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DEPENDENCIES_MAX, SUBJECTS_MAX};
use crate::limits::{list, null_is_default};

/// Digests of one artifact by algorithm; names that are not known are left aside.
pub type DigestSet = BTreeMap<String, String>;

/// An in-toto statement v1 with SLSA provenance v1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// Always [`super::STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// What the statement is about.
    #[serde(default, deserialize_with = "list::<_, _, SUBJECTS_MAX>")]
    pub subject: Vec<ResourceDescriptor>,
    /// Always [`super::PREDICATE_TYPE`].
    pub predicate_type: String,
    /// What is said about it.
    pub predicate: Provenance,
}

/// An artifact (in-toto attestation v1, `ResourceDescriptor`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceDescriptor {
    /// What tells it apart from others in the same list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What names it anywhere: a package URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its digests.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: DigestSet,
    /// Its content in base64, where that is short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Where it can be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_location: Option<String>,
    /// Its media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// More about it.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, Value>,
}

/// SLSA provenance v1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What went into the build.
    pub build_definition: BuildDefinition,
    /// How this one run of it went.
    pub run_details: RunDetails,
}

/// What went into a build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// How to read the parameters: always [`super::BUILD_TYPE`].
    pub build_type: String,
    /// What the user decided.
    pub external_parameters: ExternalParameters,
    /// What amint decided.
    #[serde(default, deserialize_with = "null_is_default")]
    pub internal_parameters: InternalParameters,
    /// The artifacts that were needed.
    #[serde(
        default,
        deserialize_with = "list::<_, _, DEPENDENCIES_MAX>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// What the user of a build decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalParameters {
    /// The image's name.
    pub name: String,
    /// The image's version.
    pub version: String,
    /// The image's architecture, in the words of EC2.
    pub architecture: String,
    /// The digest of the recipe's text.
    pub recipe: DigestSet,
    /// The digest of the lock file's text; none for a build without one.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub lock: DigestSet,
    /// Options of the command that reach the image.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// What amint itself decided in a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InternalParameters {
    /// The seconds since 1970 that stand for the time inside the image (`SOURCE_DATE_EPOCH`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_date_epoch: Option<i64>,
}

/// How one run of a build went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// Who built.
    pub builder: Builder,
    /// When.
    #[serde(default, deserialize_with = "null_is_default")]
    pub metadata: BuildMetadata,
    /// Other artifacts that came of it, such as reports.
    #[serde(
        default,
        deserialize_with = "list::<_, _, DEPENDENCIES_MAX>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub byproducts: Vec<ResourceDescriptor>,
}

/// Who built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// All that must be trusted for the statement to be believed: [`super::BUILDER_ID`].
    pub id: String,
    /// What else took part without reaching the image; amint names nothing.
    #[serde(
        default,
        deserialize_with = "list::<_, _, DEPENDENCIES_MAX>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub builder_dependencies: Vec<ResourceDescriptor>,
    /// Versions of the builder's parts.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

/// When a build ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BuildMetadata {
    /// What names this run and no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_on: Option<Timestamp>,
    /// When it finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<Timestamp>,
}
