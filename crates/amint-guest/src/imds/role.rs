//! The credentials of an instance's role.

use std::fmt;

use jiff::Timestamp;
use serde_json::json;

/// The instance profile of an instance, and what it may do by its role (EC2 User Guide, "Retrieve security credentials
/// from instance metadata").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRole {
    /// The ARN of the instance profile.
    pub profile_arn: String,
    /// The unique id of the instance profile: `AIPA…`.
    pub profile_id: String,
    /// The name of the profile's role, if it has one.
    pub role: Option<String>,
    /// The credentials; none where EC2 may not assume the role.
    pub credentials: Option<RoleCredentials>,
}

/// Credentials that end.
#[derive(Clone, PartialEq, Eq)]
pub struct RoleCredentials {
    /// The id of the key: `ASIA…`.
    pub access_key_id: String,
    /// The secret.
    pub secret: String,
    /// The token of the session.
    pub token: String,
    /// When they were made.
    pub updated: Timestamp,
    /// When they end.
    pub expires: Timestamp,
}

impl fmt::Debug for RoleCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RoleCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

impl InstanceRole {
    /// Writes `iam/info`.
    pub(crate) fn info(&self, now: Timestamp) -> String {
        let code = if self.is_refused() { UNAUTHORIZED } else { "Success" };
        let updated = self.credentials.as_ref().map_or(now, |credentials| credentials.updated);
        pretty(&json!({
            "Code": code,
            "LastUpdated": seconds(updated),
            "InstanceProfileArn": self.profile_arn,
            "InstanceProfileId": self.profile_id,
        }))
    }

    /// Writes `iam/security-credentials/ROLE`.
    pub(crate) fn security_credentials(&self, now: Timestamp) -> String {
        let Some(credentials) = &self.credentials else {
            let role = self.role.as_deref().unwrap_or_default();
            return pretty(&json!({
                "Code": UNAUTHORIZED,
                "Message": format!("EC2 cannot assume the role {role}. Please see the EC2 documentation."),
                "LastUpdated": seconds(now),
            }));
        };
        pretty(&json!({
            "Code": "Success",
            "LastUpdated": seconds(credentials.updated),
            "Type": "AWS-HMAC",
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret,
            "Token": credentials.token,
            "Expiration": seconds(credentials.expires),
        }))
    }

    fn is_refused(&self) -> bool {
        self.role.is_some() && self.credentials.is_none()
    }
}

const UNAUTHORIZED: &str = "AssumeRoleUnauthorizedAccess";

fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn pretty(document: &serde_json::Value) -> String {
    format!("{document:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_for_debugging_has_no_secret() {
        let at = Timestamp::UNIX_EPOCH;
        let (secret, token) = ("s3cr3t".to_owned(), "t0k3n".to_owned());
        let credentials =
            RoleCredentials { access_key_id: "ASIAX".to_owned(), secret, token, updated: at, expires: at };
        let text = format!("{credentials:?}");
        assert!(text.contains("ASIAX") && !text.contains("s3cr3t") && !text.contains("t0k3n"), "{text}");
    }
}
