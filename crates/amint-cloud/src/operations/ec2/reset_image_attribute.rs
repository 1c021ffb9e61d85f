use super::images;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::Image;

/// Takes all launch permissions from an image.
pub(crate) fn reset_image_attribute(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    let attribute = params.required("Attribute")?;
    if attribute != "launchPermission" {
        return Err(Fault::invalid_value("attribute", attribute));
    }
    call.change(params, |change| {
        let mut image = Image::clone(images::own(call, change, id)?.as_ref());
        image.permissions.clear();
        change.put(image);
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}
