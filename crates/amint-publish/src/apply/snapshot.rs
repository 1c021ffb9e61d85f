//! Making the snapshot: begun, filled and completed, or gone on with.

use amint_store::Outcome;
use amint_types::Digest;
use serde_json::json;

use super::wait::Wait;
use super::{ApplyError, BEGINNINGS_MAX, Work};
use crate::cloud::{
    CloudError, CloudErrorClass, CompleteSnapshot, Region, SnapshotState, StartSnapshot, StartedSnapshot,
};
use crate::journal::Journal;
use crate::plan::Upload;
use crate::retry::{Patience, Stopped, UNKNOWN_MAX, again};
use crate::upload::{checksum, upload};

/// After how many minutes without a block the service gives a snapshot up.
const TIMEOUT_MINUTES: u32 = 60;

impl<R: Region> Work<'_, R> {
    /// Makes the snapshot, and returns its id and how many blocks were sent.
    pub(super) async fn snapshot(&self, upload: &Upload) -> Result<(String, u64), ApplyError> {
        for beginning in 0..BEGINNINGS_MAX {
            let token = self.token(upload, beginning);
            let intent = json!({ "token": token, "parent": upload.parent, "blocks": upload.blocks });
            let told = |made: &Option<(String, u64)>| {
                let Some((id, sent)) = made else {
                    let error = "the service gave the snapshot up, or somebody removed it";
                    return (Outcome::Failed, json!({ "error": error }));
                };
                (Outcome::Succeeded, json!({ "snapshot_id": id, "blocks_sent": sent }))
            };
            let made = self.try_snapshot(upload, &token);
            if let Some(made) = self.logged("publish-snapshot", intent, made, told).await? {
                return Ok(made);
            }
        }
        Err(ApplyError::GivenUp { region: self.plan.region.clone() })
    }

    /// Makes the token of a snapshot: the same content at the same place has the same one.
    fn token(&self, upload: &Upload, beginning: u32) -> String {
        let parent = upload.parent.as_ref().map_or("", |parent| parent.snapshot_id.as_str());
        let (region, account) = (&self.plan.region, &self.plan.account);
        let source = format!(
            "{account}\0{region}\0{}\0{}\0{parent}\0{}\0{}\0{beginning}{}",
            self.wanted.name,
            self.wanted.digest,
            upload.volume_gib,
            upload.is_encrypted,
            upload.key.as_ref().map(|key| format!("\0{key}")).unwrap_or_default()
        );
        Digest::of(source.as_bytes()).to_string()
    }

    /// Begins the snapshot or goes on with it; none when the service gave it up, or somebody removed it.
    async fn try_snapshot(&self, upload: &Upload, token: &str) -> Result<Option<(String, u64)>, ApplyError> {
        let request = StartSnapshot {
            volume_gib: upload.volume_gib,
            parent_id: upload.parent.as_ref().map(|parent| parent.snapshot_id.clone()),
            key: upload.key.clone().filter(|_| upload.parent.is_none()),
            description: self.wanted.description.clone(),
            client_token: token.to_owned(),
            tags: self.wanted.tags.clone(),
            timeout_minutes: TIMEOUT_MINUTES,
        };
        let started = again(Patience::Settled, self.cancel, || self.region.start_snapshot(&request)).await;
        let StartedSnapshot { id, state, .. } = match started {
            Ok(started) => started,
            // The token names a snapshot that is gone; unless it is the parent that is missed.
            Err(Stopped::Cloud(error)) if error.class == CloudErrorClass::NotFound => {
                return if self.has_parent(upload).await? { Ok(None) } else { Err(error.into()) };
            }
            Err(stopped) => return Err(stopped.into()),
        };
        // An answer from before tells the state of then.
        let known = again(Patience::Settled, self.cancel, || self.region.snapshot(&id)).await?;
        let state = known.map_or(state, |snapshot| snapshot.state);
        let mut journal = Journal::open(self.folder, &id)?;
        let sent = match state {
            SnapshotState::Unusable => None,
            SnapshotState::Completed => Some(0),
            SnapshotState::Pending => self.fill(&id, &upload.indexes, &mut journal).await?,
        };
        if sent.is_none() || !self.wait_for_snapshot(&id).await? {
            return self.give_up(&id, journal).await;
        }
        journal.remove()?;
        Ok(sent.map(|sent| (id, sent)))
    }

    /// Tells whether the snapshot to begin with is there, if there is to be one.
    async fn has_parent(&self, upload: &Upload) -> Result<bool, ApplyError> {
        let Some(parent) = &upload.parent else { return Ok(true) };
        let ask = || self.region.snapshot(&parent.snapshot_id);
        Ok(again(Patience::Settled, self.cancel, ask).await?.is_some())
    }

    /// Sends the blocks and completes the snapshot; returns how many were sent, or none when the snapshot is gone.
    async fn fill(
        &self,
        id: &str,
        indexes: &[u64],
        journal: &mut Journal,
    ) -> Result<Option<u64>, ApplyError> {
        let is_begun_before = journal.count() > 0;
        let error = match self.send_and_complete(id, indexes, journal).await {
            Ok(sent) => return Ok(Some(sent)),
            Err(ApplyError::Cloud(error)) => error,
            Err(error) => return Err(error),
        };
        let refusals = [CloudErrorClass::NotFound, CloudErrorClass::Conflict, CloudErrorClass::Invalid];
        if !refusals.contains(&error.class) {
            return Err(error.into());
        }
        match self.state_after(&error, id).await? {
            // Somebody else, or a run whose end is told only now, did the same work.
            Some(SnapshotState::Completed) => Ok(Some(0)),
            Some(SnapshotState::Unusable) => Ok(None),
            None if error.class == CloudErrorClass::NotFound => Ok(None),
            // The service has other blocks than the list tells.
            Some(SnapshotState::Pending) if is_begun_before => {
                journal.clear()?;
                self.send_and_complete(id, indexes, journal).await.map(Some)
            }
            _ => Err(error.into()),
        }
    }

    async fn send_and_complete(
        &self,
        id: &str,
        indexes: &[u64],
        journal: &mut Journal,
    ) -> Result<u64, ApplyError> {
        let (region, disk, progress) = (self.region, &self.disk, self.progress);
        let sent = upload(region, id, disk, indexes, journal, progress, self.cancel).await?;
        self.complete(id, indexes).await?;
        Ok(sent)
    }

    /// Looks why a snapshot was refused: that it is completed, or given up, may be told late.
    async fn state_after(&self, error: &CloudError, id: &str) -> Result<Option<SnapshotState>, ApplyError> {
        let mut wait = Wait::new(format!("snapshot {id}"));
        loop {
            let known = again(Patience::Settled, self.cancel, || self.region.snapshot(id)).await?;
            match known.map(|snapshot| snapshot.state) {
                // A block is sent for so long until it is given up that waiting longer tells nothing new.
                None if error.class == CloudErrorClass::NotFound => return Ok(None),
                Some(SnapshotState::Pending) | None if wait.waited < UNKNOWN_MAX => {
                    wait.pause(self.cancel).await?;
                }
                state => return Ok(state),
            }
        }
    }

    /// Forgets a snapshot that the service gave up, here and there.
    async fn give_up<T>(&self, id: &str, journal: Journal) -> Result<Option<T>, ApplyError> {
        journal.remove()?;
        // What cannot be removed is found by `amint gc --cloud`, as what others have removed meanwhile is not.
        let removed = again(Patience::Settled, self.cancel, || self.region.delete_snapshot(id)).await;
        match removed.map_err(ApplyError::from) {
            Err(error @ ApplyError::Cancelled(_)) => Err(error),
            _ => Ok(None),
        }
    }

    async fn complete(&self, id: &str, indexes: &[u64]) -> Result<(), ApplyError> {
        let disk = self.disk.clone();
        let list = indexes.to_vec();
        let made = tokio::task::spawn_blocking(move || checksum(&disk, &list)).await;
        let checksum = made
            .map_err(std::io::Error::other)
            .and_then(|checksum| checksum)
            .map_err(|source| ApplyError::Read { index: 0, source })?;
        let request = CompleteSnapshot { id: id.to_owned(), blocks: indexes.len() as u64, checksum };
        Ok(again(Patience::Young, self.cancel, || self.region.complete_snapshot(&request)).await?)
    }

    /// Waits until a snapshot can be used; false when it cannot be.
    async fn wait_for_snapshot(&self, id: &str) -> Result<bool, ApplyError> {
        let mut wait = Wait::new(format!("snapshot {id}"));
        loop {
            let known = again(Patience::Settled, self.cancel, || self.region.snapshot(id)).await?;
            match known.map(|snapshot| snapshot.state) {
                Some(SnapshotState::Completed) => return Ok(true),
                Some(SnapshotState::Unusable) => return Ok(false),
                // Not every machine of the service knows it yet.
                Some(SnapshotState::Pending) | None => wait.pause(self.cancel).await?,
            }
        }
    }
}
