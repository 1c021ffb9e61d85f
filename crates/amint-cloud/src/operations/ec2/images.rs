//! What operations on one image share.

use std::sync::Arc;

use super::check_id;
use crate::operations::Call;
use crate::protocol::{Fault, Params};
use crate::records::Image;
use crate::state::Change;

/// Returns the id of the request's image, of the right form.
pub(super) fn id(params: &Params) -> Result<&str, Fault> {
    let id = params.required("ImageId")?;
    check_id("ami", "InvalidAMIID.Malformed", id)?;
    Ok(id)
}

/// Finds an image of whoever asks.
pub(super) fn own(call: &Call<'_>, change: &Change<'_>, id: &str) -> Result<Arc<Image>, Fault> {
    let image = change
        .get::<Image>(id)
        .filter(|image| image.region == call.region && image.is_usable_by(call.account()));
    let image = image.ok_or_else(|| not_found(id))?;
    if image.account == call.account() {
        return Ok(image);
    }
    Err(Fault::client("AuthFailure", format!("Not authorized for image:{id}")).with_status(403))
}

pub(super) fn not_found(id: &str) -> Fault {
    Fault::client("InvalidAMIID.NotFound", format!("The image id '[{id}]' does not exist"))
}

/// Returns the alias that AWS gives to a few accounts of its own.
pub(super) fn owner_alias(account: &str) -> Option<&'static str> {
    match account {
        // Amazon Linux and Windows.
        "137112412989" | "801119661308" => Some("amazon"),
        "679593333241" => Some("aws-marketplace"),
        _ => None,
    }
}
