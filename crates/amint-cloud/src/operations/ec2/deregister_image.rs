use super::check_id;
use super::delete_snapshot::{forget_blocks, remove};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::Image;

/// Removes an image, and the snapshots that no other image has when that is asked for.
pub(crate) fn deregister_image(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = params.required("ImageId")?;
    check_id("ami", "InvalidAMIID.Malformed", id)?;
    let with_snapshots = params.boolean("DeleteAssociatedSnapshots")?.unwrap_or(false);
    let results = call.change(params, |change| {
        let image = change.get::<Image>(id).filter(|image| call.owns(&image.account, &image.region));
        let Some(image) = image else {
            return Err(Fault::client(
                "InvalidAMIID.Unavailable",
                format!("The image ID '{id}' is no longer available"),
            ));
        };
        change.remove::<Image>(id);
        let mut results = Vec::new();
        let snapshots = image.block_devices.iter().filter_map(|device| device.snapshot_id.clone());
        for snapshot in snapshots.filter(|_| with_snapshots) {
            let code = match remove(call, change, &snapshot) {
                Ok(()) => "success",
                Err(fault) if fault.code == "InvalidSnapshot.InUse" => "skipped",
                Err(_) => "client-error",
            };
            results.push((snapshot, code));
        }
        Ok(results)
    })?;
    for (snapshot, _) in results.iter().filter(|(_, code)| *code == "success") {
        forget_blocks(call, snapshot);
    }
    let answer = Element::default().text("return", true);
    if !with_snapshots {
        return Ok(answer);
    }
    let entries =
        results.iter().map(|(id, code)| Element::default().text("snapshotId", id).text("returnCode", code));
    Ok(answer.with(Element::list("deleteSnapshotResultSet", entries)))
}
