use jiff::SignedDuration;

use super::settings;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// How long it takes until images cannot be made public; AWS says up to ten minutes.
const PENDING: SignedDuration = SignedDuration::from_mins(1);

/// Says that no image can be made public any more; those that are stay so.
pub(crate) fn enable_image_block_public_access(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let state = params.required("ImageBlockPublicAccessState")?;
    if state != "block-new-sharing" {
        return Err(Fault::invalid_value("ImageBlockPublicAccessState", state));
    }
    let start = call.world.clock().after(call.now, PENDING);
    settings::set(call, params, ("imageBlockPublicAccessState", state), |settings| {
        // Asked again, it does not begin anew.
        settings.images_blocked = Some(settings.images_blocked.map_or(start, |earlier| earlier.min(start)));
    })
}

/// Says that images can be made public again: at once.
pub(crate) fn disable_image_block_public_access(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    settings::set(call, params, ("imageBlockPublicAccessState", "unblocked"), |settings| {
        settings.images_blocked = None;
    })
}

/// Tells whether images can be made public.
#[expect(clippy::unnecessary_wraps, reason = "all operations have one form")]
pub(crate) fn get_image_block_public_access_state(
    call: &Call<'_>,
    _params: &Params,
) -> Result<Element, Fault> {
    let is_blocked = settings::own(call, &call.tables()).are_images_blocked(call.now);
    let state = if is_blocked { "block-new-sharing" } else { "unblocked" };
    Ok(Element::default().text("imageBlockPublicAccessState", state).text("managedBy", "account"))
}
