//! Doing what a plan says.
//!
//! Everything may break off at any point, and is simply done again: a token made of the content lets the service find
//! the snapshot that was begun, a list on disk knows which blocks it has, and an image is looked for by its name before
//! one is made.

mod image;
mod snapshot;
#[cfg(test)]
mod tests;
mod wait;

use std::path::Path;
use std::sync::Arc;

use amint_store::{ImageReader, Outcome, Store, StoreError};
use amint_types::{Cancel, Cancelled};
use serde::Serialize;
use serde_json::{Value, json};

use crate::buffers::Buffers;
use crate::cloud::{CloudError, Region};
use crate::journal::{Journal, JournalError};
use crate::plan::{Action, Plan};
use crate::retry::{Patience, Stopped, again};
use crate::settings::Setting;
use crate::upload::{Disk, Progress};
use crate::wanted::Wanted;
use wait::READY_MAX;

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

    /// Writes to the log what is about to be done, does it, and writes what came of it: a failure, or what `told` makes of
    /// the rest.
    async fn logged<T>(
        &self,
        kind: &str,
        mut intent: Value,
        work: impl Future<Output = Result<T, ApplyError>>,
        told: impl FnOnce(&T) -> (Outcome, Value),
    ) -> Result<T, ApplyError> {
        intent["region"] = json!(self.plan.region);
        intent["account"] = json!(self.plan.account);
        let operation = self.store.begin(kind, &self.subject(), &intent)?;
        let done = work.await;
        let (outcome, result) = match &done {
            Ok(done) => told(done),
            Err(error) => (Outcome::Failed, json!({ "error": error.to_string() })),
        };
        self.store.finish(operation, outcome, &result)?;
        done
    }

    /// Sets what the plan wants to be set. Each of these requests may be sent again.
    async fn settle(&self, applied: &Applied) -> Result<(), ApplyError> {
        let intent = json!({ "image_id": applied.image_id, "settings": self.plan.settings });
        let set = self.try_settle(applied);
        self.logged("publish-settings", intent, set, |()| (Outcome::Succeeded, json!({}))).await
    }

    async fn try_settle(&self, applied: &Applied) -> Result<(), ApplyError> {
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
            again(Patience::Young, self.cancel, ask).await?;
        }
        Ok(())
    }
}
