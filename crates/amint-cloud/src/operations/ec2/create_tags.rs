use super::tags;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};

/// Adds tags to resources, in place of tags of the same keys.
pub(crate) fn create_tags(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let added = tags::list(params, "Tag")?;
    if added.is_empty() {
        return Err(Fault::missing("TagSet"));
    }
    tags::edit_all(call, params, |known| known.extend(added.clone()))
}
