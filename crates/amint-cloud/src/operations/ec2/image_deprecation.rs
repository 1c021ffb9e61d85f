use jiff::{Timestamp, ToSpan};

use super::images;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::Image;

/// For how many hours ahead an image may be deprecated: ten years; two for images that everybody sees.
const HOURS_MAX: i64 = 10 * 365 * 24 + 48;
const PUBLIC_HOURS_MAX: i64 = 2 * 365 * 24 + 24;

/// Says from when on an image is deprecated: then only its owner finds it without asking for it.
pub(crate) fn enable_image_deprecation(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    let text = params.required("DeprecateAt")?;
    let invalid = || Fault::invalid_value("DeprecateAt", text);
    let asked: Timestamp = text.parse().map_err(|_| invalid())?;
    // Seconds are rounded to the minute.
    let at = Timestamp::from_second((asked.as_second() + 30).div_euclid(60) * 60).map_err(|_| invalid())?;
    if asked < call.now {
        let message = "The value for DeprecateAt cannot be in the past";
        return Err(Fault::client("InvalidParameterValue", message));
    }
    call.change(params, |change| {
        let mut image = Image::clone(images::own(call, change, id)?.as_ref());
        let (start, hours) =
            if image.is_public() { (image.created, PUBLIC_HOURS_MAX) } else { (call.now, HOURS_MAX) };
        if start.checked_add(hours.hours()).is_ok_and(|latest| at > latest) {
            let message = "The value for DeprecateAt is too far in the future";
            return Err(Fault::client("InvalidParameterValue", message));
        }
        image.deprecation = Some(at);
        change.put(image);
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}

/// Takes the deprecation from an image.
pub(crate) fn disable_image_deprecation(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    call.change(params, |change| {
        let mut image = Image::clone(images::own(call, change, id)?.as_ref());
        image.deprecation = None;
        change.put(image);
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}
