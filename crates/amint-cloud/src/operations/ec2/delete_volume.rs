use super::volumes;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::Volume;

/// Removes a volume that is attached nowhere.
pub(crate) fn delete_volume(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = volumes::id(params)?;
    call.change(params, |change| {
        let volume = volumes::own(call, change.tables(), id)?;
        if let Some(attachment) = &volume.attachment {
            let message = format!("Volume {id} is currently attached to {}", attachment.instance_id);
            return Err(Fault::client("VolumeInUse", message));
        }
        change.remove::<Volume>(id);
        Ok(())
    })?;
    call.world.forget_volumes(&[id.to_owned()]);
    Ok(Element::default().text("return", true))
}
