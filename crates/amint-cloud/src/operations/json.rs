//! Operations that take and give a document: those of JSON 1.1, and those of REST that are told by method and path alone.

use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Call, cloudtrail, kms, marketplace, organizations, servicequotas, ssm};
use crate::Service;
use crate::protocol::Fault;

/// An operation that takes and gives a document.
#[derive(Clone, Copy)]
pub(crate) struct JsonOperation {
    pub(crate) service: Service,
    pub(crate) name: &'static str,
    /// Its method and path, where it is one of REST.
    pub(crate) route: Option<(&'static str, &'static str)>,
    pub(crate) run: fn(&Call<'_>, &[u8]) -> Result<Value, Fault>,
}

macro_rules! operation {
    ($service:ident, $name:literal, $run:path) => {
        JsonOperation { service: Service::$service, name: $name, route: None, run: $run }
    };
    ($service:ident, $name:literal, $run:path, $method:literal) => {
        JsonOperation {
            service: Service::$service,
            name: $name,
            route: Some(($method, concat!("/", $name))),
            run: $run,
        }
    };
}

// One line for each operation, sorted.
pub(super) static OPERATIONS: &[JsonOperation] = &[
    operation!(CloudTrail, "LookupEvents", cloudtrail::lookup_events),
    operation!(Kms, "CancelKeyDeletion", kms::cancel_key_deletion),
    operation!(Kms, "CreateAlias", kms::create_alias),
    operation!(Kms, "CreateGrant", kms::create_grant),
    operation!(Kms, "CreateKey", kms::create_key),
    operation!(Kms, "DeleteAlias", kms::delete_alias),
    operation!(Kms, "DescribeKey", kms::describe_key),
    operation!(Kms, "DisableKey", kms::disable_key),
    operation!(Kms, "EnableKey", kms::enable_key),
    operation!(Kms, "GetKeyPolicy", kms::get_key_policy),
    operation!(Kms, "ListAliases", kms::list_aliases),
    operation!(Kms, "ListGrants", kms::list_grants),
    operation!(Kms, "ListKeyPolicies", kms::list_key_policies),
    operation!(Kms, "ListKeys", kms::list_keys),
    operation!(Kms, "PutKeyPolicy", kms::put_key_policy),
    operation!(Kms, "RetireGrant", kms::retire_grant),
    operation!(Kms, "RevokeGrant", kms::revoke_grant),
    operation!(Kms, "ScheduleKeyDeletion", kms::schedule_key_deletion),
    operation!(Kms, "UpdateAlias", kms::update_alias),
    operation!(Marketplace, "CancelChangeSet", marketplace::cancel_change_set, "PATCH"),
    operation!(Marketplace, "DescribeAssessment", marketplace::describe_assessment, "POST"),
    operation!(Marketplace, "DescribeChangeSet", marketplace::describe_change_set, "GET"),
    operation!(Marketplace, "DescribeEntity", marketplace::describe_entity, "GET"),
    operation!(Marketplace, "ListAssessments", marketplace::list_assessments, "POST"),
    operation!(Marketplace, "ListChangeSets", marketplace::list_change_sets, "POST"),
    operation!(Marketplace, "ListEntities", marketplace::list_entities, "POST"),
    operation!(Marketplace, "StartChangeSet", marketplace::start_change_set, "POST"),
    operation!(Organizations, "AttachPolicy", organizations::attach_policy),
    operation!(Organizations, "CreatePolicy", organizations::create_policy),
    operation!(Organizations, "DeletePolicy", organizations::delete_policy),
    operation!(Organizations, "DescribeEffectivePolicy", organizations::describe_effective_policy),
    operation!(Organizations, "DescribePolicy", organizations::describe_policy),
    operation!(Organizations, "DetachPolicy", organizations::detach_policy),
    operation!(Organizations, "ListPolicies", organizations::list_policies),
    operation!(ServiceQuotas, "GetAWSDefaultServiceQuota", servicequotas::get_aws_default_service_quota),
    operation!(ServiceQuotas, "GetServiceQuota", servicequotas::get_service_quota),
    operation!(ServiceQuotas, "ListServiceQuotas", servicequotas::list_service_quotas),
    operation!(ServiceQuotas, "RequestServiceQuotaIncrease", servicequotas::request_service_quota_increase),
    operation!(Ssm, "AddTagsToResource", ssm::add_tags_to_resource),
    operation!(Ssm, "DeleteParameter", ssm::delete_parameter),
    operation!(Ssm, "DeleteParameters", ssm::delete_parameters),
    operation!(Ssm, "DescribeParameters", ssm::describe_parameters),
    operation!(Ssm, "GetParameter", ssm::get_parameter),
    operation!(Ssm, "GetParameterHistory", ssm::get_parameter_history),
    operation!(Ssm, "GetParameters", ssm::get_parameters),
    operation!(Ssm, "GetParametersByPath", ssm::get_parameters_by_path),
    operation!(Ssm, "LabelParameterVersion", ssm::label_parameter_version),
    operation!(Ssm, "ListTagsForResource", ssm::list_tags_for_resource),
    operation!(Ssm, "PutParameter", ssm::put_parameter),
    operation!(Ssm, "RemoveTagsFromResource", ssm::remove_tags_from_resource),
    operation!(Ssm, "UnlabelParameterVersion", ssm::unlabel_parameter_version),
];

/// Finds an operation of JSON 1.1.
pub(crate) fn find_json(service: Service, name: &str) -> Option<&'static JsonOperation> {
    OPERATIONS.iter().find(|operation| operation.service == service && operation.name == name)
}

/// Finds an operation of REST, and makes a document of the request: of its query where it has no body.
pub(crate) fn find_rest(
    service: Service,
    method: &str,
    path: &str,
    query: &str,
    body: &[u8],
) -> Option<(&'static JsonOperation, Vec<u8>)> {
    let is_asked = |operation: &&JsonOperation| {
        operation.service == service && operation.route == Some((method, path.trim_end_matches('/')))
    };
    let operation = OPERATIONS.iter().find(is_asked)?;
    let mut document = match serde_json::from_slice::<Value>(body) {
        Ok(document) if document.is_object() => document,
        _ if body.is_empty() => Value::Object(serde_json::Map::new()),
        _ => return Some((operation, body.to_vec())),
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let mut letters = name.chars();
        let first = letters.next()?.to_ascii_uppercase();
        let name: String = std::iter::once(first).chain(letters).collect();
        document[name] = percent_decode_str(value).decode_utf8_lossy().into_owned().into();
    }
    Some((operation, document.to_string().into_bytes()))
}
/// Reads the document of a request; nothing counts as an empty one.
///
/// # Errors
/// Fails with `ValidationException` for what the operation does not know, or misses.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let code = if error.is_data() { "ValidationException" } else { "SerializationException" };
        Fault::client(code, format!("The body cannot be understood: {error}"))
    })
}
