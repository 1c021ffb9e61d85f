use super::images;
use super::register_image::check_name;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, Watermark};

/// The most watermarks of an image. AWS documents no number; this one is assumed.
const WATERMARKS_MAX: usize = 50;

/// Attaches a watermark to an image. It goes along with everything that is made of the image, and nobody who only has
/// the copy can make one with the same key.
///
/// That an image keeps a watermark that it has already is assumed, as is the code for public images.
pub(crate) fn attach_image_watermark(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    let name = params.required("WatermarkName")?;
    check_name(name).map_err(|_| Fault::invalid_value("WatermarkName", name))?;
    let key = format!("{}:{name}", call.account());
    call.change(params, |change| {
        let mut image = Image::clone(images::own(call, change, id)?.as_ref());
        if image.is_public() {
            let message = format!("The image '{id}' is public and cannot have watermarks");
            return Err(Fault::client("OperationNotPermitted", message));
        }
        if image.watermarks.iter().any(|mark| mark.key == key) {
            return Ok(());
        }
        if image.watermarks.len() >= WATERMARKS_MAX {
            let message = format!("The image '{id}' has {WATERMARKS_MAX} watermarks already");
            return Err(Fault::client("ResourceLimitExceeded", message));
        }
        image.watermarks.push(Watermark {
            key: key.clone(),
            source_image: image.id.clone(),
            source_region: image.region.clone(),
            source_created: image.created,
            created: call.now,
        });
        change.put(image);
        Ok(())
    })?;
    Ok(Element::default().text("watermarkKey", key))
}

/// Takes a watermark from an image; what was made of it keeps its own.
pub(crate) fn detach_image_watermark(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    let key = params.required("WatermarkKey")?;
    call.change(params, |change| {
        let mut image = Image::clone(images::own(call, change, id)?.as_ref());
        image.watermarks.retain(|mark| mark.key != key);
        change.put(image);
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}
