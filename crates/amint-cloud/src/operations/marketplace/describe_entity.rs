use serde::Deserialize;
use serde_json::{Value, json};

use super::settle::settle;
use super::{PRODUCT_TYPE, check_catalog, not_found, read, time};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{Product, ProductVersion};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    catalog: String,
    entity_id: String,
}

/// Tells a product.
pub(crate) fn describe_entity(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_catalog(&request.catalog)?;
    settle(call)?;
    let id = request.entity_id.split('@').next().unwrap_or_default();
    let tables = call.tables();
    let product = tables.products.get(id).filter(|product| product.account == call.account());
    let product = product.ok_or_else(|| not_found(&format!("entity '{id}'")))?;
    let document = document(product);
    Ok(json!({
        "EntityType": PRODUCT_TYPE,
        "EntityIdentifier": format!("{}@{}", product.id, product.revision),
        "EntityArn": product.arn(),
        "LastModifiedDate": time(product.modified),
        "Details": document.to_string(),
        "DetailsDocument": document,
    }))
}

fn document(product: &Product) -> Value {
    let mut description = json!(product.description);
    description["ProductCode"] = product.code.as_str().into();
    description["Visibility"] = product.visibility.as_str().into();
    description["ProductState"] = if product.visibility == "Draft" { "Draft" } else { "Active" }.into();
    json!({
        "Versions": product.versions.iter().map(version).collect::<Vec<_>>(),
        "Description": description,
        "RegionAvailability": { "Regions": product.regions },
        "Compatibility": { "AvailableInstanceTypes": product.instance_types },
    })
}

fn version(version: &ProductVersion) -> Value {
    let options = version.options.iter().map(|option| {
        let mut told = json!({
            "Id": option.id,
            "Type": "AmazonMachineImage",
            "SourceId": version.source_id,
            "Title": "64-bit Amazon Machine Image (AMI)",
            "Instructions": { "Usage": option.usage },
            "Visibility": if option.is_restricted { "Restricted" } else { "Public" },
            "Recommendations": {
                "SecurityGroups": option.security_groups,
                "InstanceType": option.instance_type,
            },
        });
        if let Some(endpoint) = &option.access_endpoint {
            told["Instructions"]["Access"] = endpoint.clone();
        }
        told
    });
    let (name, release) = &version.operating_system;
    json!({
        "Id": version.id,
        "VersionTitle": version.title,
        "ReleaseNotes": version.release_notes,
        "CreationDate": time(version.created),
        "DeliveryOptions": options.collect::<Vec<_>>(),
        "Sources": [{
            "Id": version.source_id,
            "Type": "AmazonMachineImage",
            "Image": version.image_id,
            "Architecture": version.architecture,
            "VirtualizationType": "hvm",
            "OperatingSystem": {
                "Name": name,
                "Version": release,
                "Username": version.user_name,
                "ScanningPort": version.scanning_port,
            },
        }],
    })
}
