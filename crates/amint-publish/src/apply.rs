//! Doing what a plan says.
//!
//! Everything may break off at any point, and is simply done again: a token made of the content lets the service find
//! the snapshot that was begun, a list on disk knows which blocks it has, and an image is looked for by its name before
//! one is made.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amint_store::{ImageReader, Outcome, Store, StoreError};
use amint_types::{Cancel, Cancelled, Digest};
use serde::Serialize;
use serde_json::json;

use crate::buffers::Buffers;
use crate::cloud::{
    CloudError, CloudErrorClass, CloudImage, CompleteSnapshot, Region, SnapshotState, StartSnapshot,
    StartedSnapshot,
};
use crate::journal::{Journal, JournalError};
use crate::plan::{Action, Observed, Plan, Upload};
use crate::retry::{Patience, Stopped, UNKNOWN_MAX, again, or_cancelled};
use crate::settings::Setting;
use crate::upload::{Disk, Progress, checksum};
use crate::wanted::{DIGEST_TAG, NAME_TAG, Wanted};

/// How many answers in a row have to agree that an image is as it should be: the service's machines differ for a while.
const AGREEMENTS: u32 = 3;
/// The first pause between looks at what becomes ready by itself: small images are ready at once.
const LOOK: Duration = Duration::from_millis(250);
/// The longest pause between such looks.
const LOOK_MAX: Duration = Duration::from_secs(15);
/// How long something may take to become ready.
const READY_MAX: Duration = Duration::from_hours(1);
/// After how many minutes without a block the service gives a snapshot up.
const TIMEOUT_MINUTES: u32 = 60;
/// How many snapshots or copies are begun for one image when earlier ones were given up or removed.
const BEGINNINGS_MAX: u32 = 5;

/// Publishing in a region failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The cloud refused or failed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// A block of the store cannot be read.
    #[error("failed to read block {index} of the image")]
    Read {
        /// Which.
        index: u64,
        /// What reading met.
        #[source]
        source: std::io::Error,
    },
    /// The list of sent blocks cannot be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Every snapshot or copy that was begun for the image was given up by the service, or is gone.
    #[error("what was begun for the image in {region} was given up by the service, or removed")]
    GivenUp {
        /// The region.
        region: String,
    },
    /// Something did not become ready.
    #[error("{what} is not ready after {} minutes", READY_MAX.as_secs() / 60)]
    NotReady {
        /// What.
        what: String,
    },
    /// The image that was made is not as it should be, and was removed.
    #[error("the image that was made was removed, because {}", .differences.join("; "))]
    Different {
        /// In what it differs.
        differences: Vec<String>,
    },
    /// The region that others copy from failed.
    #[error("there is no image in {region} to copy from")]
    NoSource {
        /// The region.
        region: String,
    },
    /// The store does not give the image, as another region tells.
    #[error("there is no image to publish in {region}")]
    NoImage {
        /// The region.
        region: String,
    },
    /// The plan refuses.
    #[error("the plan refuses to publish in {region}")]
    Refused {
        /// The region.
        region: String,
    },
    /// The user stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl From<Stopped> for ApplyError {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Cloud(error) => error.into(),
            Stopped::Cancelled(cancelled) => cancelled.into(),
        }
    }
}

/// What was done in a region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The image.
    pub image_id: String,
    /// Its snapshot.
    pub snapshot_id: String,
    /// How many blocks were sent this time.
    pub blocks_sent: u64,
    /// Whether anything was changed.
    pub is_changed: bool,
}

/// Looks at a region.
///
/// # Errors
/// Fails when the cloud refuses or fails.
pub async fn observe<R: Region>(
    region: &R,
    wanted: &Wanted,
    cancel: &Cancel,
) -> Result<Observed, ApplyError> {
    let settled = Patience::Settled;
    let mut observed = Observed {
        region: region.name().to_owned(),
        account: again(Patience::First, cancel, || region.account()).await?,
        is_encrypted_by_default: again(settled, cancel, || region.is_encrypted_by_default()).await?,
        same_name: again(settled, cancel, || region.images_named(&wanted.name)).await?,
        lineage: again(settled, cancel, || region.snapshots_tagged(NAME_TAG, &wanted.lineage)).await?,
        ..Observed::default()
    };
    // Who shares with nobody needs no right to look.
    if let Some(image) = observed.same_name.first().filter(|_| !wanted.settings.accounts.is_empty()) {
        observed.image_accounts = again(settled, cancel, || region.image_accounts(&image.id)).await?;
        if let Some(id) = &image.snapshot_id {
            observed.snapshot_accounts = again(settled, cancel, || region.snapshot_accounts(id)).await?;
        }
    }
    if let Some(image) = observed.same_name.first().filter(|_| !wanted.settings.organizations.is_empty()) {
        observed.image_organizations =
            again(settled, cancel, || region.image_organizations(&image.id)).await?;
    }
    if let Some(key) = wanted.settings.keys.get(&observed.region) {
        observed.key = again(settled, cancel, || region.key(key)).await?;
    }
    if observed.same_name.is_empty() {
        match again(Patience::Optional, cancel, || region.image_quota()).await {
            Ok(quota) => {
                let count = again(settled, cancel, || region.image_count()).await?;
                observed.images = Some((count, quota));
            }
            Err(stopped) => observed.note("the quota of images", stopped)?,
        }
    }
    Ok(observed)
}

/// Looks at the tag policy that a new image would be held to, once for an account: the first region without the image
/// tells what comes of it.
pub(crate) async fn observe_tag_policy<R: Region>(
    regions: &[R],
    observed: &mut [Observed],
    cancel: &Cancel,
) -> Result<(), ApplyError> {
    let mut pairs = regions.iter().zip(observed);
    let Some((region, observed)) = pairs.find(|(_, observed)| observed.same_name.is_empty()) else {
        return Ok(());
    };
    match again(Patience::Optional, cancel, || region.tag_policy()).await {
        Ok(policy) => observed.tag_policy = policy,
        Err(stopped) => observed.note("the tag policy", stopped)?,
    }
    Ok(())
}

impl Observed {
    /// Notes that something could not be looked at: who may not look is not kept from publishing.
    fn note(&mut self, what: &str, stopped: Stopped) -> Result<(), Cancelled> {
        match stopped {
            Stopped::Cloud(error) => self.notes.push(format!("{what} could not be looked at: {error}")),
            Stopped::Cancelled(cancelled) => return Err(cancelled),
        }
        Ok(())
    }
}

/// What is to be done in a region, and where it is written down.
#[derive(Debug)]
pub struct Publication<'a> {
    /// What the region shall hold.
    pub wanted: &'a Wanted,
    /// What has to happen for it.
    pub plan: &'a Plan,
    /// The blocks.
    pub image: Arc<ImageReader>,
    /// Memory for those on their way.
    pub buffers: Buffers,
    /// Whose log tells of it.
    pub store: &'a Store,
    /// The folder for lists of blocks that were sent.
    pub folder: &'a Path,
    /// The image to copy, where the plan says so and did not know it yet.
    pub source_image_id: Option<String>,
}

/// Does what a plan says.
///
/// # Errors
/// Fails when the cloud refuses or fails, or the image cannot be read. Done again, it goes on from where it was.
pub async fn apply<R: Region>(
    region: &R,
    publication: Publication<'_>,
    progress: &Progress<'_>,
    cancel: &Cancel,
) -> Result<Applied, ApplyError> {
    let Publication { wanted, plan, image, buffers, store, folder, source_image_id } = publication;
    let disk = Disk { image, buffers };
    let work = Work { region, wanted, plan, disk, store, folder, progress, cancel };
    let mut applied = match &plan.action {
        Action::Nothing { image_id, snapshot_id } => Applied {
            image_id: image_id.clone(),
            snapshot_id: snapshot_id.clone().unwrap_or_default(),
            ..Applied::default()
        },
        Action::Await { image_id } => {
            let snapshot_id = work.agree(image_id, None).await?;
            Applied { image_id: image_id.clone(), snapshot_id, ..Applied::default() }
        }
        Action::Refuse { .. } => return Err(ApplyError::Refused { region: plan.region.clone() }),
        Action::Register { snapshot_id } => {
            // Left by a run that was broken off between the end of the snapshot and this.
            Journal::open(folder, snapshot_id)?.remove()?;
            work.register(snapshot_id, 0).await?
        }
        Action::Copy(copy) => {
            let source = copy.source_image_id.clone().or(source_image_id);
            let source = source.ok_or_else(|| ApplyError::NoSource { region: copy.source_region.clone() })?;
            work.copy(&copy.source_region, &source).await?
        }
        Action::Upload(upload) => {
            let (snapshot_id, sent) = work.snapshot(upload).await?;
            work.register(&snapshot_id, sent).await?
        }
    };
    if !plan.settings.is_empty() {
        work.settle(&applied).await?;
        applied.is_changed = true;
    }
    Ok(applied)
}

struct Work<'a, R> {
    region: &'a R,
    wanted: &'a Wanted,
    plan: &'a Plan,
    disk: Disk,
    store: &'a Store,
    folder: &'a Path,
    progress: &'a Progress<'a>,
    cancel: &'a Cancel,
}

impl<R: Region> Work<'_, R> {
    fn subject(&self) -> String {
        format!("{}@{}", self.wanted.subject, self.plan.region)
    }

    /// Makes the snapshot, and returns its id and how many blocks were sent.
    async fn snapshot(&self, upload: &Upload) -> Result<(String, u64), ApplyError> {
        for beginning in 0..BEGINNINGS_MAX {
            let token = self.token(upload, beginning);
            let intent = json!({
                "region": self.plan.region,
                "account": self.plan.account,
                "token": token,
                "parent": upload.parent,
                "blocks": upload.blocks,
            });
            let operation = self.store.begin("publish-snapshot", &self.subject(), &intent)?;
            match self.try_snapshot(upload, &token).await {
                Ok(Some((id, sent))) => {
                    let result = json!({ "snapshot_id": id, "blocks_sent": sent });
                    self.store.finish(operation, Outcome::Succeeded, &result)?;
                    return Ok((id, sent));
                }
                Ok(None) => {
                    let result =
                        json!({ "error": "the service gave the snapshot up, or somebody removed it" });
                    self.store.finish(operation, Outcome::Failed, &result)?;
                }
                Err(error) => {
                    let result = json!({ "error": error.to_string() });
                    self.store.finish(operation, Outcome::Failed, &result)?;
                    return Err(error);
                }
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
        let sent = crate::upload::upload(region, id, disk, indexes, journal, progress, self.cancel).await?;
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

    /// Makes the image, unless it is there.
    async fn register(&self, snapshot_id: &str, blocks_sent: u64) -> Result<Applied, ApplyError> {
        let intent = json!({
            "region": self.plan.region,
            "account": self.plan.account,
            "name": self.wanted.name,
            "snapshot_id": snapshot_id,
        });
        let operation = self.store.begin("publish-image", &self.subject(), &intent)?;
        match self.try_register(snapshot_id).await {
            Ok(image_id) => {
                let result = json!({ "image_id": image_id, "snapshot_id": snapshot_id });
                self.store.finish(operation, Outcome::Succeeded, &result)?;
                let snapshot_id = snapshot_id.to_owned();
                Ok(Applied { image_id, snapshot_id, blocks_sent, is_changed: true })
            }
            Err(error) => {
                let result = json!({ "error": error.to_string() });
                self.store.finish(operation, Outcome::Failed, &result)?;
                Err(error)
            }
        }
    }

    async fn try_register(&self, snapshot_id: &str) -> Result<String, ApplyError> {
        let request = self.wanted.registration(snapshot_id);
        let mut wait = Wait::new(format!("image {}", self.wanted.name));
        // There is no token for this call: before each try it is looked whether an earlier one had come through.
        let image_id = loop {
            if let Some(image) = self.own_image(snapshot_id).await? {
                break image.id;
            }
            match or_cancelled(self.cancel, self.region.register_image(&request)).await? {
                Ok(id) => break id,
                Err(error) => match error.class {
                    CloudErrorClass::Throttled | CloudErrorClass::Transient | CloudErrorClass::NotFound => {
                        wait.pause(self.cancel).await?;
                    }
                    // Taken: by an earlier try of ours that is not seen yet, or by somebody else.
                    CloudErrorClass::Conflict if wait.waited < UNKNOWN_MAX => {
                        wait.pause(self.cancel).await?;
                    }
                    _ => return Err(error.into()),
                },
            }
        };
        self.agree(&image_id, Some(snapshot_id)).await?;
        Ok(image_id)
    }

    /// Copies the image from another region, unless it is there.
    async fn copy(&self, region: &str, source_image_id: &str) -> Result<Applied, ApplyError> {
        let intent = json!({
            "region": self.plan.region,
            "account": self.plan.account,
            "name": self.wanted.name,
            "source_region": region,
            "source_image_id": source_image_id,
        });
        let operation = self.store.begin("publish-copy", &self.subject(), &intent)?;
        let made = async {
            for beginning in 0..BEGINNINGS_MAX {
                let source = (region, source_image_id);
                let request = self.wanted.copy(&self.plan.region, &self.plan.account, source, beginning);
                // The original may have been made a moment ago, and a token keeps a second try from making a second copy.
                let ask = || self.region.copy_image(&request);
                let image_id = match again(Patience::Young, self.cancel, ask).await {
                    Ok(image_id) => image_id,
                    Err(stopped) => return Err(stopped.into()),
                };
                if self.appears(&image_id).await? {
                    let snapshot_id = self.agree(&image_id, None).await?;
                    return Ok::<_, ApplyError>((image_id, snapshot_id));
                }
            }
            Err(ApplyError::GivenUp { region: self.plan.region.clone() })
        };
        match made.await {
            Ok((image_id, snapshot_id)) => {
                let result = json!({ "image_id": image_id, "snapshot_id": snapshot_id });
                self.store.finish(operation, Outcome::Succeeded, &result)?;
                Ok(Applied { image_id, snapshot_id, blocks_sent: 0, is_changed: true })
            }
            Err(error) => {
                let result = json!({ "error": error.to_string() });
                self.store.finish(operation, Outcome::Failed, &result)?;
                Err(error)
            }
        }
    }

    /// Waits until the service knows an image at all; false when a token named one that is gone.
    async fn appears(&self, image_id: &str) -> Result<bool, ApplyError> {
        let mut wait = Wait::new(format!("image {image_id}"));
        while again(Patience::Settled, self.cancel, || self.region.image(image_id)).await?.is_none() {
            if wait.waited >= UNKNOWN_MAX {
                return Ok(false);
            }
            wait.pause(self.cancel).await?;
        }
        Ok(true)
    }

    /// Sets what the plan wants to be set. Each of these requests may be sent again.
    async fn settle(&self, applied: &Applied) -> Result<(), ApplyError> {
        let intent = json!({
            "region": self.plan.region,
            "account": self.plan.account,
            "image_id": applied.image_id,
            "settings": self.plan.settings,
        });
        let operation = self.store.begin("publish-settings", &self.subject(), &intent)?;
        for setting in &self.plan.settings {
            let ask = async || match setting {
                Setting::ShareImage { accounts } => {
                    self.region.share_image(&applied.image_id, accounts).await
                }
                Setting::ShareWithOrganizations { arns } => {
                    self.region.share_image_with_organizations(&applied.image_id, arns).await
                }
                Setting::ShareSnapshot { accounts } => {
                    self.region.share_snapshot(&applied.snapshot_id, accounts).await
                }
                Setting::Deprecate { at } => self.region.deprecate_image(&applied.image_id, *at).await,
                Setting::Watermark { name } => self.region.watermark_image(&applied.image_id, name).await,
                Setting::Protect { protection } => {
                    self.region.protect_image(&applied.image_id, *protection).await
                }
            };
            if let Err(stopped) = again(Patience::Young, self.cancel, ask).await {
                let error = ApplyError::from(stopped);
                let result = json!({ "error": error.to_string() });
                self.store.finish(operation, Outcome::Failed, &result)?;
                return Err(error);
            }
        }
        self.store.finish(operation, Outcome::Succeeded, &json!({}))?;
        Ok(())
    }

    /// Returns the image of the name when it is of the snapshot.
    async fn own_image(&self, snapshot_id: &str) -> Result<Option<CloudImage>, ApplyError> {
        let ask = || self.region.images_named(&self.wanted.name);
        let images = again(Patience::Settled, self.cancel, ask).await?;
        let digest = self.wanted.digest.to_string();
        Ok(images.into_iter().find(|image| {
            image.snapshot_id.as_deref() == Some(snapshot_id) && image.tags.get(DIGEST_TAG) == Some(&digest)
        }))
    }

    /// Waits until the service says several times in a row that the image is there, and as it should be; removes it
    /// when it is not. Returns its snapshot.
    async fn agree(&self, image_id: &str, snapshot_id: Option<&str>) -> Result<String, ApplyError> {
        let mut wait = Wait::new(format!("image {image_id}"));
        let mut agreed = 0;
        let mut snapshot_id = snapshot_id.map(str::to_owned);
        while agreed < AGREEMENTS {
            let image = again(Patience::Settled, self.cancel, || self.region.image(image_id)).await?;
            if let Some(image) = &image {
                snapshot_id = snapshot_id.or_else(|| image.snapshot_id.clone());
            }
            match image {
                Some(image) if image.state == "available" => {
                    let differences = self.wanted.differences(&image);
                    if !differences.is_empty() {
                        self.take_back(image_id, snapshot_id.as_deref()).await?;
                        return Err(ApplyError::Different { differences });
                    }
                    agreed += 1;
                }
                Some(image) if matches!(image.state.as_str(), "failed" | "error" | "invalid") => {
                    self.take_back(image_id, snapshot_id.as_deref()).await?;
                    let differences = vec![format!("its state is {}", image.state)];
                    return Err(ApplyError::Different { differences });
                }
                _ => agreed = 0,
            }
            if agreed < AGREEMENTS {
                wait.pause(self.cancel).await?;
            }
        }
        Ok(snapshot_id.unwrap_or_default())
    }

    /// Removes image and snapshot.
    async fn take_back(&self, image_id: &str, snapshot_id: Option<&str>) -> Result<(), ApplyError> {
        for snapshot_id in [None, snapshot_id] {
            let ask = async || match snapshot_id {
                None => self.region.deregister_image(image_id).await,
                Some(snapshot_id) => self.region.delete_snapshot(snapshot_id).await,
            };
            match again(Patience::Settled, self.cancel, ask).await {
                Ok(()) => {}
                Err(Stopped::Cloud(error)) if error.class == CloudErrorClass::NotFound => {}
                Err(stopped) => return Err(stopped.into()),
            }
        }
        Ok(())
    }
}

/// Looks at something until it is ready, each time after a longer pause.
struct Wait {
    what: String,
    waited: Duration,
    next: Duration,
}

impl Wait {
    fn new(what: String) -> Self {
        Self { what, waited: Duration::ZERO, next: LOOK }
    }

    async fn pause(&mut self, cancel: &Cancel) -> Result<(), ApplyError> {
        if self.waited >= READY_MAX {
            return Err(ApplyError::NotReady { what: self.what.clone() });
        }
        or_cancelled(cancel, tokio::time::sleep(self.next)).await?;
        self.waited += self.next;
        self.next = (self.next * 3 / 2).min(LOOK_MAX);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use amint_store::ImageRecord;

    use super::*;
    use crate::cloud::Tags;
    use crate::collect::{find_litter, remove_litter};
    use crate::copies::Copies;
    use crate::plan::plan;
    use crate::read_back::read_back;
    use crate::regions::{Batch, apply_all, plan_all};
    use crate::testing::{Fake, Faults, put, stored};

    struct Bench {
        folder: tempfile::TempDir,
        store: Store,
        record: ImageRecord,
    }

    impl Bench {
        fn new(content: &[u8]) -> Self {
            let (folder, store, record) = stored(content);
            Self { folder, store, record }
        }

        fn list(&self) -> PathBuf {
            self.folder.path().join("publish")
        }

        fn wanted(&self) -> Wanted {
            Wanted::of(&self.record, &Tags::new())
        }

        async fn publish(&self, region: &Fake) -> Result<Applied, ApplyError> {
            let (wanted, cancel) = (self.wanted(), Cancel::new());
            let manifest = self.store.manifest(self.record.digest).unwrap();
            let observed = observe(region, &wanted, &cancel).await?;
            let known = |digest| self.store.manifest(digest).ok();
            let plan = plan(&wanted, &observed, &manifest, &known);
            let image = Arc::new(self.store.reader(&self.record).unwrap());
            let (store, folder) = (&self.store, self.list());
            let publication = Publication {
                wanted: &wanted,
                plan: &plan,
                image,
                buffers: Buffers::default(),
                store,
                folder: &folder,
                source_image_id: None,
            };
            apply(region, publication, &|_, _| {}, &cancel).await
        }

        /// Asserts that the region holds one image with one snapshot, which has the very blocks.
        async fn assert_published(&self, region: &Fake, applied: &Applied) {
            assert_eq!(
                region.ids(),
                (vec![applied.snapshot_id.clone()], vec![applied.image_id.clone()]),
                "nothing is left over"
            );
            let manifest = self.store.manifest(self.record.digest).unwrap();
            let found =
                read_back(region, &applied.snapshot_id, &manifest, &|_, _| {}, &Cancel::new()).await.unwrap();
            assert!(found.is_same(), "{found:?}");
            assert!(!self.list().exists() || std::fs::read_dir(self.list()).unwrap().next().is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_publish_changes_nothing_and_a_third_version_sends_what_differs() {
        let mut bench = Bench::new(&[7, 0, 9, 4]);
        let region = Fake::new(Faults::default());
        let first = bench.publish(&region).await.unwrap();
        assert_eq!((first.blocks_sent, first.is_changed), (3, true));
        bench.assert_published(&region, &first).await;
        let before = region.changes();
        let second = bench.publish(&region).await.unwrap();
        assert_eq!((second.is_changed, second.image_id), (false, first.image_id));
        assert_eq!(region.changes(), before);
        bench.record = put(&bench.store, "1.1.0", &[7, 1, 0, 4]);
        let third = bench.publish(&region).await.unwrap();
        assert_eq!(third.blocks_sent, 2, "one block is new, one became zero");
        let manifest = bench.store.manifest(bench.record.digest).unwrap();
        let found =
            read_back(&region, &third.snapshot_id, &manifest, &|_, _| {}, &Cancel::new()).await.unwrap();
        assert!(found.is_same(), "{found:?}");
    }

    async fn plan_of(bench: &Bench, regions: &[Fake]) -> Vec<Plan> {
        let manifest = bench.store.manifest(bench.record.digest).unwrap();
        let (wanted, cancel) = (bench.wanted(), Cancel::new());
        plan_all(regions, &wanted, &manifest, &|_| None, Copies::Never, &cancel).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn tag_policy_and_quota_are_looked_at_before_anything_is_made_and_not_needed() {
        let bench = Bench::new(&[7]);
        let policy = r#"{"tags": {"team": {"tag_key": "team", "report_required_tag_for": ["ec2:image"]}}}"#;
        let regions = [
            Fake::new(Faults { tag_policy: Some(policy), ..Faults::default() }),
            Fake::new(Faults { tag_policy: Some(policy), image_quota: Some(0), ..Faults::default() }),
        ];
        let plans = plan_of(&bench, &regions).await;
        let messages: Vec<&str> =
            plans.iter().flat_map(Plan::problems).map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            messages,
            ["the tag policy wants the tag `team`", "the account has 0 images in eu-west-1, and may have 0"]
        );
        // Who may not look is told so, and publishes.
        let region = Fake::new(Faults { tag_policy: Some("denied"), ..Faults::default() });
        let plans = plan_of(&bench, std::slice::from_ref(&region)).await;
        assert!(plans[0].problems().is_empty());
        assert!(plans[0].notes[0].starts_with("the tag policy could not be looked at: "), "{plans:?}");
        bench.publish(&region).await.unwrap();
        // What is there already is not held to it, and nobody asks.
        region.afflict(Faults { tag_policy: Some(policy), image_quota: Some(0), ..Faults::default() });
        let plans = plan_of(&bench, std::slice::from_ref(&region)).await;
        assert!(plans[0].is_nothing(), "{plans:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_fails_the_end_is_right_and_nothing_is_left_over() {
        for seed in 1..=150 {
            let bench = Bench::new(&[7, 0, 9, 4, 5]);
            let region = Fake::new(Faults { seed, ..Faults::default() });
            let applied = bench.publish(&region).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            region.heal();
            bench.assert_published(&region, &applied).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn broken_off_at_any_call_the_next_run_goes_on_and_sends_no_confirmed_block_twice() {
        let whole = Fake::new(Faults::default());
        Bench::new(&[7, 0, 9, 4, 5]).publish(&whole).await.unwrap();
        for stop in 1..=whole.calls() {
            let bench = Bench::new(&[7, 0, 9, 4, 5]);
            let region = Fake::new(Faults { stop_at: Some(stop), ..Faults::default() });
            tokio::select! {
                result = bench.publish(&region) => panic!("{stop} is beyond the end: {result:?}"),
                () = region.stopped() => {}
            }
            region.heal();
            let applied = bench.publish(&region).await.unwrap_or_else(|error| panic!("call {stop}: {error}"));
            bench.assert_published(&region, &applied).await;
            // Only what was on its way when everything stopped may come twice.
            assert!(region.puts() <= 4 + 4, "call {stop}: {} blocks came", region.puts());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_snapshot_that_the_service_gave_up_is_begun_anew() {
        let bench = Bench::new(&[7, 9]);
        let region = Fake::new(Faults { stop_at: Some(7), ..Faults::default() });
        tokio::select! {
            result = bench.publish(&region) => panic!("{result:?}"),
            () = region.stopped() => {}
        }
        region.heal();
        let (snapshots, _) = region.ids();
        region.give_up(&snapshots[0]);
        let applied = bench.publish(&region).await.unwrap();
        assert_ne!(applied.snapshot_id, snapshots[0]);
        assert_eq!(region.ids(), (vec![applied.snapshot_id], vec![applied.image_id]), "nothing is left over");
    }

    #[tokio::test(start_paused = true)]
    async fn an_image_that_came_out_otherwise_is_removed() {
        let bench = Bench::new(&[7]);
        let region = Fake::new(Faults { is_billing_lost: true, ..Faults::default() });
        let error = bench.publish(&region).await.unwrap_err();
        assert!(error.to_string().contains("PlatformDetails is not set"), "{error}");
        assert_eq!(region.ids(), (vec![], vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_encrypted_snapshot_gets_every_block_of_its_volume() {
        let bench = Bench::new(&[7, 0]);
        let region = Fake::new(Faults { is_encrypted: true, ..Faults::default() });
        let applied = bench.publish(&region).await.unwrap();
        assert_eq!(applied.blocks_sent, 2048);
    }

    #[tokio::test(start_paused = true)]
    async fn a_spoilt_block_is_found() {
        let bench = Bench::new(&[7, 0, 9]);
        let region = Fake::new(Faults::default());
        let applied = bench.publish(&region).await.unwrap();
        region.spoil(&applied.snapshot_id, 2);
        let manifest = bench.store.manifest(bench.record.digest).unwrap();
        let found =
            read_back(&region, &applied.snapshot_id, &manifest, &|_, _| {}, &Cancel::new()).await.unwrap();
        assert_eq!((found.blocks, found.different, found.first_different), (2, 1, vec![2]));
    }

    const OTHERS: [&str; 2] = ["111122223333", "444455556666"];

    impl Bench {
        fn batch<'a>(
            &'a self,
            wanted: &'a Wanted,
            regions: &'a [Fake],
            plans: &'a [Plan],
            folder: &'a Path,
        ) -> Batch<'a, Fake> {
            Batch { regions, plans, wanted, record: &self.record, store: &self.store, folder }
        }

        async fn publish_all(
            &self,
            wanted: &Wanted,
            regions: &[Fake],
            copies: Copies,
        ) -> (Vec<Plan>, Vec<Result<Applied, ApplyError>>) {
            let cancel = Cancel::new();
            let manifest = self.store.manifest(self.record.digest).unwrap();
            let known = |digest| self.store.manifest(digest).ok();
            let plans = plan_all(regions, wanted, &manifest, &known, copies, &cancel).await.unwrap();
            let folder = self.list();
            let batch = self.batch(wanted, regions, &plans, &folder);
            let results = apply_all(&batch, &|_, _| {}, &cancel).await;
            (plans, results)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn shared_and_dated_whatever_fails_and_set_once_only() {
        for seed in 0..40 {
            let bench = Bench::new(&[7, 9]);
            let region = Fake::new(Faults { seed, ..Faults::default() });
            let mut wanted = bench.wanted();
            wanted.settings.accounts = OTHERS.map(str::to_owned).into();
            wanted.settings.deprecate_at = Some("2027-01-02T03:04:00Z".parse().unwrap());
            let regions = [region];
            let (_, mut results) = bench.publish_all(&wanted, &regions, Copies::Auto).await;
            let applied = results.remove(0).unwrap();
            for id in [&applied.image_id, &applied.snapshot_id] {
                assert_eq!(regions[0].accounts(id), wanted.settings.accounts);
            }
            regions[0].heal();
            let before = regions[0].changes();
            let (plans, results) = bench.publish_all(&wanted, &regions, Copies::Auto).await;
            assert!(plans[0].is_nothing(), "{plans:?}");
            assert!(!results[0].as_ref().unwrap().is_changed);
            assert_eq!(regions[0].changes(), before);
            wanted.settings.accounts.insert("777788889999".to_owned());
            let (plans, _) = bench.publish_all(&wanted, &regions, Copies::Auto).await;
            let accounts = ["777788889999".to_owned()].into();
            assert_eq!(plans[0].settings[0], Setting::ShareImage { accounts });
            assert_eq!(regions[0].accounts(&applied.image_id).len(), 3);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_region_gets_the_blocks_and_the_other_a_copy_with_the_same_bytes() {
        for seed in 0..40 {
            let bench = Bench::new(&[7, 0, 9]);
            let first = Fake::new(Faults { seed, ..Faults::default() });
            let second = Fake::beside(&first, Faults { seed: seed / 2, ..Faults::default() });
            let (wanted, regions) = (bench.wanted(), [first, second]);
            let (plans, results) = bench.publish_all(&wanted, &regions, Copies::Always).await;
            assert!(matches!(plans[1].action, Action::Copy(_)), "{plans:?}");
            for (region, applied) in regions.iter().zip(&results) {
                region.heal();
                bench.assert_published(region, applied.as_ref().unwrap()).await;
            }
            assert_eq!(regions[1].puts(), 0);
            let before = regions[1].changes();
            bench.publish_all(&wanted, &regions, Copies::Always).await;
            assert_eq!(regions[1].changes(), before);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_region_that_fails_keeps_none_of_the_others() {
        let bench = Bench::new(&[7]);
        let first = Fake::new(Faults { is_billing_lost: true, ..Faults::default() });
        let regions = [first, Fake::new(Faults::default())];
        let (_, results) = bench.publish_all(&bench.wanted(), &regions, Copies::Never).await;
        assert!(results[0].is_err());
        bench.assert_published(&regions[1], results[1].as_ref().unwrap()).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_image_uses_is_litter_once_it_is_old() {
        let bench = Bench::new(&[7]);
        let region = Fake::new(Faults::default());
        let applied = bench.publish(&region).await.unwrap();
        let (cancel, late) = (Cancel::new(), "2026-01-01T00:00:00Z".parse().unwrap());
        let find = async |before| find_litter(&region, before, &cancel).await.unwrap();
        assert_eq!(find(late).await, []);
        region.forget_image(&applied.image_id);
        // Fakes begin all snapshots at the beginning of time.
        assert_eq!(find(jiff::Timestamp::UNIX_EPOCH).await, []);
        let litter = find(late).await;
        assert_eq!(litter.len(), 1);
        assert_eq!(remove_litter(&region, &litter, &bench.store, &cancel).await.unwrap(), 1);
        assert_eq!(region.ids(), (vec![], vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_it_is_heard_at_once() {
        let bench = Bench::new(&[7]);
        let region = Fake::new(Faults::default());
        let cancel = Cancel::new();
        cancel.cancel();
        let result = observe(&region, &bench.wanted(), &cancel).await;
        assert!(matches!(result, Err(ApplyError::Cancelled(_))));
    }
}
