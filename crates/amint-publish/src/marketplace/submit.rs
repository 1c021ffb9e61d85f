//! Change sets: started once, and followed to their end.

use std::time::Duration;

use amint_store::{Outcome, Store};
use amint_types::{Cancel, Digest};
use serde_json::{Value, json};

use super::catalog::{Catalog, CatalogProduct, ChangeSetState, ChangeSetStatus, StartChangeSet};
use super::listing::Listing;
use crate::apply::ApplyError;
use crate::cloud::{CloudError, CloudErrorClass};
use crate::retry::{Patience, again, or_cancelled};

/// How often it is looked whether a change set has ended, at first and at last: AWS takes hours.
const LOOK: Duration = Duration::from_secs(1);
const LOOK_MAX: Duration = Duration::from_mins(1);
/// How long the name of a change set is at most, and how much of it tells the content.
const NAME_CHARS_MAX: usize = 100;
const MARK_CHARS: usize = 12;

/// What is submitted.
#[derive(Clone, Copy, Debug)]
pub struct Submission<'a> {
    /// What the version says of itself.
    pub listing: &'a Listing,
    /// The AMI in us-east-1.
    pub image_id: &'a str,
    /// What operations are logged about: `web:1.4.0`.
    pub subject: &'a str,
    /// Whether it is only looked at, and not done.
    pub is_validation: bool,
}

impl Submission<'_> {
    fn request(&self) -> StartChangeSet {
        let details = self.listing.details(self.image_id);
        let verb = if self.is_validation { "validate" } else { "add" };
        let content = content_digest(verb, &self.listing.product_id, &details);
        StartChangeSet {
            product_id: self.listing.product_id.clone(),
            change_type: "AddDeliveryOptions",
            details,
            name: change_set_name(verb, self.subject, &content),
            client_token: content,
            is_validation: self.is_validation,
        }
    }
}

fn content_digest(verb: &str, product_id: &str, details: &Value) -> String {
    Digest::of(format!("{verb}\0{product_id}\0{details}").as_bytes()).to_string()
}

/// Names a change set: up to 100 letters of a few kinds (`StartChangeSet`, `ChangeSetName`). The end of the name is that of
/// the digest of its content, for lists of change sets tell nothing else of what is in them.
fn change_set_name(verb: &str, subject: &str, content: &str) -> String {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || " _+=.:@-".contains(letter);
    let mark: String = content.chars().rev().take(MARK_CHARS).collect();
    let text = format!("amint {verb} {subject}");
    let text = text.chars().map(|letter| if is_allowed(letter) { letter } else { '-' });
    text.take(NAME_CHARS_MAX - MARK_CHARS - 1).chain([' ']).chain(mark.chars().rev()).collect()
}

/// Starts the change set that adds a version, and returns its id; none when the product has the version already.
///
/// # Errors
/// Fails when AWS refuses or fails, or the store cannot log it.
pub async fn submit<C: Catalog>(
    catalog: &C,
    submission: &Submission<'_>,
    product: &CatalogProduct,
    store: &Store,
    cancel: &Cancel,
) -> Result<Option<String>, ApplyError> {
    let has = |title: &str, id: &str| title == submission.listing.title && id == submission.image_id;
    if !submission.is_validation
        && product.versions.iter().any(|version| has(&version.title, &version.image_id))
    {
        return Ok(None);
    }
    start(catalog, &submission.request(), submission.subject, store, cancel).await.map(Some)
}

/// Starts the change set that hides delivery options from new buyers, and returns its id.
///
/// # Errors
/// As [`submit`].
pub async fn restrict<C: Catalog>(
    catalog: &C,
    product_id: &str,
    options: &[String],
    subject: &str,
    store: &Store,
    cancel: &Cancel,
) -> Result<String, ApplyError> {
    let details = json!({ "DeliveryOptionIds": options });
    let content = content_digest("restrict", product_id, &details);
    let request = StartChangeSet {
        product_id: product_id.to_owned(),
        change_type: "RestrictDeliveryOptions",
        details,
        name: change_set_name("restrict", subject, &content),
        client_token: content,
        is_validation: false,
    };
    start(catalog, &request, subject, store, cancel).await
}

async fn start<C: Catalog>(
    catalog: &C,
    request: &StartChangeSet,
    subject: &str,
    store: &Store,
    cancel: &Cancel,
) -> Result<String, ApplyError> {
    // One that runs already, of the same content, is followed: a token may be forgotten in the hours that it takes.
    let known = again(Patience::Settled, cancel, || catalog.change_sets(&request.product_id)).await?;
    let same = known.iter().find(|set| set.name == request.name);
    if let Some(running) = same.filter(|set| !set.status.is_end()) {
        return Ok(running.id.clone());
    }
    if let Some(other) = known.iter().find(|set| !set.status.is_end()) {
        return Err(CloudError {
            operation: "aws-marketplace:StartChangeSet",
            region: super::REGION.to_owned(),
            class: CloudErrorClass::Conflict,
            code: Some("ResourceInUseException".to_owned()),
            message: format!(
                "the change set {} ({}) runs for {}: one at a time",
                other.id, other.name, request.product_id
            ),
            request_id: None,
        }
        .into());
    }
    let request = &after(request, same);
    let intent = json!({
        "product": request.product_id, "change": request.change_type, "details": request.details,
        "validation": request.is_validation,
    });
    let operation = store.begin("marketplace", subject, &intent)?;
    let started = again(Patience::Settled, cancel, || catalog.start(request)).await.map_err(ApplyError::from);
    match started {
        Ok(id) => {
            store.finish(operation, Outcome::Succeeded, &json!({ "change_set": id }))?;
            Ok(id)
        }
        Err(error) => {
            store.finish(operation, Outcome::Failed, &json!({ "error": error.to_string() }))?;
            Err(error)
        }
    }
}

/// Changes the token of a request whose content was asked for before, and ended: with the token of then, AWS would answer
/// with the set of then, for all time.
fn after(request: &StartChangeSet, ended: Option<&ChangeSetState>) -> StartChangeSet {
    let mut request = request.clone();
    if let Some(ended) = ended {
        let content = format!("{}\0{}", request.client_token, ended.id);
        request.client_token = Digest::of(content.as_bytes()).to_string();
    }
    request
}

/// Waits for the end of a change set, and tells each state that it goes through.
///
/// # Errors
/// Fails when AWS refuses or fails, or the user stops it: the change set goes on, and can be followed again.
pub async fn follow<C: Catalog>(
    catalog: &C,
    id: &str,
    progress: &(dyn Fn(ChangeSetStatus) + Sync),
    cancel: &Cancel,
) -> Result<ChangeSetState, ApplyError> {
    let (mut told, mut pause) = (None, LOOK);
    loop {
        let state = again(Patience::Young, cancel, || async {
            let found = catalog.change_set(id).await?;
            found.ok_or_else(|| CloudError {
                operation: "aws-marketplace:DescribeChangeSet",
                region: super::REGION.to_owned(),
                class: CloudErrorClass::NotFound,
                code: None,
                message: format!("there is no change set {id}"),
                request_id: None,
            })
        })
        .await?;
        if told != Some(state.status) {
            progress(state.status);
            told = Some(state.status);
        }
        if state.status.is_end() {
            return Ok(state);
        }
        or_cancelled(cancel, tokio::time::sleep(pause)).await.map_err(ApplyError::from)?;
        pause = (pause * 3 / 2).min(LOOK_MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::catalog::CatalogVersion;
    use super::super::testing::FakeCatalog as Fake;
    use super::*;
    use crate::testing::stored;

    fn submission(listing: &Listing) -> Submission<'_> {
        Submission { listing, image_id: "ami-1", subject: "web:1.0.0", is_validation: false }
    }

    #[tokio::test(start_paused = true)]
    async fn a_version_is_submitted_once_whatever_is_lost_and_followed_to_its_end() {
        let (_folder, store, _) = stored(&[7]);
        let (catalog, listing, cancel) = (Fake::default(), Listing::default(), Cancel::new());
        *catalog.losses.lock().unwrap() = 2;
        let product = CatalogProduct::default();
        let id = submit(&catalog, &submission(&listing), &product, &store, &cancel).await.unwrap().unwrap();
        let again =
            submit(&catalog, &submission(&listing), &product, &store, &cancel).await.unwrap().unwrap();
        assert_eq!((&id, catalog.sets.lock().unwrap().len()), (&again, 1));
        let other = Listing { product_id: "prod-2".to_owned(), ..Listing::default() };
        let different = Submission { subject: "web:2.0.0", ..submission(&other) };
        let busy = submit(&catalog, &different, &product, &store, &cancel).await.unwrap_err();
        assert!(busy.to_string().contains("one at a time"), "{busy}");
        let told = Mutex::new(Vec::new());
        let end = follow(&catalog, &id, &|status| told.lock().unwrap().push(status), &cancel).await.unwrap();
        assert_eq!(end.status, ChangeSetStatus::Succeeded);
        assert_eq!(told.lock().unwrap().len(), 3);
        let version = CatalogVersion {
            title: String::new(),
            image_id: "ami-1".to_owned(),
            ..CatalogVersion::default()
        };
        let product = CatalogProduct { versions: vec![version], ..product };
        let nothing = submit(&catalog, &submission(&listing), &product, &store, &cancel).await.unwrap();
        assert_eq!(nothing, None, "the product has it");
    }

    #[tokio::test(start_paused = true)]
    async fn what_aws_found_is_told_and_nothing_is_submitted_again() {
        let (_folder, store, _) = stored(&[7]);
        let catalog = Fake { is_refusing: true, ..Fake::default() };
        let (listing, cancel) = (Listing::default(), Cancel::new());
        let product = CatalogProduct::default();
        let id = submit(&catalog, &submission(&listing), &product, &store, &cancel).await.unwrap().unwrap();
        let end = follow(&catalog, &id, &|_| {}, &cancel).await.unwrap();
        assert_eq!((end.status, end.errors[0].code.as_str()), (ChangeSetStatus::Failed, "SCAN_ERROR"));
        assert_eq!(catalog.sets.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_the_same_version_can_be_submitted_again_and_each_time_once() {
        let (_folder, store, _) = stored(&[7]);
        let catalog = Fake { is_refusing: true, ..Fake::default() };
        let (listing, cancel, product) = (Listing::default(), Cancel::new(), CatalogProduct::default());
        let mut ids = Vec::new();
        for _ in 0..3 {
            *catalog.losses.lock().unwrap() = 1;
            let id =
                submit(&catalog, &submission(&listing), &product, &store, &cancel).await.unwrap().unwrap();
            follow(&catalog, &id, &|_| {}, &cancel).await.unwrap();
            ids.push(id);
        }
        assert_eq!(ids, ["set-0", "set-1", "set-2"], "the end of the last one is no answer to the next");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_runs_of_another_content_is_not_taken_for_the_same() {
        let (_folder, store, _) = stored(&[7]);
        let (catalog, cancel, product) = (Fake::default(), Cancel::new(), CatalogProduct::default());
        let listing = Listing::default();
        submit(&catalog, &submission(&listing), &product, &store, &cancel).await.unwrap().unwrap();
        let rebuilt = Submission { image_id: "ami-2", ..submission(&listing) };
        let busy = submit(&catalog, &rebuilt, &product, &store, &cancel).await.unwrap_err();
        assert!(busy.to_string().contains("ResourceInUseException"), "{busy}");
    }

    #[test]
    fn a_name_fits_and_tells_its_content_however_long_the_image_s_is() {
        let long = change_set_name("add", &"ü/".repeat(80), &"a1".repeat(32));
        assert_eq!((long.len(), long.ends_with(" a1a1a1a1a1a1")), (100, true), "{long}");
        assert_eq!(change_set_name("add", "web:1", &"f".repeat(64)), "amint add web:1 ffffffffffff");
    }
}
