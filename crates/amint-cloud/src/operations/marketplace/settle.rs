//! Ends change sets whose time is over.

use serde_json::{Value, json};

use super::changes::{self, parse};
use super::delivery::{self, Error};
use super::id;
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{
    CatalogChange, ChangeOutcome, ChangeSet, DeliveryOption, Image, LaunchPermission, Product,
    ProductVersion, Snapshot,
};
use crate::state::Change;

/// The account of AWS Marketplace, which gets leave to copy what is published.
const MARKETPLACE: &str = "679593333241";

/// Ends what is due, oldest first: every change of a set, or none.
pub(super) fn settle(call: &Call<'_>) -> Result<(), Fault> {
    let is_due = |set: &ChangeSet| set.outcome.is_none() && set.ends <= call.now;
    let mut due: Vec<(jiff::Timestamp, String)> = {
        let tables = call.world.state.read();
        let due = tables.change_sets.values().filter(|set| is_due(set));
        due.map(|set| (set.ends, set.id.clone())).collect()
    };
    due.sort();
    for (_, id) in due {
        // Nothing of a set that fails is kept, but that it failed.
        let applied = call.world.state.change(|change| {
            let set = change.get::<ChangeSet>(&id).filter(|set| is_due(set));
            let Some(set) = set else { return Ok(None) };
            let mut set = ChangeSet::clone(&set);
            let has_failed = apply_all(call, change, &mut set)?;
            if has_failed {
                return Err(Failed::Changes(Box::new(set)));
            }
            set.outcome = Some(ChangeOutcome::Succeeded);
            if set.is_validation {
                return Err(Failed::Changes(Box::new(set)));
            }
            change.put(set);
            Ok(None::<()>)
        });
        match applied {
            Ok(_) => {}
            Err(Failed::Changes(mut set)) => {
                set.outcome = set.outcome.or(Some(ChangeOutcome::Failed));
                call.world.state.change::<_, Fault>(|change| {
                    change.put(*set);
                    Ok(())
                })?;
            }
            Err(Failed::Fault(fault)) => return Err(fault),
        }
    }
    Ok(())
}

/// Why a change of the tables was not kept.
enum Failed {
    /// The set has an end, and none of its changes is made.
    Changes(Box<ChangeSet>),
    Fault(Fault),
}

impl From<crate::state::StateError> for Failed {
    fn from(error: crate::state::StateError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Makes the changes of a set; tells whether one of them cannot be made.
fn apply_all(call: &Call<'_>, change: &mut Change<'_>, set: &mut ChangeSet) -> Result<bool, Fault> {
    let account = set.account.clone();
    let mut made: Vec<(String, String)> = Vec::new();
    let mut has_failed = false;
    for one in &mut set.changes {
        // `$NAME.Entity.Identifier` is what the change of that name made.
        let reference =
            one.entity_id.as_deref().and_then(|id| id.strip_prefix('$')?.strip_suffix(".Entity.Identifier"));
        if let Some(name) = reference {
            one.entity_id = made.iter().find(|(of, _)| of == name).map(|(_, id)| id.clone());
        }
        match apply(call, change, &account, one)? {
            Ok(id) => {
                if let Some(name) = &one.name {
                    made.push((name.clone(), id.clone()));
                }
                one.entity_id = Some(id);
            }
            Err(errors) => {
                one.errors = errors;
                has_failed = true;
            }
        }
    }
    Ok(has_failed)
}

fn one(code: &str, words: impl Into<String>) -> Vec<Error> {
    vec![(code.to_owned(), words.into())]
}

/// Makes one change: returns the product's id, or what is wrong.
fn apply(
    call: &Call<'_>,
    change: &mut Change<'_>,
    account: &str,
    wanted: &CatalogChange,
) -> Result<Result<String, Vec<Error>>, Fault> {
    let details = &wanted.details;
    if wanted.kind == "CreateProduct" {
        let product = create(call, account, details)?;
        let id = product.id.clone();
        change.put(product);
        return Ok(Ok(id));
    }
    let known = wanted.entity_id.as_ref().and_then(|id| change.get::<Product>(id));
    let Some(known) = known.filter(|product| product.account == account) else {
        return Ok(Err(one("INVALID_PRODUCT", "The product does not exist.")));
    };
    let mut product = Product::clone(&known);
    let errors = match wanted.kind.as_str() {
        "AddDeliveryOptions" => add_version(call, change, account, &mut product, details)?,
        "UpdateDeliveryOptions" => update_option(&mut product, details)?,
        "RestrictDeliveryOptions" => restrict(&mut product, details)?,
        "AddRegions" => {
            let wanted: changes::Regions = parse(details)?;
            extend(&mut product.regions, wanted.regions);
            Vec::new()
        }
        "AddInstanceTypes" => {
            let wanted: changes::InstanceTypes = parse(details)?;
            extend(&mut product.instance_types, wanted.instance_types);
            Vec::new()
        }
        "UpdateInformation" => {
            let fields = details.as_object().cloned().unwrap_or_default();
            product.description.extend(fields);
            Vec::new()
        }
        "UpdateVisibility" => set_visibility(&mut product, parse(details)?),
        _ => release(&mut product),
    };
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    product.revision += 1;
    product.modified = call.now;
    let id = product.id.clone();
    change.put(product);
    Ok(Ok(id))
}

fn create(call: &Call<'_>, account: &str, details: &Value) -> Result<Product, Fault> {
    Ok(Product {
        id: id("prod-", 13)?,
        account: account.to_owned(),
        code: id("", 25)?,
        revision: 1,
        modified: call.now,
        visibility: "Draft".to_owned(),
        description: details.as_object().cloned().unwrap_or_default().into_iter().collect(),
        regions: Vec::new(),
        instance_types: Vec::new(),
        versions: Vec::new(),
    })
}

fn extend(known: &mut Vec<String>, more: Vec<String>) {
    for one in more {
        if !known.contains(&one) {
            known.push(one);
        }
    }
}

/// Adds a version, and lets AWS Marketplace copy its image.
fn add_version(
    call: &Call<'_>,
    change: &mut Change<'_>,
    account: &str,
    product: &mut Product,
    details: &Value,
) -> Result<Vec<Error>, Fault> {
    let wanted: changes::AddDeliveryOptions = parse(details)?;
    let errors = delivery::errors(change.tables(), account, product, &wanted, call.now);
    if !errors.is_empty() {
        return Ok(errors);
    }
    let source = &wanted.delivery_options[0].details.ami_delivery_option_details.ami_source;
    let image = delivery::image(change.tables(), source).cloned().ok_or_else(Fault::internal)?;
    let mut options = Vec::new();
    for wrapped in &wanted.delivery_options {
        let delivery = &wrapped.details.ami_delivery_option_details;
        options.push(DeliveryOption {
            id: id("do-", 13)?,
            usage: delivery.usage_instructions.clone(),
            instance_type: delivery.recommended_instance_type.clone(),
            security_groups: json!(delivery.security_groups),
            access_endpoint: delivery.access_endpoint_url.as_ref().map(|endpoint| json!(endpoint)),
            is_restricted: false,
        });
    }
    product.versions.push(ProductVersion {
        id: id("version-", 13)?,
        title: wanted.version.version_title,
        release_notes: wanted.version.release_notes,
        created: call.now,
        source_id: id("source-", 13)?,
        image_id: image.id.clone(),
        architecture: image.architecture.clone(),
        user_name: source.user_name.clone(),
        operating_system: (source.operating_system_name.clone(), source.operating_system_version.clone()),
        scanning_port: source.scanning_port.unwrap_or(22),
        options,
    });
    for device in &image.block_devices {
        if let Some(id) = &device.snapshot_id {
            change.edit(id, |snapshot: &mut Snapshot| snapshot.users.insert(MARKETPLACE.to_owned()));
        }
    }
    change.edit(&image.id, |image: &mut Image| {
        image.permissions.insert(LaunchPermission::Account(MARKETPLACE.to_owned()));
    });
    Ok(Vec::new())
}

fn update_option(product: &mut Product, details: &Value) -> Result<Vec<Error>, Fault> {
    let wanted: changes::UpdateDeliveryOptions = parse(details)?;
    let types = product.instance_types.clone();
    for updated in wanted.delivery_options {
        let mut versions = product.versions.iter_mut();
        let version = versions.find(|version| version.options.iter().any(|option| option.id == updated.id));
        let Some(version) = version else {
            return Ok(one(
                "INVALID_DELIVERY_OPTION",
                format!("There is no delivery option '{}'.", updated.id),
            ));
        };
        if let Some(new) = &wanted.version {
            version.release_notes.clone_from(&new.release_notes);
        }
        for option in version.options.iter_mut().filter(|option| option.id == updated.id) {
            let new = &updated.details.ami_delivery_option_details;
            if let Some(kind) = &new.recommended_instance_type {
                if !types.contains(kind) {
                    let words = format!("'{kind}' is none of the product's instance types.");
                    return Ok(one("RECOMMENDED_INSTANCE_TYPE_NOT_AVAILABLE", words));
                }
                option.instance_type.clone_from(kind);
            }
            if let Some(usage) = &new.usage_instructions {
                option.usage.clone_from(usage);
            }
            if let Some(groups) = &new.security_groups {
                option.security_groups = json!(groups);
            }
            if let Some(endpoint) = &new.access_endpoint_url {
                option.access_endpoint = Some(json!(endpoint));
            }
        }
    }
    Ok(Vec::new())
}

fn restrict(product: &mut Product, details: &Value) -> Result<Vec<Error>, Fault> {
    let wanted: changes::RestrictDeliveryOptions = parse(details)?;
    let mut options: Vec<&mut DeliveryOption> =
        product.versions.iter_mut().flat_map(|version| version.options.iter_mut()).collect();
    for id in &wanted.delivery_option_ids {
        match options.iter_mut().find(|option| option.id == *id) {
            Some(option) => option.is_restricted = true,
            None => {
                return Ok(one("INVALID_DELIVERY_OPTION", format!("There is no delivery option '{id}'.")));
            }
        }
    }
    if options.iter().all(|option| option.is_restricted) {
        return Ok(one("INVALID_INPUT", "At least one delivery option has to stay public."));
    }
    Ok(Vec::new())
}

fn set_visibility(product: &mut Product, wanted: changes::Visibility) -> Vec<Error> {
    if product.visibility == "Draft" {
        return one("INVALID_INPUT", "A product that was not released has no visibility.");
    }
    product.visibility = wanted.target_visibility;
    Vec::new()
}

/// Shows a product to its seller: it has to have a title, a version and a region.
fn release(product: &mut Product) -> Vec<Error> {
    if product.visibility != "Draft" {
        return one("INVALID_INPUT", "The product was released already.");
    }
    for (is_missing, what) in [
        (product.title().is_empty(), "a title"),
        (product.versions.is_empty(), "a version"),
        (product.regions.is_empty(), "regions"),
        (product.instance_types.is_empty(), "instance types"),
    ] {
        if is_missing {
            return one("INCOMPATIBLE_PRODUCT", format!("The product has not {what} yet."));
        }
    }
    "Limited".clone_into(&mut product.visibility);
    Vec::new()
}
