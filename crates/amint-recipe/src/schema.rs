//! The recipe as JSON Schema (draft 2020-12), for editors and for the reference.
//!
//! Types and their doc comments give the schema; here are the forms of single values that the types do not
//! tell, and the clean-up of what TOML does not have. The schema accepts every recipe that [`crate::parse`]
//! accepts; what only the reader can see (addresses with host bits, two equal ports) it does not refuse.

use amint_types::{Architecture, Severity};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::recipe::Recipe;
use crate::text::{archive, duration, package};

/// The form of the name of a user or group.
pub(crate) const USER_PATTERN: &str = "^[a-z_][a-z0-9_-]{0,31}$";
/// The form of the id of a rule.
pub(crate) const RULE_PATTERN: &str = "^([A-Z][A-Z0-9:]*(-[A-Z0-9:]+)+|GHSA(-[A-Za-z0-9]+)+)$";
/// The form of the address of a mirror.
pub(crate) const MIRROR_PATTERN: &str = r"^(https?://[^/?#@\s]+(/[^?#\s]*)?|file:///[^?#\s]*)$";

/// Returns the JSON Schema of `amint.toml`.
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Recipe>().to_value();
    clean(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), "amint.toml".into());
    }
    schema
}

/// Removes what TOML does not have or what only repeats the obvious: null, and defaults that are whole tables.
fn clean(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            remove_null(object);
            let is_noise = |default: &Value| {
                default.is_object() || default.is_null() || default.as_array().is_some_and(Vec::is_empty)
            };
            // A property may be called `default` too; then its value is a schema, an object as well.
            let is_schema = object.contains_key("type") || object.contains_key("$ref");
            if is_schema && object.get("default").is_some_and(is_noise) {
                object.remove("default");
            }
            object.values_mut().for_each(clean);
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        _ => {}
    }
}

fn remove_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
}

pub(crate) fn image_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,59}$" })
}

pub(crate) fn image_version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._+~-]{0,59}$" })
}

pub(crate) fn architecture(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": [Architecture::X86_64, Architecture::Arm64] })
}

pub(crate) fn severity(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Severity::ALL })
}

pub(crate) fn duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": duration::PATTERN })
}

pub(crate) fn date(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date" })
}

pub(crate) fn components(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "enum": ["main", "contrib", "non-free", "non-free-firmware"] },
        "contains": { "const": "main" },
        "uniqueItems": true
    })
}

pub(crate) fn packages(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "pattern": package::PATTERN },
        "uniqueItems": true
    })
}

pub(crate) fn held_packages(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "pattern": package::NAME_PATTERN },
        "uniqueItems": true
    })
}

pub(crate) fn any_components(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "pattern": archive::SUITE_PATTERN },
        "minItems": 1,
        "uniqueItems": true
    })
}

pub(crate) fn priority(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": i16::MIN, "maximum": i16::MAX, "not": { "const": 0 } })
}

pub(crate) fn units(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "pattern": r"^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}$" },
        "uniqueItems": true
    })
}

pub(crate) fn product_codes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "pattern": "^[A-Za-z0-9]{1,64}$" },
        "uniqueItems": true
    })
}

pub(crate) fn user_names(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "pattern": USER_PATTERN },
        "uniqueItems": true
    })
}

/// Adds what a step of `[[run]]` runs.
pub(crate) fn run_action(schema: &mut Schema) {
    exactly_one(
        schema,
        json!({
            "script": {
                "description": "A program beside the recipe that is run; a relative path starts at the recipe's \
                    folder. One that is not executable is run by `sh -eu`.",
                "type": "string",
                "minLength": 1
            },
            "command": {
                "description": "A command that `sh -eu` runs.",
                "type": "string",
                "minLength": 1
            }
        }),
    );
}

/// Adds what a test asks.
pub(crate) fn test_action(schema: &mut Schema) {
    exactly_one(
        schema,
        json!({
            "http": {
                "description": "An address that is asked for, such as `http://{host}/healthz`, with `{host}` for \
                    the machine under test. Its port must be open.",
                "type": "string",
                "pattern": crate::text::TEST_URL_PATTERN
            },
            "tcp": {
                "description": "A TCP port that is connected to. It must be open.",
                "type": "integer",
                "minimum": 1,
                "maximum": 65535
            },
            "command": {
                "description": "A command that `sh` runs in the machine, as the recipe's user.",
                "type": "string",
                "minLength": 1
            }
        }),
    );
}

/// Adds what a pin prefers.
pub(crate) fn pin_target(schema: &mut Schema) {
    exactly_one(
        schema,
        json!({
            "suite": {
                "description": "The suite whose versions are meant: one of Debian's such as `trixie-backports`, \
                    or `repo:NAME` for a repository of the recipe.",
                "type": "string",
                "pattern": archive::SUITE_ID_PATTERN
            },
            "version": {
                "description": "The versions that are meant; `*` and `?` stand for anything.",
                "type": "string",
                "pattern": package::VERSION_GLOB_PATTERN
            }
        }),
    );
}

/// Adds properties of which exactly one has to be there.
fn exactly_one(schema: &mut Schema, choices: Value) {
    let Value::Object(choices) = choices else { return };
    let alternatives: Vec<Value> = choices.keys().map(|key| json!({ "required": [key] })).collect();
    schema.insert("oneOf".to_owned(), alternatives.into());
    let object = schema.ensure_object();
    let properties = object.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.extend(choices);
    }
}
