//! Making the image of a snapshot or a copy of another, and looking until the service agrees that it is as it should be.

use amint_store::Outcome;
use serde_json::{Value, json};

use super::wait::Wait;
use super::{Applied, ApplyError, BEGINNINGS_MAX, Work};
use crate::cloud::{CloudErrorClass, CloudImage, Region};
use crate::retry::{Patience, Stopped, UNKNOWN_MAX, again, or_cancelled};
use crate::wanted::DIGEST_TAG;

/// How many answers in a row have to agree that an image is as it should be: the service's machines differ for a while.
const AGREEMENTS: u32 = 3;

/// Returns what the log keeps of an image that was made.
fn made_image(applied: &Applied) -> (Outcome, Value) {
    let Applied { image_id, snapshot_id, .. } = applied;
    (Outcome::Succeeded, json!({ "image_id": image_id, "snapshot_id": snapshot_id }))
}

impl<R: Region> Work<'_, R> {
    /// Makes the image, unless it is there.
    pub(super) async fn register(&self, snapshot_id: &str, blocks_sent: u64) -> Result<Applied, ApplyError> {
        let intent = json!({ "name": self.wanted.name, "snapshot_id": snapshot_id });
        let made = async {
            let image_id = self.try_register(snapshot_id).await?;
            Ok(Applied { image_id, snapshot_id: snapshot_id.to_owned(), blocks_sent, is_changed: true })
        };
        self.logged("publish-image", intent, made, made_image).await
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
    pub(super) async fn copy(&self, region: &str, source_image_id: &str) -> Result<Applied, ApplyError> {
        let intent = json!({
            "name": self.wanted.name,
            "source_region": region,
            "source_image_id": source_image_id,
        });
        let copied = self.try_copy(region, source_image_id);
        self.logged("publish-copy", intent, copied, made_image).await
    }

    async fn try_copy(&self, region: &str, source_image_id: &str) -> Result<Applied, ApplyError> {
        for beginning in 0..BEGINNINGS_MAX {
            let source = (region, source_image_id);
            let request = self.wanted.copy(&self.plan.region, &self.plan.account, source, beginning);
            // The original may have been made a moment ago, and a token keeps a second try from making a second copy.
            let ask = || self.region.copy_image(&request);
            let image_id = again(Patience::Young, self.cancel, ask).await?;
            if self.appears(&image_id).await? {
                let snapshot_id = self.agree(&image_id, None).await?;
                return Ok(Applied { image_id, snapshot_id, blocks_sent: 0, is_changed: true });
            }
        }
        Err(ApplyError::GivenUp { region: self.plan.region.clone() })
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
    pub(super) async fn agree(
        &self,
        image_id: &str,
        snapshot_id: Option<&str>,
    ) -> Result<String, ApplyError> {
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
