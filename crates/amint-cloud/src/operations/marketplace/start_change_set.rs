use amint_types::Digest;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::settle::settle;
use super::{PRODUCT_TYPE, changes, check_catalog, id, invalid, not_found, read};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{CatalogChange, ChangeSet, Product, Tables};

/// How long a set is prepared and can be cancelled, and how long it is applied: images are taken in and scanned.
const PREPARING: SignedDuration = SignedDuration::from_mins(1);
const APPLYING: SignedDuration = SignedDuration::from_mins(5);
const APPLYING_IMAGES: SignedDuration = SignedDuration::from_hours(1);
/// How many changes a set has, and how long their details are.
const CHANGES_MAX: usize = 20;
const DETAILS_BYTES_MAX: usize = 16_384;
/// How many sets an account may have running.
const RUNNING_MAX: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    catalog: String,
    change_set: Vec<Wanted>,
    change_set_name: Option<String>,
    client_request_token: Option<String>,
    intent: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Wanted {
    change_type: String,
    entity: Entity,
    details: Option<String>,
    details_document: Option<Value>,
    change_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Entity {
    #[serde(rename = "Type")]
    kind: String,
    identifier: Option<String>,
}

/// Begins changes of products.
pub(crate) fn start_change_set(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_catalog(&request.catalog)?;
    settle(call)?;
    let is_validation = match request.intent.as_deref() {
        None | Some("APPLY") => false,
        Some("VALIDATE") => true,
        Some(other) => return Err(invalid(format!("'{other}' at Intent is none of VALIDATE, APPLY"))),
    };
    if request.change_set.is_empty() || request.change_set.len() > CHANGES_MAX {
        return Err(invalid("ChangeSet has to have between 1 and 20 entries"));
    }
    let is_name = |letter: char| letter.is_alphanumeric() || " +=.:@-_".contains(letter);
    if request.change_set_name.as_ref().is_some_and(|name| name.len() > 100 || !name.chars().all(is_name)) {
        return Err(invalid("ChangeSetName has letters, digits and + = . : @ - _, up to 100"));
    }
    let changes: Vec<CatalogChange> =
        request.change_set.into_iter().map(read_change).collect::<Result<_, _>>()?;
    if is_validation && (changes.len() != 1 || changes[0].kind != "AddDeliveryOptions") {
        return Err(invalid("Only adding a version can be validated"));
    }
    let has_images = changes.iter().any(|change| change.kind == "AddDeliveryOptions");
    let clock = call.world.clock();
    let applying = clock.after(call.now, PREPARING);
    let set = ChangeSet {
        id: id("", 25)?,
        account: call.account().to_owned(),
        name: request.change_set_name,
        is_validation,
        started: call.now,
        applying,
        ends: clock.after(applying, if has_images { APPLYING_IMAGES } else { APPLYING }),
        changes,
        outcome: None,
    };
    let token = request.client_request_token;
    let parameters = Digest::of(body).to_string();
    let id = call.world.state.change(|change| {
        let make = |change: &mut crate::state::Change<'_>| {
            check_entities(call, change.tables(), &set)?;
            let id = set.id.clone();
            change.put(set);
            Ok(id)
        };
        match token {
            None => make(change),
            Some(token) => call.make_once_with(change, &token, parameters, make).map_err(conflict),
        }
    })?;
    let arn = call.world.state.read().change_sets.get(&id).map(|set| set.arn());
    Ok(json!({ "ChangeSetId": id, "ChangeSetArn": arn }))
}

/// The catalog has no error of its own for a token that is used again.
fn conflict(fault: Fault) -> Fault {
    if fault.code == "IdempotentParameterMismatch" { invalid(fault.message) } else { fault }
}

fn read_change(wanted: Wanted) -> Result<CatalogChange, Fault> {
    let Wanted { change_type, entity, details, details_document, change_name } = wanted;
    if entity.kind != PRODUCT_TYPE || !changes::KINDS.contains(&change_type.as_str()) {
        return Err(invalid(format!("The change {change_type} of {} is not supported here", entity.kind)));
    }
    let details = match (details, details_document) {
        (Some(text), None) => {
            if text.len() > DETAILS_BYTES_MAX {
                return Err(invalid(format!("Details is longer than {DETAILS_BYTES_MAX} characters")));
            }
            serde_json::from_str(&text).map_err(|_| invalid("Details is no JSON"))?
        }
        (None, Some(document)) => document,
        _ => return Err(invalid("A change has either Details or DetailsDocument")),
    };
    changes::check(&change_type, &details)?;
    if (change_type == "CreateProduct") != entity.identifier.is_none() {
        return Err(invalid("Entity.Identifier names the product of every change but CreateProduct"));
    }
    Ok(CatalogChange {
        kind: change_type,
        entity_type: entity.kind,
        // A revision is of no importance: changes are of the newest.
        entity_id: entity.identifier.map(|id| id.split('@').next().unwrap_or_default().to_owned()),
        name: change_name,
        details,
        errors: Vec::new(),
    })
}

/// Refuses products that are not there, and those that another set changes.
fn check_entities(call: &Call<'_>, tables: &Tables, set: &ChangeSet) -> Result<(), Fault> {
    let running = || {
        tables.change_sets.values().filter(|other| other.account == set.account && other.outcome.is_none())
    };
    if running().count() >= RUNNING_MAX {
        let message = format!("{RUNNING_MAX} change sets are running already");
        return Err(Fault::client("ServiceQuotaExceededException", message).with_status(402));
    }
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for change in &set.changes {
        let Some(id) = change.entity_id.as_deref() else { continue };
        if seen.contains(&(id, &change.kind)) {
            return Err(invalid(format!("The change {} of {id} stands twice", change.kind)));
        }
        seen.push((id, &change.kind));
        if let Some(name) = id.strip_prefix('$') {
            let name = name.strip_suffix(".Entity.Identifier");
            let is_made =
                |other: &CatalogChange| other.kind == "CreateProduct" && other.name.as_deref() == name;
            if name.is_none() || !set.changes.iter().any(is_made) {
                return Err(invalid(format!("'{id}' names no change of this set that makes a product")));
            }
            continue;
        }
        let is_own = |product: &&std::sync::Arc<Product>| product.account == call.account();
        tables.products.get(id).filter(is_own).ok_or_else(|| not_found(&format!("entity '{id}'")))?;
        let has =
            |other: &ChangeSet| other.changes.iter().any(|change| change.entity_id.as_deref() == Some(id));
        if let Some(other) = running().find(|other| has(other)) {
            let message = format!(
                "Requested change set has entities locked by change sets - entity: '{id}', change sets: {}.",
                other.id
            );
            return Err(Fault::client("ResourceInUseException", message).with_status(423));
        }
    }
    Ok(())
}
