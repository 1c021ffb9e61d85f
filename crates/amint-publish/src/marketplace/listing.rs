//! What a version of a product says of itself.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use super::check::Flaw;
use super::lint::lint;

/// The most characters of each text, and the most rules (`AddDeliveryOptions` of `AmiProduct@1.0`).
const TITLE_MAX: usize = 64;
const RELEASE_NOTES_MAX: usize = 30_000;
const USAGE_MAX: usize = 4000;
const USER_MAX: usize = 32;
const SYSTEM_MAX: usize = 100;
const INSTANCE_TYPE_MAX: usize = 24;
const PATH_MAX: usize = 2000;
const OPENINGS_MAX: usize = 25;
const SOURCES_MAX: usize = 5;

/// What a version says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The product: `prod-…`.
    pub product_id: String,
    /// The title of the version, which no other of the product has.
    pub title: String,
    /// What is new.
    pub release_notes: String,
    /// How to use it.
    pub usage_instructions: String,
    /// The role by which AWS Marketplace takes the image in.
    pub access_role: String,
    /// Who logs in.
    pub user_name: String,
    /// `DEBIAN`.
    pub system_name: String,
    /// `12`.
    pub system_version: String,
    /// The type of instances that buyers are advised to choose.
    pub instance_type: String,
    /// Which ports the security group opens that buyers are offered.
    pub openings: Vec<Opening>,
    /// Where buyers reach the product.
    pub access: Option<Access>,
}

/// Where buyers reach the product, after the name of their instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Access {
    /// `https` or `http`.
    pub protocol: String,
    /// The port.
    pub port: u16,
    /// The path, with the `/` at its beginning.
    pub path: String,
}

impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://INSTANCE:{}{}", self.protocol, self.port, self.path)
    }
}

/// A port that is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Opening {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The port.
    pub port: u16,
    /// For whom: blocks of IPv4 addresses.
    pub sources: Vec<String>,
}

impl Listing {
    /// Returns the details of the change that adds the version.
    pub fn details(&self, image_id: &str) -> Value {
        let groups = self.openings.iter().map(|opening| {
            json!({
                "IpProtocol": opening.protocol, "FromPort": opening.port, "ToPort": opening.port,
                "IpRanges": opening.sources,
            })
        });
        let mut details = json!({
            "Version": { "VersionTitle": self.title, "ReleaseNotes": self.release_notes },
            "DeliveryOptions": [{ "Details": { "AmiDeliveryOptionDetails": {
                "AmiSource": {
                    "AmiId": image_id,
                    "AccessRoleArn": self.access_role,
                    "UserName": self.user_name,
                    "ScanningPort": 22,
                    "OperatingSystemName": self.system_name,
                    "OperatingSystemVersion": self.system_version,
                },
                "UsageInstructions": self.usage_instructions,
                "RecommendedInstanceType": self.instance_type,
                "SecurityGroups": groups.collect::<Vec<_>>(),
            } } }],
        });
        if let Some(access) = &self.access {
            let mut endpoint = json!({ "Port": access.port, "Protocol": access.protocol });
            // Relative means without the `/`: the schema of the catalog refuses one at the beginning.
            let relative = access.path.trim_start_matches('/');
            if !relative.is_empty() {
                endpoint["RelativePath"] = relative.into();
            }
            details["DeliveryOptions"][0]["Details"]["AmiDeliveryOptionDetails"]["AccessEndpointUrl"] =
                endpoint;
        }
        details
    }

    /// Finds what AWS would refuse, or what buyers would suffer from, without asking anybody.
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        self.check_texts(&mut flaws);
        self.check_openings(&mut flaws);
        self.check_access(&mut flaws);
        flaws.extend(lint(self));
        flaws
    }

    fn check_texts(&self, flaws: &mut Vec<Flaw>) {
        let title = &self.title;
        if title.is_empty() || title.chars().count() > TITLE_MAX || title.trim() != title {
            flaws.push(Flaw::refused(
                "INVALID_VERSION_TITLE",
                format!(
                    "the title `{title}` has not 1 to {TITLE_MAX} characters without spaces at its ends"
                ),
                "see `title` in the recipe's `[marketplace]`; without it the version of the image is the title",
            ));
        }
        for (code, what, text, most, key) in [
            (
                "INVALID_RELEASE_NOTES",
                "text of the release notes",
                &self.release_notes,
                RELEASE_NOTES_MAX,
                "release_notes",
            ),
            (
                "INVALID_USAGE_INSTRUCTIONS",
                "text of the usage instructions",
                &self.usage_instructions,
                USAGE_MAX,
                "usage_instructions",
            ),
            ("INVALID_USER_NAME", "name of the user", &self.user_name, USER_MAX, "[user] name"),
            ("INVALID_OS", "name of the operating system", &self.system_name, SYSTEM_MAX, "system_name"),
            (
                "INVALID_OS",
                "version of the operating system",
                &self.system_version,
                SYSTEM_MAX,
                "system_version",
            ),
            (
                "INVALID_INSTANCE_TYPE",
                "recommended instance type",
                &self.instance_type,
                INSTANCE_TYPE_MAX,
                "instance_type",
            ),
            ("INVALID_ACCESS_ROLE_ARN", "access role", &self.access_role, 2048, "access_role"),
            ("INVALID_PRODUCT", "product", &self.product_id, 255, "product"),
        ] {
            let count = text.chars().count();
            if count == 0 || count > most {
                let message = if count == 0 {
                    format!("the {what} is missing")
                } else {
                    format!("the {what} has {count} characters, and may have {most}")
                };
                flaws.push(Flaw::refused(
                    code,
                    message,
                    format!("see `{key}` in the recipe's `[marketplace]`"),
                ));
            }
        }
        if !self.access_role.is_empty() && !self.access_role.contains(":role/") {
            let message = format!("`{}` is not the ARN of a role", self.access_role);
            flaws.push(Flaw::refused(
                "INVALID_ACCESS_ROLE_ARN",
                message,
                "write one such as `arn:aws:iam::111122223333:role/ingestion`",
            ));
        }
    }

    fn check_access(&self, flaws: &mut Vec<Flaw>) {
        const CODE: &str = "INVALID_ACCESS_ENDPOINT_URL";
        const HINT: &str = "see `access` in the recipe's `[marketplace]`";
        let Some(access) = &self.access else { return };
        if !matches!(access.protocol.as_str(), "https" | "http") {
            let message =
                format!("buyers cannot reach the product by `{}`, only by https or http", access.protocol);
            flaws.push(Flaw::refused(CODE, message, HINT));
        }
        let length = access.path.chars().count();
        if !access.path.starts_with('/') || access.path.starts_with("//") || length > PATH_MAX + 1 {
            let message = format!(
                "the path by which buyers reach the product has no single `/` before up to {PATH_MAX} characters"
            );
            flaws.push(Flaw::refused(CODE, message, HINT));
        }
        let is_it = |opening: &Opening| opening.protocol == "tcp" && opening.port == access.port;
        if !self.openings.iter().any(is_it) {
            let message =
                format!("buyers are sent to port {}, which the security group does not open", access.port);
            flaws.push(Flaw::noted("CLOSED_ACCESS_PORT", message, HINT));
        }
    }

    fn check_openings(&self, flaws: &mut Vec<Flaw>) {
        const CODE: &str = "INVALID_SECURITY_GROUP";
        let count = self.openings.len();
        if !(1..=OPENINGS_MAX).contains(&count) {
            let message = format!("{count} ports are opened, and 1 to {OPENINGS_MAX} can be");
            flaws.push(Flaw::refused(CODE, message, "see `[[ports]]`"));
        }
        for opening in &self.openings {
            let (place, sources) = (format!("{} {}", opening.protocol, opening.port), &opening.sources);
            if !(1..=SOURCES_MAX).contains(&sources.len()) {
                let message = format!(
                    "{place} is opened for {} blocks of addresses, and 1 to {SOURCES_MAX} can be",
                    sources.len()
                );
                flaws.push(Flaw::refused(CODE, message, "see `from`"));
            }
            if sources.iter().any(|source| source.contains(':')) {
                let message = format!("{place} is opened for addresses of IPv6, which listings do not know");
                flaws.push(Flaw::refused(CODE, message, "name blocks of IPv4"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_by_which_buyers_reach_a_product_is_sent_as_the_catalog_takes_it() {
        let sent = |path: &str| {
            let access = Access { protocol: "https".to_owned(), port: 8443, path: path.to_owned() };
            let listing = Listing { access: Some(access), ..Listing::default() };
            let details = listing.details("ami-1");
            details["DeliveryOptions"][0]["Details"]["AmiDeliveryOptionDetails"]["AccessEndpointUrl"].clone()
        };
        assert_eq!(sent("/login/"), json!({ "Port": 8443, "Protocol": "https", "RelativePath": "login/" }));
        assert_eq!(sent("/"), json!({ "Port": 8443, "Protocol": "https" }));
        let silent = Listing::default().details("ami-1");
        assert!(!silent.to_string().contains("AccessEndpointUrl"), "{silent}");
    }
}
