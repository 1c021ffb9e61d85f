use super::delete_snapshot::{forget_blocks, remove};
use super::{image_deregistration_protection, images};
use crate::operations::Call;
use crate::operations::bin::{self, Removed};
use crate::protocol::{Element, Fault, Params};
use crate::records::Image;
use crate::state::Change;

/// What became of a snapshot of the image.
struct Outcome {
    snapshot_id: String,
    code: &'static str,
    is_gone: bool,
}

/// Removes an image, and the snapshots that no other image has when that is asked for. Both go into the recycle bin
/// when a rule says so.
pub(crate) fn deregister_image(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = images::id(params)?;
    let with_snapshots = params.boolean("DeleteAssociatedSnapshots")?.unwrap_or(false);
    let outcomes = call.change(params, |change| {
        let image = change.get::<Image>(id).filter(|image| call.owns(&image.account, &image.region));
        let Some(image) = image else {
            return Err(Fault::client(
                "InvalidAMIID.Unavailable",
                format!("The image ID '{id}' is no longer available"),
            ));
        };
        image_deregistration_protection::check(call, &image)?;
        bin::remove_image(call, change, &image);
        let mut snapshots: Vec<&str> = image.snapshot_ids().filter(|_| with_snapshots).collect();
        snapshots.sort_unstable();
        snapshots.dedup();
        Ok(snapshots.into_iter().map(|snapshot| outcome(call, change, snapshot)).collect::<Vec<_>>())
    })?;
    for outcome in outcomes.iter().filter(|outcome| outcome.is_gone) {
        forget_blocks(call, &outcome.snapshot_id);
    }
    let answer = Element::default().text("return", true);
    if !with_snapshots {
        return Ok(answer);
    }
    let entries = outcomes.iter().map(|outcome| {
        Element::default().text("snapshotId", &outcome.snapshot_id).text("returnCode", outcome.code)
    });
    Ok(answer.with(Element::list("deleteSnapshotResultSet", entries)))
}

fn outcome(call: &Call<'_>, change: &mut Change<'_>, snapshot_id: &str) -> Outcome {
    let (code, is_gone) = match remove(call, change, snapshot_id) {
        Ok(removed) => ("success", removed == Removed::Gone),
        Err(fault) if fault.code == "InvalidSnapshot.InUse" => ("skipped", false),
        Err(_) => ("client-error", false),
    };
    Outcome { snapshot_id: snapshot_id.to_owned(), code, is_gone }
}
