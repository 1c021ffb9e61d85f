use super::tags;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// Adds tags to resources, in place of tags of the same keys: to all of them, or to none.
pub(crate) fn create_tags(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("ResourceId");
    let added = tags::list(params, "Tag")?;
    if ids.is_empty() {
        return Err(Fault::missing("ResourceIdSet"));
    }
    if added.is_empty() {
        return Err(Fault::missing("TagSet"));
    }
    call.change(params, |change| {
        for id in &ids {
            tags::edit(
                change,
                id,
                |account, region| call.owns(account, region),
                |known| {
                    known.extend(added.clone());
                },
            )?;
        }
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}
