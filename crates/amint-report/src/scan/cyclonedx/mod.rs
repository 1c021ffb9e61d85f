//! CycloneDX 1.6 JSON (ECMA-424): the packages of an image, and what is known against them.
//!
//! The subject is the image, which holds the operating system and the packages. A package that lies in several
//! places is one component with several occurrences. Violated rules are no part of a bill of materials; SARIF and
//! JSON carry them.

mod components;
mod model;
mod vulnerabilities;

use amint_types::scan::{OperatingSystem, ScanDocument};

use super::names::{UniqueNames, document_uuid};
use super::text::{is_incomplete, line};
use crate::json::indented;
use components::Inventory;
use model::{
    Bom, Component, Composition, Dependency, Hash, Lifecycle, Metadata, Property, SCHEMA, Tools,
    text_property,
};

/// The reference of the image.
const IMAGE: &str = "image";
/// The reference of the operating system.
const SYSTEM: &str = "system";

/// Writes a scan as a CycloneDX 1.6 bill of materials with vulnerabilities, as indented JSON with a line end.
///
/// # Panics
/// Never: every key of the model is a string, so it always has a JSON form.
pub fn cyclonedx(document: &ScanDocument) -> String {
    let mut names = UniqueNames::default();
    let image = names.take(IMAGE.to_owned());
    let system = names.take(SYSTEM.to_owned());
    let inventory = Inventory::new(document, &mut names);
    let vulnerabilities = vulnerabilities::vulnerabilities(document, &inventory, &mut names);
    let mut components: Vec<Component> =
        document.system.iter().map(|os| system_component(os, system.clone())).collect();
    let depends_on: Vec<String> = components.iter().map(|component| component.bom_ref.clone()).collect();
    components.extend(inventory.components);
    // What lies beside the packages is not listed, so a full scan does not claim to be complete either.
    let aggregate = if is_incomplete(document) { "incomplete" } else { "unknown" };
    indented(&Bom {
        schema: SCHEMA,
        format: "CycloneDX",
        spec_version: "1.6",
        serial_number: format!("urn:uuid:{}", document_uuid(document, "cyclonedx")),
        version: 1,
        metadata: Metadata {
            timestamp: document.scanned_at.to_string(),
            lifecycles: vec![Lifecycle { phase: "post-build" }],
            tools: Tools {
                components: vec![Component {
                    version: Some(model::version(&document.tool_version)),
                    ..Component::new("application", names.take("amint".to_owned()), "amint")
                }],
            },
            component: image_component(document, image.clone()),
        },
        components,
        dependencies: vec![Dependency { reference: image.clone(), depends_on }],
        compositions: vec![Composition { aggregate, assemblies: vec![image] }],
        vulnerabilities,
    })
}

fn image_component(document: &ScanDocument, bom_ref: String) -> Component {
    let target = &document.target;
    let mut properties = vec![
        text_property("amint:format", &target.format),
        text_property("amint:verdict", document.verdict.as_str()),
        text_property("amint:gate", document.gate.as_str()),
    ];
    properties.extend(target.disk_bytes.map(|bytes| text_property("amint:disk-bytes", &bytes.to_string())));
    properties.extend(document.reasons.iter().map(|reason| text_property("amint:reason", &line(reason))));
    properties.extend(
        document.data.iter().map(|source| {
            text_property("amint:data", &format!("{} of {}", line(&source.source), source.date))
        }),
    );
    properties.extend(document.kernels.iter().map(|kernel| {
        let default = if kernel.is_default { " (default)" } else { "" };
        text_property("amint:kernel", &format!("{}{default}", line(&kernel.release)))
    }));
    Component {
        hashes: target
            .digest
            .iter()
            .map(|digest| Hash { alg: "SHA-256", content: digest.to_string() })
            .collect(),
        properties,
        ..Component::new("container", bom_ref, &target.name)
    }
}

fn system_component(system: &OperatingSystem, bom_ref: String) -> Component {
    let mut properties: Vec<Property> = Vec::new();
    let fields = [
        ("amint:codename", &system.codename),
        ("amint:architecture", &system.architecture),
        ("amint:support-ends", &system.support_ends.map(|date| date.to_string())),
        ("amint:long-term-support-ends", &system.long_term_support_ends.map(|date| date.to_string())),
    ];
    for (name, value) in fields {
        properties.extend(value.as_deref().map(|value| text_property(name, value)));
    }
    Component {
        version: system.version_id.as_deref().map(model::version),
        description: Some(line(&system.name)),
        properties,
        ..Component::new("operating-system", bom_ref, &system.id)
    }
}
