//! AWS Marketplace's catalog, and the role by which it takes images in.

use std::collections::BTreeSet;

use amint_publish::calls::{self, Call};
use amint_publish::marketplace::{
    AccessRole, Catalog, CatalogProduct, CatalogVersion, ChangeError, ChangeSetState, ChangeSetStatus,
    REGION, StartChangeSet,
};
use amint_publish::{CloudError, CloudErrorClass};
use amint_types::assessment::AssessmentReport;
use aws_sdk_marketplacecatalog::types::{
    Change, ChangeStatus, ChangeSummary, Entity, FailureCode, Filter, Intent, Sort, SortOrder,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::assessments;
use crate::document::document;
use crate::error::{cloud_error, odd_answer};

pub(crate) const CATALOG: &str = "AWSMarketplace";
const PRODUCT_TYPE: &str = "AmiProduct@1.0";
/// How many change sets are listed: the newest.
const SETS_MAX: i32 = 20;
/// How many pages of anything are read at most.
pub(crate) const PAGES_MAX: u32 = 20;
/// Who assumes the access role.
const SERVICE: &str = "assets.marketplace.amazonaws.com";
const POLICY: &str = "arn:aws:iam::aws:policy/AWSMarketplaceAmiIngestion";

/// The catalog, for the account of a [`Connection`](crate::Connection). It is in one region only.
#[derive(Clone, Debug)]
pub struct AwsCatalog {
    pub(crate) catalog: aws_sdk_marketplacecatalog::Client,
    pub(crate) iam: aws_sdk_iam::Client,
}

pub(crate) fn failed<E>(call: Call) -> impl Fn(SdkError<E, HttpResponse>) -> CloudError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    move |error| cloud_error(call, REGION, &error)
}

pub(crate) fn needed<T>(call: Call, what: &str, value: Option<T>) -> Result<T, CloudError> {
    value.ok_or_else(|| odd_answer(call, REGION, format!("the answer has no {what}")))
}

/// Takes "there is no such thing" for an answer.
fn known<T>(answer: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.class == CloudErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Catalog for AwsCatalog {
    async fn product(&self, id: &str) -> Result<Option<CatalogProduct>, CloudError> {
        let call = calls::DESCRIBE_ENTITY;
        let request = self.catalog.describe_entity().catalog(CATALOG).entity_id(id);
        let Some(answer) = known(request.send().await.map_err(failed(call)))? else { return Ok(None) };
        let text = needed(call, "details", answer.details)?;
        let document: Value =
            serde_json::from_str(&text).map_err(|error| odd_answer(call, REGION, error.to_string()))?;
        Ok(Some(product(id, &document)))
    }

    async fn start(&self, request: &StartChangeSet) -> Result<String, CloudError> {
        let call = calls::START_CHANGE_SET;
        let odd = |error: &dyn std::error::Error| odd_answer(call, REGION, error.to_string());
        let entity = Entity::builder().r#type(PRODUCT_TYPE).identifier(&request.product_id);
        let change = Change::builder()
            .change_type(request.change_type)
            .entity(entity.build().map_err(|error| odd(&error))?)
            // As a document: the same as a text may have up to 16,384 characters only, and release notes more.
            .details_document(document(&request.details))
            .build()
            .map_err(|error| odd(&error))?;
        let answer = self
            .catalog
            .start_change_set()
            .catalog(CATALOG)
            .change_set(change)
            .change_set_name(&request.name)
            .client_request_token(&request.client_token)
            .intent(if request.is_validation { Intent::Validate } else { Intent::Apply })
            .send()
            .await
            .map_err(failed(call))?;
        needed(call, "change set", answer.change_set_id)
    }

    async fn change_set(&self, id: &str) -> Result<Option<ChangeSetState>, CloudError> {
        let call = calls::DESCRIBE_CHANGE_SET;
        let request = self.catalog.describe_change_set().catalog(CATALOG).change_set_id(id);
        let Some(answer) = known(request.send().await.map_err(failed(call)))? else { return Ok(None) };
        let errors = answer.change_set().iter().flat_map(ChangeSummary::error_detail_list);
        Ok(Some(ChangeSetState {
            id: id.to_owned(),
            name: answer.change_set_name().unwrap_or_default().to_owned(),
            status: status(call, answer.status())?,
            started: answer.start_time().and_then(|time| time.parse().ok()),
            ended: answer.end_time().and_then(|time| time.parse().ok()),
            is_fault_of_service: answer.failure_code() == Some(&FailureCode::ServerFault),
            errors: errors
                .map(|error| ChangeError {
                    code: error.error_code().unwrap_or_default().to_owned(),
                    message: error.error_message().unwrap_or_default().to_owned(),
                })
                .collect(),
        }))
    }

    async fn change_sets(&self, product_id: &str) -> Result<Vec<ChangeSetState>, CloudError> {
        let call = calls::LIST_CHANGE_SETS;
        let answer = self
            .catalog
            .list_change_sets()
            .catalog(CATALOG)
            .filter_list(Filter::builder().name("EntityId").value_list(product_id).build())
            .sort(Sort::builder().sort_by("StartTime").sort_order(SortOrder::Descending).build())
            .max_results(SETS_MAX)
            .send()
            .await
            .map_err(failed(call))?;
        let states = answer.change_set_summary_list().iter().map(|set| {
            Ok(ChangeSetState {
                id: needed(call, "id of a change set", set.change_set_id())?.to_owned(),
                name: set.change_set_name().unwrap_or_default().to_owned(),
                status: status(call, set.status())?,
                started: set.start_time().and_then(|time| time.parse().ok()),
                ended: set.end_time().and_then(|time| time.parse::<Timestamp>().ok()),
                errors: Vec::new(),
                is_fault_of_service: set.failure_code() == Some(&FailureCode::ServerFault),
            })
        });
        states.collect()
    }

    async fn assessments(
        &self,
        product_id: &str,
        change_set_id: Option<&str>,
    ) -> Result<Vec<AssessmentReport>, CloudError> {
        assessments::list(&self.catalog, product_id, change_set_id).await
    }

    async fn assessment(&self, id: &str) -> Result<Option<AssessmentReport>, CloudError> {
        known(assessments::describe(&self.catalog, id).await)
    }

    async fn access_role(&self, name: &str) -> Result<Option<AccessRole>, CloudError> {
        let call = calls::GET_ROLE;
        let answer = self.iam.get_role().role_name(name).send().await.map_err(failed(call));
        let Some(answer) = known(answer)? else { return Ok(None) };
        let role = needed(call, "role", answer.role)?;
        // IAM encodes documents as those of a URL.
        let trust = decoded(role.assume_role_policy_document().unwrap_or_default());
        let call = calls::LIST_ROLE_POLICIES;
        let inline = self.iam.list_role_policies().role_name(name).send().await.map_err(failed(call))?;
        Ok(Some(AccessRole {
            arn: role.arn().to_owned(),
            trust,
            attached: self.attached(name).await?,
            has_inline: !inline.policy_names().is_empty(),
        }))
    }

    async fn create_access_role(&self, path: &str, name: &str) -> Result<String, CloudError> {
        let call = calls::CREATE_ROLE;
        let trust = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "Service": SERVICE }, "Action": "sts:AssumeRole" },
        ] });
        let request =
            self.iam.create_role().path(path).role_name(name).assume_role_policy_document(trust.to_string());
        let request = request.description("Lets AWS Marketplace take AMIs in");
        let answer = request.send().await.map_err(failed(call))?;
        Ok(needed(call, "role", answer.role)?.arn().to_owned())
    }

    async fn attach_ingestion_policy(&self, name: &str) -> Result<(), CloudError> {
        let request = self.iam.attach_role_policy().role_name(name).policy_arn(POLICY);
        request.send().await.map(drop).map_err(failed(calls::ATTACH_ROLE_POLICY))
    }
}

impl AwsCatalog {
    async fn attached(&self, name: &str) -> Result<BTreeSet<String>, CloudError> {
        let call = calls::LIST_ATTACHED_ROLE_POLICIES;
        let (mut found, mut marker) = (BTreeSet::new(), None);
        for _ in 0..PAGES_MAX {
            let request = self.iam.list_attached_role_policies().role_name(name);
            let answer = request.set_marker(marker.take()).send().await.map_err(failed(call))?;
            let policies = answer.attached_policies().iter();
            found.extend(policies.filter_map(|policy| policy.policy_arn().map(str::to_owned)));
            marker = answer.marker.filter(|_| answer.is_truncated);
            if marker.is_none() {
                return Ok(found);
            }
        }
        Err(odd_answer(call, REGION, "the list of policies does not end"))
    }
}

fn status(call: Call, status: Option<&ChangeStatus>) -> Result<ChangeSetStatus, CloudError> {
    Ok(match status {
        Some(ChangeStatus::Preparing) => ChangeSetStatus::Preparing,
        Some(ChangeStatus::Applying) => ChangeSetStatus::Applying,
        Some(ChangeStatus::Succeeded) => ChangeSetStatus::Succeeded,
        Some(ChangeStatus::Failed) => ChangeSetStatus::Failed,
        Some(ChangeStatus::Cancelled) => ChangeSetStatus::Cancelled,
        other => return Err(odd_answer(call, REGION, format!("the status of the change set is {other:?}"))),
    })
}

/// Reads what `DescribeEntity` tells of a product of AMIs.
fn product(id: &str, document: &Value) -> CatalogProduct {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let types = list(&document["Compatibility"]["AvailableInstanceTypes"]);
    let mut versions = list(&document["Versions"]);
    // Nothing says in which order they are told. The times are of one form.
    versions.sort_by_key(|version| text(&version["CreationDate"]));
    CatalogProduct {
        id: id.to_owned(),
        visibility: text(&document["Description"]["Visibility"]),
        instance_types: types.iter().map(text).collect(),
        versions: versions
            .iter()
            .map(|version| {
                let source = &version["Sources"][0];
                let options = list(&version["DeliveryOptions"]);
                let public = options.iter().filter(|option| option["Visibility"] != "Restricted");
                CatalogVersion {
                    id: text(&version["Id"]),
                    title: text(&version["VersionTitle"]),
                    image_id: text(&source["Image"]),
                    architecture: text(&source["Architecture"]),
                    user_name: text(&source["OperatingSystem"]["Username"]),
                    public_options: public.map(|option| text(&option["Id"])).collect(),
                }
            })
            .collect(),
    }
}

/// Decodes the percent signs of a URL; what is none stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|pair| str::from_utf8(pair).ok());
        let value = digits.and_then(|pair| u8::from_str_radix(pair, 16).ok()).filter(|_| *first == b'%');
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_iam_are_decoded() {
        assert_eq!(decoded("%7B%22a%22%3A 1%7D%"), "{\"a\": 1}%");
    }

    #[test]
    fn a_product_tells_its_versions() {
        let document = json!({
            "Description": { "Visibility": "Limited" },
            "Compatibility": { "AvailableInstanceTypes": ["t3.micro"] },
            "Versions": [{
                "Id": "w", "VersionTitle": "1.1", "CreationDate": "2026-11-02T00:00:00Z",
            }, {
                "Id": "v", "VersionTitle": "1.0", "CreationDate": "2026-11-01T00:00:00Z",
                "Sources": [{ "Image": "ami-1", "Architecture": "x86_64", "OperatingSystem": { "Username": "ec2-user" } }],
                "DeliveryOptions": [{ "Id": "a", "Visibility": "Public" }, { "Id": "b", "Visibility": "Restricted" }],
            }],
        });
        let found = product("prod-1", &document);
        assert_eq!(
            (found.versions[0].public_options.as_slice(), found.visibility.as_str()),
            (&["a".to_owned()][..], "Limited")
        );
        assert_eq!(found.versions[1].title, "1.1", "the newest is the last");
        assert_eq!(product("prod-2", &json!([])).versions, []);
    }
}
