//! `[marketplace]`: how the image is sold on AWS Marketplace.

use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Flaw, Problems};
use crate::table::{Table, values};
use crate::text::Cidr;

pub(crate) const KEYS: [&str; 7] = [
    "product",
    "access_role",
    "release_notes",
    "usage_instructions",
    "instance_type",
    "system_name",
    "ssh_from",
];

/// The most characters of each text (`AddDeliveryOptions` of `AmiProduct@1.0`).
const RELEASE_NOTES_MAX: usize = 30_000;
const USAGE_MAX: usize = 4000;
const SYSTEM_MAX: usize = 100;
const SOURCES_MAX: usize = 5;

/// Says how the image is sold on AWS Marketplace (A16).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Marketplace {
    /// The product that the image is a version of: `prod-…`.
    #[schemars(regex(pattern = "^prod-[a-z0-9]{1,60}$"))]
    pub product: Option<String>,
    /// The ARN of the role by which AWS Marketplace takes the image in. Without it the account's role `amint-marketplace`.
    #[schemars(regex(pattern = "^arn:aws:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$"))]
    pub access_role: Option<String>,
    /// What is new in this version.
    #[schemars(length(min = 1, max = 30000))]
    pub release_notes: Option<String>,
    /// How buyers use it: where sensitive information is kept, what is encrypted, how to see whether it works.
    #[schemars(length(min = 1, max = 4000))]
    pub usage_instructions: Option<String>,
    /// The type of instances that buyers are advised to choose.
    #[schemars(regex(pattern = "^[a-z0-9-]+\\.[a-z0-9-]+$"))]
    pub instance_type: Option<String>,
    /// What AWS Marketplace calls the operating system. Without it `DEBIAN`.
    #[schemars(length(min = 1, max = 100))]
    pub system_name: Option<String>,
    /// From where buyers are advised to let SSH in, where `[[ports]]` does not say: without it the networks from which AWS
    /// scans.
    #[schemars(default, length(max = 5))]
    pub ssh_from: Vec<Cidr>,
}

pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Marketplace {
    let Some(table) = root.table(problems, "marketplace", "[marketplace]", &KEYS) else {
        return Marketplace::default();
    };
    let mut text = |key, most| {
        let found = table.parsed(problems, key, |text| long(text, most));
        found.map(|text| text.value)
    };
    let (release_notes, usage_instructions, system_name) = (
        text("release_notes", RELEASE_NOTES_MAX),
        text("usage_instructions", USAGE_MAX),
        text("system_name", SYSTEM_MAX),
    );
    Marketplace {
        product: table.parsed(problems, "product", product).map(|text| text.value),
        access_role: table.parsed(problems, "access_role", role).map(|text| text.value),
        release_notes,
        usage_instructions,
        instance_type: table.parsed(problems, "instance_type", instance_type).map(|text| text.value),
        system_name,
        ssh_from: table
            .parsed_list(problems, "ssh_from", SOURCES_MAX, Cidr::parse)
            .map(values)
            .unwrap_or_default(),
    }
}

fn long(text: &str, most: usize) -> Result<String, Flaw> {
    let count = text.chars().count();
    if text.trim().is_empty() {
        return Err(Flaw::new("the text is empty"));
    }
    if count > most {
        return Err(Flaw::new(format!("the text has {count} characters, and AWS Marketplace takes {most}")));
    }
    Ok(text.to_owned())
}

/// Tells whether a text is the id of a product.
pub fn is_product(text: &str) -> bool {
    text.strip_prefix("prod-").is_some_and(|rest| {
        (1..=60).contains(&rest.len())
            && rest.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    })
}

fn product(text: &str) -> Result<String, Flaw> {
    if is_product(text) {
        return Ok(text.to_owned());
    }
    Err(Flaw::new(format!("`{text}` is not a product"))
        .hint("the management portal of AWS Marketplace shows its id, `prod-` and 13 letters"))
}

/// Reads the ARN of a role.
pub(super) fn role(text: &str) -> Result<String, Flaw> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "+=,.@_/-".contains(letter);
    let is_arn = text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/")).is_some_and(
        |(account, name)| {
            account.len() == 12
                && account.bytes().all(|letter| letter.is_ascii_digit())
                && (1..=512).contains(&name.len())
                && name.chars().all(is_allowed)
        },
    );
    if is_arn {
        return Ok(text.to_owned());
    }
    Err(Flaw::new(format!("`{text}` is not the ARN of a role"))
        .hint("write one such as `arn:aws:iam::111122223333:role/ingestion`"))
}

fn instance_type(text: &str) -> Result<String, Flaw> {
    let is_allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let is_type = text.split_once('.').is_some_and(|(family, size)| {
        !family.is_empty()
            && !size.is_empty()
            && family.chars().all(is_allowed)
            && size.chars().all(is_allowed)
    });
    if is_type {
        return Ok(text.to_owned());
    }
    Err(Flaw::new(format!("`{text}` is not a type of instances")).hint("write one such as `t3.small`"))
}

#[cfg(test)]
mod tests {
    use crate::section::testing::{errors, recipe};

    #[test]
    fn reads_what_a_version_says() {
        let text = "[marketplace]\nproduct = \"prod-abc123\"\naccess_role = \"arn:aws:iam::111122223333:role/in/take\"\n\
                    release_notes = \"First.\"\nusage_instructions = \"ssh\"\ninstance_type = \"t3.small\"\n\
                    ssh_from = [\"10.0.0.0/16\"]\n";
        let found = recipe(text).marketplace;
        assert_eq!((found.product.as_deref(), found.ssh_from.len()), (Some("prod-abc123"), 1));
    }

    #[test]
    fn reports_each_wrong_value() {
        let long = "x".repeat(4001);
        let found = errors(&format!(
            "[marketplace]\nproduct = \"web\"\naccess_role = \"ingestion\"\nrelease_notes = \" \"\n\
             usage_instructions = \"{long}\"\ninstance_type = \"small\"\nssh_from = [\"10.0.0.0/99\"]\n"
        ));
        assert_eq!(found.len(), 6, "{found:?}");
    }
}
