use super::{allowed_images, images, time};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Image, Tables};

/// How far back a line of images is followed.
const GENERATIONS_MAX: usize = 1000;

/// Tells of which image an image was made, of which that one, and so on to the first.
///
/// The line goes on through images that were deregistered, and ends with one that names another account's.
pub(crate) fn get_image_ancestry(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    let tables = call.tables();
    let image = tables
        .images
        .get(id)
        .filter(|image| image.region == call.region && image.is_usable_by(call.account()));
    let image = image.ok_or_else(|| images::not_found(id))?;
    allowed_images::check(call, &tables, image)?;
    let mut entries = Vec::new();
    let mut next = Some(image.as_ref());
    while let Some(image) = next.filter(|_| entries.len() < GENERATIONS_MAX) {
        entries.push(describe(image));
        next = image.source.as_ref().and_then(|(source, _)| find(&tables, source));
        next = next.filter(|source| source.is_usable_by(call.account()));
    }
    Ok(Element::default().with(Element::list("imageAncestryEntrySet", entries)))
}

/// Finds an image that is, or was.
pub(super) fn find<'t>(tables: &'t Tables, id: &str) -> Option<&'t Image> {
    let image = tables.images.get(id).map(AsRef::as_ref);
    image.or_else(|| tables.former_images.get(id).map(|former| &former.image))
}

fn describe(image: &Image) -> Element {
    Element::default()
        .text("creationDate", time(image.created))
        .text("imageId", &image.id)
        .maybe("imageOwnerAlias", images::owner_alias(&image.account))
        .maybe("sourceImageId", image.source.as_ref().map(|(id, _)| id))
        .maybe("sourceImageRegion", image.source.as_ref().map(|(_, region)| region))
}
