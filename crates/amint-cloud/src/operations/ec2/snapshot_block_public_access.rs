use super::settings;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::SnapshotSharing;

/// Says that no snapshot can be made public any more, or that those that are count as private, too.
pub(crate) fn enable_snapshot_block_public_access(
    call: &Call<'_>,
    params: &Params,
) -> Result<Element, Fault> {
    let sharing = match params.required("State")? {
        "block-all-sharing" => SnapshotSharing::BlockAllSharing,
        "block-new-sharing" => SnapshotSharing::BlockNewSharing,
        other => return Err(Fault::invalid_value("State", other)),
    };
    settings::set(call, params, ("state", sharing.as_str()), |settings| settings.snapshot_sharing = sharing)
}

/// Says that snapshots can be public again; those that were are so at once.
pub(crate) fn disable_snapshot_block_public_access(
    call: &Call<'_>,
    params: &Params,
) -> Result<Element, Fault> {
    settings::set(call, params, ("state", SnapshotSharing::Unblocked.as_str()), |settings| {
        settings.snapshot_sharing = SnapshotSharing::Unblocked;
    })
}

/// Tells whether snapshots can be public.
#[expect(clippy::unnecessary_wraps, reason = "all operations have one form")]
pub(crate) fn get_snapshot_block_public_access_state(
    call: &Call<'_>,
    _params: &Params,
) -> Result<Element, Fault> {
    let state = settings::own(call, &call.tables()).snapshot_sharing.as_str();
    Ok(Element::default().text("state", state).text("managedBy", "account"))
}
