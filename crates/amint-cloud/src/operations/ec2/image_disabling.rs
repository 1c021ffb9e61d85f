use super::images;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::Image;

/// Disables an image: it cannot be launched, is not listed, and all its launch permissions are gone for good.
pub(crate) fn disable_image(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    set(call, params, true)
}

/// Makes a disabled image usable again; its launch permissions do not come back.
pub(crate) fn enable_image(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    set(call, params, false)
}

fn set(call: &Call<'_>, params: &Params, is_disabled: bool) -> Result<Element, Fault> {
    let id = images::id(params)?;
    call.change(params, |change| {
        let mut image = Image::clone(images::own(call, change, id)?.as_ref());
        if image.state(call.now) == "pending" {
            let message = format!("The image '{id}' is pending");
            return Err(Fault::client("InvalidAMIID.Unavailable", message));
        }
        image.is_disabled = is_disabled;
        if is_disabled {
            image.permissions.clear();
        }
        change.put(image);
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}
