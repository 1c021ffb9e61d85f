//! What no record may tell.

use serde_json::Value;

use crate::Service;

const REMOVED: &str = "<sensitiveDataRemoved>";
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Hides secrets in what was asked or told.
pub(super) fn mask(service: Service, operation: &str, value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| mask(service, operation, one)),
        Value::Object(map) => {
            // A filter by user data tells user data.
            let is_user_data = map.get("name").and_then(Value::as_str) == Some("user-data");
            map.remove("secretAccessKey");
            for (name, value) in map.iter_mut() {
                match hidden(service, operation, name) {
                    Some(text) if !value.is_null() => *value = text.into(),
                    _ if is_user_data && name == "valueSet" => *value = REMOVED.into(),
                    _ => mask(service, operation, value),
                }
            }
        }
        _ => {}
    }
}

/// Returns what stands in place of a secret.
fn hidden(service: Service, operation: &str, name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "userdata" | "keymaterial" | "uefidata" | "policydetails" => Some(REMOVED),
        "sessiontoken" | "tokencode" | "passworddata" | "plaintext" => Some(HIDDEN),
        "kmskeyarn" if service == Service::Ebs => Some(HIDDEN),
        "value" if service == Service::Ssm && operation == "PutParameter" => Some(HIDDEN),
        _ if lower.contains("password") || lower.contains("secret") => Some(HIDDEN),
        _ => None,
    }
}
