use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use amint_types::BLOCK_BYTES;

use super::{describe_snapshots, tags, volumes};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Snapshot, Tags, Volume};
use crate::state::Change;
use crate::volumes::Disk;
use crate::world::{World, new_id};

/// Makes a snapshot of a volume as it is now. Only what changed is stored, upon the snapshot before.
pub(crate) fn create_snapshot(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = volumes::id(params)?;
    let description = params.get("Description").unwrap_or_default().to_owned();
    let new_tags = tags::specified(params, "snapshot")?;
    let (snapshot, work) = call.change(params, |change| {
        let volume = volumes::own(call, change.tables(), id)?;
        begin(call, change, &volume, description, new_tags)
    })?;
    let moment = work.disk.freeze().map_err(|_| Fault::internal());
    let moment = moment.inspect_err(|_| fail(call.world, &snapshot.id))?;
    let (world, name) = (Arc::clone(call.world), snapshot.id.clone());
    let started = thread::Builder::new().name("snapshot".to_owned()).spawn(move || {
        finish(&world, &name, &work.disk, moment);
    });
    started.map_err(|_| {
        fail(call.world, &snapshot.id);
        Fault::internal()
    })?;
    Ok(Element::default().with_all(describe_snapshots::describe(call, &snapshot)))
}

/// What is still to be done for a snapshot.
pub(super) struct Work {
    pub(super) snapshot_id: String,
    pub(super) disk: Arc<Disk>,
}

/// Puts a snapshot that is pending in its place.
pub(super) fn begin(
    call: &Call<'_>,
    change: &mut Change<'_>,
    volume: &Volume,
    description: String,
    tags: Tags,
) -> Result<(Snapshot, Work), Fault> {
    let parent = volume.last_snapshot.clone().filter(|id| change.tables().snapshots.contains_key(id));
    let snapshot = Snapshot {
        id: new_id("snap"),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        volume_id: Some(volume.id.clone()),
        volume_gib: volume.gib,
        description,
        tags,
        started: call.now,
        completed: None,
        manifest: None,
        parent,
        lineage: volume.lineage.clone(),
        timeout_minutes: 0,
        failed: None,
        used_bytes: 0,
        is_encrypted: volume.is_encrypted,
        kms_key_id: volume.kms_key_id.clone(),
        users: BTreeSet::new(),
        is_public: false,
        is_of_store: false,
        tiering: None,
        lock: None,
        copied_from: None,
    };
    let world = call.world;
    let disk = world.volumes.open(&world.store, &volume.id, volume.bytes()).map_err(|_| Fault::internal())?;
    change.put(snapshot.clone());
    let work = Work { snapshot_id: snapshot.id.clone(), disk };
    Ok((snapshot, work))
}

/// Stores what a volume was at a moment, and completes its snapshot; tells whether that went well.
pub(super) fn finish(world: &World, id: &str, disk: &Disk, moment: crate::volumes::Moment) -> bool {
    let Ok(manifest) = disk.store_moment(moment, id) else {
        fail(world, id);
        return false;
    };
    let used = world.store.manifest(manifest).map(|found| found.blocks().iter().flatten().count());
    let used_bytes = used.unwrap_or(0) as u64 * BLOCK_BYTES;
    let done = world.state.change::<_, Fault>(|change| {
        let volume_id = change.edit(id, |snapshot: &mut Snapshot| {
            snapshot.manifest = Some(manifest);
            snapshot.used_bytes = used_bytes;
            snapshot.completed = Some(world.clock().now());
            snapshot.volume_id.clone()
        });
        if let Some(Some(volume_id)) = &volume_id {
            change.edit(volume_id, |volume: &mut Volume| volume.last_snapshot = Some(id.to_owned()));
        }
        Ok(volume_id.is_some())
    });
    if !world.state.read().volumes.contains_key(disk.id()) {
        // It was deleted meanwhile, and now lies upon the snapshot.
        let _ = world.store.unpin(disk.id());
    }
    let is_done = matches!(done, Ok(true));
    if !is_done {
        // It was deleted meanwhile, or cannot be written down.
        let _ = world.store.unpin(id);
    }
    is_done
}

/// Says that a snapshot came to nothing.
pub(super) fn fail(world: &World, id: &str) {
    world.give_up(id);
    let now = world.clock().now();
    // What cannot be written down now is found pending at the next start.
    let _ = world.state.change::<_, Fault>(|change| {
        change.edit(id, |snapshot: &mut Snapshot| snapshot.failed = Some(now));
        Ok(())
    });
}
