//! What becomes of instances and their volumes, told by their machines.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::protocol::Fault;
use crate::records::{Image, Instance, InstanceState, ShutdownBehavior, Snapshot, Tables, Volume};
use crate::state::Change;
use crate::world::World;

/// How long a terminated instance is told of.
const TOMBSTONE: SignedDuration = SignedDuration::from_hours(1);

type Reason<'a> = (&'a str, String);

impl World {
    /// Changes the tables; what cannot be written now is put right at the next start.
    fn told(&self, edit: impl FnOnce(&mut Change<'_>)) {
        let _ = self.state.change::<_, Fault>(|change| {
            edit(change);
            Ok(())
        });
    }

    fn set_state(&self, change: &mut Change<'_>, id: &str, state: InstanceState, reason: Option<Reason<'_>>) {
        change.edit(id, |instance: &mut Instance| {
            instance.state = state;
            instance.since = self.clock().now();
            if let Some((code, words)) = reason {
                instance.reason = Some((code.to_owned(), words));
            }
        });
    }

    /// The machine of an instance is on.
    pub(crate) fn machine_runs(&self, id: &str) {
        self.told(|change| {
            let instance = change.get::<Instance>(id);
            // One that shall end meanwhile stays as it is.
            if instance.is_some_and(|instance| instance.state == InstanceState::Pending) {
                change.edit(id, |instance: &mut Instance| {
                    instance.state = InstanceState::Running;
                    instance.since = self.clock().now();
                    instance.has_run = true;
                    instance.reason = None;
                });
            }
        });
    }

    /// The machine of an instance did not start.
    pub(crate) fn machine_failed(&self, id: &str, words: &str) {
        let has_run = self.state.read().instances.get(id).is_some_and(|instance| instance.has_run);
        let reason = ("Server.InternalError", format!("Server.InternalError: {words}"));
        if has_run {
            self.machine_stopped(id, Some(reason));
        } else {
            self.machine_terminated(id, reason);
        }
    }

    /// The machine of an instance is off, and its volumes stay.
    pub(crate) fn machine_stopped(&self, id: &str, reason: Option<Reason<'_>>) {
        // Somebody may have terminated it while its machine ended.
        let state = self.state.read().instances.get(id).map(|instance| instance.state);
        match state {
            Some(InstanceState::ShuttingDown) => {
                let reason = ("Client.UserInitiatedShutdown", "User initiated shutdown".to_owned());
                return self.machine_terminated(id, reason);
            }
            None | Some(InstanceState::Terminated) => return,
            Some(_) => {}
        }
        self.told(|change| {
            self.set_state(change, id, InstanceState::Stopped, reason);
            // What a guest did not let go of is let go of now.
            for volume_id in volumes_of(change.tables(), id) {
                change.edit(&volume_id, |volume: &mut Volume| {
                    volume.attachment.take_if(|attachment| attachment.is_detaching);
                });
            }
        });
    }

    /// The machine of an instance is off for good.
    pub(crate) fn machine_terminated(&self, id: &str, reason: Reason<'_>) {
        let mut gone = Vec::new();
        self.told(|change| {
            self.set_state(change, id, InstanceState::Terminated, Some(reason));
            gone = Self::release_volumes(change, id);
        });
        self.forget_volumes(&gone);
        if let Some(machines) = self.machines() {
            machines.forget_machine(id);
        }
    }

    /// Detaches the volumes of an instance, and removes the records of those that end with it, which are returned.
    fn release_volumes(change: &mut Change<'_>, id: &str) -> Vec<String> {
        let mut gone = Vec::new();
        for volume_id in volumes_of(change.tables(), id) {
            let Some(volume) = change.get::<Volume>(&volume_id) else { continue };
            if volume.attachment.as_ref().is_some_and(|attachment| attachment.is_deleted_on_termination) {
                change.remove::<Volume>(&volume_id);
                gone.push(volume_id);
            } else {
                change.edit(&volume_id, |volume: &mut Volume| volume.attachment = None);
            }
        }
        gone
    }

    /// Forgets the bytes of volumes that are gone. What cannot be forgotten now costs space, nothing else.
    pub(crate) fn forget_volumes(&self, ids: &[String]) {
        for id in ids {
            let _ = self.volumes.remove(id);
            let _ = self.store.unpin(id);
        }
    }

    /// Tells whether a volume of an instance outlives it.
    pub(crate) fn has_lasting_volume(&self, id: &str) -> bool {
        let tables = self.state.read();
        tables.volumes.values().any(|volume| {
            let attachment = volume.attachment.as_ref();
            attachment.is_some_and(|one| one.instance_id == id && !one.is_deleted_on_termination)
        })
    }

    /// Tells whether an instance that switches itself off is gone.
    pub(crate) fn is_terminated_by_shutdown(&self, id: &str) -> bool {
        let tables = self.state.read();
        tables.instances.get(id).is_some_and(|one| one.shutdown_behavior == ShutdownBehavior::Terminate)
    }

    /// A guest has let go of a volume.
    pub(crate) fn volume_detached(&self, id: &str) {
        self.told(|change| {
            change.edit(id, |volume: &mut Volume| volume.attachment = None);
        });
    }

    /// A guest did not let go of a volume.
    pub(crate) fn volume_kept(&self, id: &str) {
        self.told(|change| {
            change.edit(id, |volume: &mut Volume| {
                if let Some(attachment) = &mut volume.attachment {
                    attachment.is_detaching = false;
                }
            });
        });
    }

    /// Lets all machines look at rules, groups, tags and options.
    pub(crate) fn look_at_doors(&self) {
        if let Some(machines) = self.machines() {
            machines.look();
        }
    }

    /// Forgets instances that have been gone for long.
    pub(crate) fn forget_the_gone(&self) {
        let now = self.clock().now();
        let is_forgotten = |instance: &Arc<Instance>| {
            instance.state == InstanceState::Terminated && self.clock().after(instance.since, TOMBSTONE) < now
        };
        let gone: Vec<String> = self
            .state
            .read()
            .instances
            .values()
            .filter(|one| is_forgotten(one))
            .map(|one| one.id.clone())
            .collect();
        if !gone.is_empty() {
            self.told(|change| {
                for id in &gone {
                    change.remove::<Instance>(id);
                }
            });
            for id in &gone {
                self.machines().inspect(|machines| machines.forget(id));
            }
        }
    }

    /// Puts right what a former endpoint left: it has no machine any more, and nobody works at its snapshots.
    pub(crate) fn recover(&self) {
        let mut gone = Vec::new();
        let mut given_up = Vec::new();
        self.told(|change| {
            let reason =
                || Some(("Server.InternalError", "The endpoint ended before the instance did".to_owned()));
            let machines: Vec<Arc<Instance>> =
                change.tables().instances.values().filter(|one| one.state.has_machine()).cloned().collect();
            for instance in machines {
                if instance.state == InstanceState::ShuttingDown || !instance.has_run {
                    self.set_state(change, &instance.id, InstanceState::Terminated, reason());
                    gone.extend(Self::release_volumes(change, &instance.id));
                } else {
                    self.set_state(change, &instance.id, InstanceState::Stopped, reason());
                }
            }
            let begun = change.tables().snapshots.values().filter(|snapshot| {
                snapshot.volume_id.is_some() && snapshot.manifest.is_none() && snapshot.failed.is_none()
            });
            given_up = begun.map(|snapshot| snapshot.id.clone()).collect();
            for id in &given_up {
                change.edit(id, |snapshot: &mut Snapshot| snapshot.failed = Some(self.clock().now()));
            }
            let has_failed = |image: &&Arc<Image>| {
                let mut snapshots =
                    image.block_devices.iter().filter_map(|device| device.snapshot_id.as_ref());
                image.failure.is_none() && snapshots.any(|id| given_up.contains(id))
            };
            let images: Vec<String> =
                change.tables().images.values().filter(has_failed).map(|image| image.id.clone()).collect();
            for id in images {
                change.edit(&id, |image: &mut Image| {
                    image.failure = Some("The endpoint ended before the image was made".to_owned());
                });
            }
        });
        self.forget_volumes(&gone);
        for id in given_up {
            self.give_up(&id);
        }
    }
}

/// Returns the ids of the volumes of an instance.
fn volumes_of(tables: &Tables, id: &str) -> Vec<String> {
    let is_here = |volume: &&Arc<Volume>| {
        volume.attachment.as_ref().is_some_and(|attachment| attachment.instance_id == id)
    };
    tables.volumes.values().filter(is_here).map(|volume| volume.id.clone()).collect()
}
