use super::filters;
use crate::operations::Call;
use crate::operations::page::{Pager, USUAL};
use crate::protocol::{Element, Fault, Params};

/// Lists the snapshots with fast restores: there is none, as nothing here can enable them.
pub(crate) fn describe_fast_snapshot_restores(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    filters(params, &["availability-zone", "availability-zone-id", "owner-id", "snapshot-id", "state"])?;
    Pager::new(call, params, 0..=*USUAL.end())?;
    Ok(Element::default().with(Element::new("fastSnapshotRestoreSet")))
}
