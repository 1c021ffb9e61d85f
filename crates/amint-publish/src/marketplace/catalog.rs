//! What selling needs of AWS Marketplace's catalog, and of IAM.

use std::collections::BTreeSet;
use std::future::Future;

use amint_types::assessment::AssessmentReport;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::cloud::CloudError;

/// The catalog of AWS Marketplace, and the roles of the account.
///
/// As with [`Region`](crate::Region), each method is one request (or one list of pages), without retries.
pub trait Catalog: Send + Sync {
    /// Returns a product (`aws-marketplace:DescribeEntity`).
    fn product(&self, id: &str) -> impl Future<Output = Result<Option<CatalogProduct>, CloudError>> + Send;

    /// Starts a change set, and returns its id (`aws-marketplace:StartChangeSet`).
    fn start(&self, request: &StartChangeSet) -> impl Future<Output = Result<String, CloudError>> + Send;

    /// Returns a change set (`aws-marketplace:DescribeChangeSet`).
    fn change_set(&self, id: &str)
    -> impl Future<Output = Result<Option<ChangeSetState>, CloudError>> + Send;

    /// Returns the change sets of a product within the last 60 days, newest first, without their errors
    /// (`aws-marketplace:ListChangeSets`).
    fn change_sets(
        &self,
        product_id: &str,
    ) -> impl Future<Output = Result<Vec<ChangeSetState>, CloudError>> + Send;

    /// Returns the assessments of a product, or of those the ones that a change set asked for, without their controls
    /// (`aws-marketplace:ListAssessments`).
    fn assessments(
        &self,
        product_id: &str,
        change_set_id: Option<&str>,
    ) -> impl Future<Output = Result<Vec<AssessmentReport>, CloudError>> + Send;

    /// Returns an assessment with all its controls (`aws-marketplace:DescribeAssessment`).
    fn assessment(
        &self,
        id: &str,
    ) -> impl Future<Output = Result<Option<AssessmentReport>, CloudError>> + Send;

    /// Returns a role of the account (`iam:GetRole`, `iam:ListAttachedRolePolicies`).
    fn access_role(&self, name: &str) -> impl Future<Output = Result<Option<AccessRole>, CloudError>> + Send;

    /// Makes the role that lets AWS Marketplace take images in (`iam:CreateRole`), and returns its ARN.
    fn create_access_role(
        &self,
        path: &str,
        name: &str,
    ) -> impl Future<Output = Result<String, CloudError>> + Send;

    /// Gives a role the policy that AWS has for it (`iam:AttachRolePolicy`).
    fn attach_ingestion_policy(&self, name: &str) -> impl Future<Output = Result<(), CloudError>> + Send;
}

/// A product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogProduct {
    /// `prod-…`.
    pub id: String,
    /// `Draft`, `Limited`, `Public`, `Restricted`.
    pub visibility: String,
    /// The types of instances that buyers may choose.
    pub instance_types: BTreeSet<String>,
    /// Its versions, oldest first.
    pub versions: Vec<CatalogVersion>,
}

/// A version of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CatalogVersion {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The AMI that it was made of.
    pub image_id: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Who logs in.
    pub user_name: String,
    /// The ids of its delivery options that buyers can choose.
    pub public_options: Vec<String>,
}

/// A change set that shall start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartChangeSet {
    /// The product.
    pub product_id: String,
    /// `AddDeliveryOptions`, `RestrictDeliveryOptions`.
    pub change_type: &'static str,
    /// What the change says.
    pub details: Value,
    /// What people read.
    pub name: String,
    /// Asked again with the same one, nothing new is started.
    pub client_token: String,
    /// Whether it is only looked at, and not done.
    pub is_validation: bool,
}

/// A change set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeSetState {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub status: ChangeSetStatus,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What AWS found.
    pub errors: Vec<ChangeError>,
    /// Whether AWS itself failed: then it may be tried again.
    pub is_fault_of_service: bool,
}

/// Where a change set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeSetStatus {
    /// It is looked at.
    Preparing,
    /// It is done; the image is copied and scanned.
    Applying,
    /// It is done.
    Succeeded,
    /// It was refused.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

impl ChangeSetStatus {
    /// Tells whether nothing comes any more.
    pub fn is_end(self) -> bool {
        !matches!(self, Self::Preparing | Self::Applying)
    }

    /// Returns the word that AWS has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "PREPARING",
            Self::Applying => "APPLYING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// An error that AWS found in a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeError {
    /// `INVALID_AMI_ARCHITECTURE`.
    pub code: String,
    /// What AWS says.
    pub message: String,
}

/// A role of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessRole {
    /// Its ARN.
    pub arn: String,
    /// Its trust policy, as JSON.
    pub trust: String,
    /// The ARNs of the managed policies that it has.
    pub attached: BTreeSet<String>,
    /// Whether it has policies of its own, which may allow what is needed.
    pub has_inline: bool,
}
