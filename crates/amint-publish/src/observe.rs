//! Looking at a region, before anything is planned.

use amint_types::{Cancel, Cancelled};

use crate::apply::ApplyError;
use crate::cloud::Region;
use crate::plan::Observed;
use crate::retry::{Patience, Stopped, again};
use crate::wanted::{NAME_TAG, Wanted, is_managed};

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
    // What somebody else made is nothing to build upon, nor to make an image of: it may go at any time, and a policy of
    // least privilege does not let it be used.
    observed.lineage.retain(|snapshot| is_managed(&snapshot.tags));
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
