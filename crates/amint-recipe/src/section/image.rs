//! `[image]`: what the image is called.

use amint_types::{Architecture, ImageName, ImageVersion};
use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Flaw, Problems};
use crate::table::{Located, Table, values};
use crate::text::{Choice, choose, plain};
use crate::{defaults, schema};

pub(crate) const KEYS: [&str; 5] = ["name", "version", "description", "architecture", "product_codes"];

/// Most product codes of an image.
const PRODUCT_CODE_COUNT_MAX: usize = 20;
/// Most characters of a product code.
const PRODUCT_CODE_CHARS_MAX: usize = 64;

/// Most characters of an AMI's description (`CreateImage`, `CopyImage`).
const DESCRIPTION_CHARS_MAX: usize = 255;

/// Says what the image is called, and for which processors it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Image {
    /// The image's name: lower-case letters, digits, `-`, `_` and `.`, at most 60 characters.
    #[schemars(schema_with = "schema::image_name")]
    pub name: ImageName,
    /// The image's version: letters, digits, `-`, `_`, `.`, `+` and `~`, at most 60 characters.
    #[schemars(schema_with = "schema::image_version")]
    pub version: ImageVersion,
    /// What the image is for, in one line of at most 255 characters; shown in EC2 and in reports.
    #[schemars(length(min = 1, max = 255))]
    pub description: Option<String>,
    /// The processor architecture, as EC2 names it.
    #[schemars(schema_with = "schema::architecture", default = "defaults::architecture")]
    pub architecture: Architecture,
    /// The product codes that AWS Marketplace attaches to the product's instances (A17): boot tests run with them.
    #[schemars(schema_with = "schema::product_codes", default)]
    pub product_codes: Vec<String>,
}

impl Choice for Architecture {
    const WHAT: &'static str = "an architecture";
    const ALL: &'static [Self] = &[Self::X86_64, Self::Arm64];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Option<Image> {
    let table = root.table(problems, "image", "[image]", &KEYS);
    let Some(table) = table else {
        root.require(problems, "image");
        return None;
    };
    table.require(problems, "name");
    table.require(problems, "version");
    let name = table.parsed(problems, "name", |text| checked::<ImageName>(text, &text.to_lowercase()));
    let version = table.parsed(problems, "version", |text| checked::<ImageVersion>(text, text));
    let description =
        table.parsed(problems, "description", plain("description", DESCRIPTION_CHARS_MAX, false));
    let architecture = table.parsed(problems, "architecture", architecture);
    let product_codes = table.parsed_list(problems, "product_codes", PRODUCT_CODE_COUNT_MAX, product_code);
    Some(Image {
        name: name?.value,
        version: version?.value,
        description: description.map(|text| text.value),
        architecture: architecture.map_or_else(defaults::architecture, |Located { value, .. }| value),
        product_codes: product_codes.map(values).unwrap_or_default(),
    })
}

/// Reads a name or version; `likely` is what was perhaps meant.
fn checked<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str, likely: &str) -> Result<T, Flaw> {
    text.parse().map_err(|error: T::Err| {
        let flaw = Flaw::new(error.to_string());
        let likely = likely.trim().replace([' ', '/', ':'], "-");
        if likely.parse::<T>().is_ok() { flaw.hint(format!("write `{likely}`")) } else { flaw }
    })
}

fn product_code(text: &str) -> Result<String, Flaw> {
    let is_code = !text.is_empty()
        && text.len() <= PRODUCT_CODE_CHARS_MAX
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_code {
        return Ok(text.to_owned());
    }
    Err(Flaw::new(format!("`{text}` is not a product code"))
        .hint("product codes are letters and digits; the product's page in the Marketplace portal shows it"))
}

fn architecture(text: &str) -> Result<Architecture, Flaw> {
    choose::<Architecture>(text).map_err(|flaw| match text.parse::<Architecture>() {
        Ok(meant) => Flaw::new(flaw.message).hint(format!("write `{meant}`, the name that EC2 uses")),
        Err(_) => flaw,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::recipe::parse;

    fn errors(image: &str) -> Vec<(String, Option<String>)> {
        let text = format!("[image]\n{image}\n[base]\ndebian = \"trixie\"\n");
        let error = parse(&text, Path::new("amint.toml")).unwrap_err();
        error.items.into_iter().map(|item| (item.message, item.hint)).collect()
    }

    #[test]
    fn needs_a_name_and_a_version() {
        assert_eq!(
            errors(""),
            [
                ("missing key `name` in `[image]`".into(), None),
                ("missing key `version` in `[image]`".into(), None)
            ]
        );
    }

    #[test]
    fn tells_the_right_form_of_a_name() {
        let found = errors("name = \"My Web\"\nversion = \"1\"");
        assert_eq!(found[0].1.as_deref(), Some("write `my-web`"));
    }

    #[test]
    fn asks_for_quotes_around_a_version_number() {
        let found = errors("name = \"web\"\nversion = 1.4");
        assert_eq!(found[0].0, "`version` must be a string, not a decimal number");
        assert_eq!(found[0].1.as_deref(), Some("write it in quotes: `\"1.4\"`"));
    }

    #[test]
    fn knows_one_spelling_of_each_architecture() {
        let found = errors("name = \"web\"\nversion = \"1\"\narchitecture = \"amd64\"");
        assert_eq!(found[0].1.as_deref(), Some("write `x86_64`, the name that EC2 uses"));
        let found = errors("name = \"web\"\nversion = \"1\"\narchitecture = \"i386\"");
        assert_eq!(found[0].1.as_deref(), Some("known: `x86_64` and `arm64`"));
    }
}
