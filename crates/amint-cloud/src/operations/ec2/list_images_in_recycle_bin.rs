use std::sync::Arc;

use super::{check_id, images, time};
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};

/// How many images one request may name.
const IDS_MAX: usize = 20;

/// Lists the images that lie in the recycle bin.
pub(crate) fn list_images_in_recycle_bin(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("ImageId");
    if ids.len() > IDS_MAX {
        let message = format!("ImageIds may have at most {IDS_MAX} entries");
        return Err(Fault::client("InvalidParameterValue", message));
    }
    for id in &ids {
        check_id("ami", "InvalidAMIID.Malformed", id)?;
    }
    let pager = Pager::new(call, params, 1..=*USUAL.end())?;
    let tables = call.tables();
    let find = |id: &&&str| {
        let binned = tables.binned_images.get(**id);
        binned.is_some_and(|one| call.owns(&one.record.account, &one.record.region))
    };
    if let Some(unknown) = ids.iter().find(|id| !find(id)) {
        return Err(images::not_found(unknown));
    }
    let found = pager.rest(&tables.binned_images).filter(|binned| {
        call.owns(&binned.record.account, &binned.record.region)
            && (ids.is_empty() || ids.contains(&binned.id.as_str()))
    });
    let page = pager.page(found.map(|binned| Ok(Arc::clone(binned))))?;
    let entries = page.entries.iter().map(|binned| {
        Element::default()
            .text("imageId", &binned.id)
            .text("name", &binned.record.name)
            .maybe("description", binned.record.description.as_ref())
            .text("recycleBinEnterTime", time(binned.entered))
            .text("recycleBinExitTime", time(binned.exits))
    });
    Ok(Element::default().with(Element::list("imageSet", entries)).maybe("nextToken", page.next_token))
}
