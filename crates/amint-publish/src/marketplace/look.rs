//! What AWS has of a version that is to be submitted: its AMI, its product, the access role.

use amint_types::{Cancel, Cancelled, Digest};

use super::catalog::{AccessRole, Catalog, CatalogProduct};
use super::role::RoleArn;
use crate::apply::ApplyError;
use crate::cloud::{CloudError, CloudImage};
use crate::parameters::{Parameters, published};
use crate::retry::{Patience, Stopped, again};

/// Something that AWS has or has not, or does not tell.
pub type Seen<T> = Result<Option<T>, CloudError>;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct LookFor<'a> {
    /// The AMI; without it the newest one with the digest.
    pub image_id: Option<&'a str>,
    /// The digest of the blocks that are sold.
    pub digest: Digest,
    /// The product, where one is named.
    pub product_id: Option<&'a str>,
    /// The ARN of the access role; without it the account's `amint-marketplace`.
    pub access_role: Option<&'a str>,
}

/// What was found: each by itself, for whoever may see one need not be allowed to see another.
#[derive(Clone, Debug)]
pub struct Look {
    /// The account that asks.
    pub account: String,
    /// The ARN of the access role, there or not.
    pub role_arn: RoleArn,
    /// The AMI.
    pub image: Seen<CloudImage>,
    /// The product.
    pub product: Seen<CatalogProduct>,
    /// The access role.
    pub role: Seen<AccessRole>,
}

impl Look {
    /// Returns the first request that failed.
    pub fn error(&self) -> Option<&CloudError> {
        let errors = [self.image.as_ref().err(), self.product.as_ref().err(), self.role.as_ref().err()];
        errors.into_iter().flatten().next()
    }
}

/// Looks for all of it.
///
/// # Errors
/// Fails when not even the account is told, or the user stops it.
pub async fn look<R: Parameters, C: Catalog>(
    region: &R,
    catalog: &C,
    wanted: LookFor<'_>,
    cancel: &Cancel,
) -> Result<Look, ApplyError> {
    let account = again(Patience::First, cancel, || region.account()).await?;
    let role_arn = RoleArn::new(wanted.access_role, &account);
    let image = seen(again(Patience::Settled, cancel, || find_image(region, wanted)).await)?;
    let product = match wanted.product_id {
        Some(id) => seen(again(Patience::Settled, cancel, || catalog.product(id)).await)?,
        None => Ok(None),
    };
    // Another account's role cannot be looked at, and need not be: AWS refuses it.
    let role = if role_arn.account() == account {
        seen(again(Patience::Settled, cancel, || catalog.access_role(role_arn.name())).await)?
    } else {
        Ok(None)
    };
    Ok(Look { account, role_arn, image, product, role })
}

/// Keeps what AWS says; only the user's wish to stop ends the look.
fn seen<T>(answer: Result<Option<T>, Stopped>) -> Result<Seen<T>, Cancelled> {
    match answer {
        Ok(found) => Ok(Ok(found)),
        Err(Stopped::Cloud(error)) => Ok(Err(error)),
        Err(Stopped::Cancelled(cancelled)) => Err(cancelled),
    }
}

async fn find_image<R: Parameters>(region: &R, wanted: LookFor<'_>) -> Seen<CloudImage> {
    if let Some(id) = wanted.image_id {
        return region.image(id).await;
    }
    let images = published(region, wanted.digest).await?;
    // Several publications of the same bytes: one that can be used, and the newest of those.
    let rank = |image: &CloudImage| (image.state == "available", image.created, image.id.clone());
    Ok(images.into_iter().max_by_key(rank))
}

#[cfg(test)]
mod tests {
    use super::super::testing::FakeCatalog;
    use super::*;
    use crate::testing::{Fake, Faults};
    use crate::wanted::{DIGEST_TAG, MANAGED_TAG};

    fn image(id: &str, state: &str, digest: Digest) -> CloudImage {
        CloudImage {
            id: id.to_owned(),
            state: state.to_owned(),
            tags: [(DIGEST_TAG, digest.to_string()), (MANAGED_TAG, "true".to_owned())]
                .map(|(key, value)| (key.to_owned(), value))
                .into(),
            ..CloudImage::default()
        }
    }

    fn wanted(digest: Digest) -> LookFor<'static> {
        LookFor { image_id: None, digest, product_id: Some("prod-1"), access_role: None }
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_amis_of_the_same_bytes_one_that_can_be_used_is_taken() {
        let (digest, cancel) = (Digest::of(b"web"), Cancel::new());
        // Faults at random: each request that only reads is sent again.
        let region = Fake::new(Faults { seed: 7, ..Faults::default() });
        for (id, state) in [("ami-1", "disabled"), ("ami-2", "available"), ("ami-3", "pending")] {
            region.put_image(image(id, state, digest));
        }
        region.put_image(image("ami-9", "available", Digest::of(b"another")));
        let found = look(&region, &FakeCatalog::default(), wanted(digest), &cancel).await.unwrap();
        assert_eq!(found.image.unwrap().unwrap().id, "ami-2");
        assert_eq!(found.role_arn.as_str(), "arn:aws:iam::123456789012:role/amint-marketplace");
        let named = LookFor { image_id: Some("ami-9"), ..wanted(digest) };
        let found = look(&region, &FakeCatalog::default(), named, &cancel).await.unwrap();
        assert_eq!(found.image.unwrap().unwrap().id, "ami-9");
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_not_be_seen_hides_nothing_else() {
        let (digest, cancel) = (Digest::of(b"web"), Cancel::new());
        let region = Fake::new(Faults::default());
        region.put_image(image("ami-1", "available", digest));
        let catalog = FakeCatalog { is_closed: true, ..FakeCatalog::default() };
        let found = look(&region, &catalog, wanted(digest), &cancel).await.unwrap();
        assert!(found.image.as_ref().unwrap().is_some() && found.role.as_ref().unwrap().is_none());
        assert!(found.error().unwrap().to_string().contains("AccessDeniedException"));
        cancel.cancel();
        assert!(matches!(
            look(&region, &catalog, wanted(digest), &cancel).await,
            Err(ApplyError::Cancelled(_))
        ));
    }
}
