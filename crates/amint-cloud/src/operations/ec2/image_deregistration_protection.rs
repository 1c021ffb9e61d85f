use jiff::SignedDuration;

use super::images;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, Protection};

/// For how long an image stays protected after that is disabled, when it was enabled with a cooldown.
const COOLDOWN: SignedDuration = SignedDuration::from_hours(24);

/// Protects an image from being deregistered.
pub(crate) fn enable_image_deregistration_protection(
    call: &Call<'_>,
    params: &Params,
) -> Result<Element, Fault> {
    let has_cooldown = params.boolean("WithCooldown")?.unwrap_or(false);
    set(call, params, |_| Protection::Enabled { has_cooldown })
}

/// Ends the protection: at once, or with a cooldown after a day. It goes on from the first time that it is disabled.
pub(crate) fn disable_image_deregistration_protection(
    call: &Call<'_>,
    params: &Params,
) -> Result<Element, Fault> {
    set(call, params, |protection| match protection {
        Protection::Enabled { has_cooldown: true } => {
            Protection::Cooling { until: call.world.clock().after(call.now, COOLDOWN) }
        }
        Protection::Enabled { has_cooldown: false } => Protection::Disabled,
        other => other,
    })
}

/// The answer holds the new state, as that of AWS does.
fn set(
    call: &Call<'_>,
    params: &Params,
    edit: impl FnOnce(Protection) -> Protection,
) -> Result<Element, Fault> {
    let id = images::id(params)?;
    let state = call.change(params, |change| {
        let mut image = Image::clone(images::own(call, change, id)?.as_ref());
        image.protection = edit(image.protection);
        let state = text(image.protection);
        change.put(image);
        Ok(state)
    })?;
    Ok(Element::default().text("return", state))
}

/// Returns what descriptions of an image tell. While a cooldown runs they tell `disabled`: AWS does not document
/// another value, so this is assumed.
pub(super) fn text(protection: Protection) -> &'static str {
    match protection {
        Protection::Enabled { has_cooldown: true } => "enabled-with-cooldown",
        Protection::Enabled { has_cooldown: false } => "enabled-without-cooldown",
        Protection::Disabled | Protection::Cooling { .. } => "disabled",
    }
}

/// Refuses to deregister an image that is protected. The words are assumed.
pub(super) fn check(call: &Call<'_>, image: &Image) -> Result<(), Fault> {
    if !image.is_protected(call.now) {
        return Ok(());
    }
    let why = match image.protection {
        Protection::Cooling { .. } => "the cooldown of its deregistration protection is not over",
        _ => "its deregistration protection is enabled",
    };
    let message = format!("The image '{}' cannot be deregistered, because {why}", image.id);
    Err(Fault::client("OperationNotPermitted", message))
}
