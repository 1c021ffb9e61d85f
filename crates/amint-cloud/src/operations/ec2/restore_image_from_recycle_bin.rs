use super::register_image::check_name_is_free;
use super::{images, snapshots};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Binned, FormerImage, Image, Snapshot};

/// Takes an image out of the recycle bin, with its permissions. Its snapshots have to be there: those that lie in the
/// bin have to be restored first.
///
/// That the name has to be free again is assumed.
pub(crate) fn restore_image_from_recycle_bin(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    call.change(params, |change| {
        let binned = change
            .get::<Binned<Image>>(id)
            .filter(|binned| call.owns(&binned.record.account, &binned.record.region));
        let image = binned.ok_or_else(|| images::not_found(id))?.record.clone();
        if let Some(missing) = image.snapshot_ids().find(|id| change.get::<Snapshot>(id).is_none()) {
            return Err(snapshots::not_found(missing));
        }
        check_name_is_free(change, &image)?;
        change.remove::<Binned<Image>>(id);
        change.remove::<FormerImage>(id);
        change.put(image);
        Ok(())
    })?;
    Ok(Element::default().text("return", true))
}
