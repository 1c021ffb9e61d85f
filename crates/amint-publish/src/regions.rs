//! Several regions at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use amint_store::{ImageReader, ImageRecord, Manifest, Store, StoreError};
use amint_types::{Cancel, Digest};
use futures_util::future::{join_all, try_join_all};

use crate::apply::{Applied, ApplyError, Publication, apply};
use crate::buffers::Buffers;
use crate::cloud::Region;
use crate::copies::{Copies, choose};
use crate::observe::{observe, observe_tag_policy};
use crate::plan::{Action, Copy, Plan, plan};
use crate::wanted::{Settings, Wanted};

/// What happens in a region.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RegionEvent<'a> {
    /// The work in it begins.
    Started,
    /// Blocks were sent.
    Sent {
        /// How many so far.
        done: u64,
        /// How many there are to send.
        total: u64,
    },
    /// The work in it has ended.
    Ended(&'a Result<Applied, ApplyError>),
}

/// Listens to what happens in regions.
pub type RegionProgress<'a> = dyn Fn(&Plan, RegionEvent<'_>) + Sync + 'a;

/// Looks at regions, and plans what has to happen in each.
///
/// # Errors
/// Fails when a region cannot be looked at: a plan of some regions would not be what was asked for.
pub async fn plan_all<R: Region>(
    regions: &[R],
    wanted: &Wanted,
    manifest: &Manifest,
    known: &dyn Fn(Digest) -> Option<Manifest>,
    copies: Copies,
    cancel: &Cancel,
) -> Result<Vec<Plan>, ApplyError> {
    let looks = regions.iter().map(|region| observe(region, wanted, cancel));
    let mut observed = try_join_all(looks).await?;
    observe_tag_policy(regions, &mut observed, cancel).await?;
    let mut plans: Vec<Plan> =
        observed.iter().map(|observed| plan(wanted, observed, manifest, known)).collect();
    choose(&mut plans, copies);
    Ok(plans)
}

/// Plans what other accounts need to have copies of their own, in regions of theirs. `sources` are the images of those regions,
/// as far as they are there already.
///
/// # Errors
/// As [`plan_all`].
pub async fn plan_copies<R: Region>(
    regions: &[R],
    wanted: &Wanted,
    manifest: &Manifest,
    sources: &BTreeMap<String, String>,
    cancel: &Cancel,
) -> Result<Vec<Plan>, ApplyError> {
    let wanted = of_copy(wanted);
    let mut observed = try_join_all(regions.iter().map(|region| observe(region, &wanted, cancel))).await?;
    observe_tag_policy(regions, &mut observed, cancel).await?;
    let plans = observed.iter().map(|observed| {
        let mut plan = plan(&wanted, observed, manifest, &|_| None);
        if let Action::Upload(upload) = &plan.action {
            plan.action = Action::Copy(Copy {
                source_region: observed.region.clone(),
                source_image_id: sources.get(&observed.region).cloned(),
                bytes: upload.bytes,
            });
        }
        plan
    });
    Ok(plans.collect())
}

/// Returns what the copy of another account shall be: that account decides with whom it shares, and the watermarks of this
/// one come along by themselves.
pub fn of_copy(wanted: &Wanted) -> Wanted {
    let Settings { deprecate_at, protection, .. } = wanted.settings;
    let settings = Settings { deprecate_at, protection, ..Settings::default() };
    Wanted { settings, ..wanted.clone() }
}

/// What is to be done in several regions.
#[derive(Debug)]
pub struct Batch<'a, R> {
    /// The regions.
    pub regions: &'a [R],
    /// Their plans, in the same order.
    pub plans: &'a [Plan],
    /// What the regions shall hold.
    pub wanted: &'a Wanted,
    /// The image in the store.
    pub record: &'a ImageRecord,
    /// The store.
    pub store: &'a Store,
    /// The folder for lists of blocks that were sent.
    pub folder: &'a Path,
}

/// Does what plans say, in all regions at once; one that fails keeps none of the others, but for those that copy from it.
/// The results are in the order of the plans.
pub async fn apply_all<R: Region>(
    batch: &Batch<'_, R>,
    progress: &RegionProgress<'_>,
    cancel: &Cancel,
) -> Vec<Result<Applied, ApplyError>> {
    let is_copy = |index: &usize| matches!(batch.plans[*index].action, Action::Copy(_));
    let image = match batch.store.reader(batch.record) {
        Ok(image) => Arc::new(image),
        Err(error) => return failed_everywhere(batch, error),
    };
    let blocks = (image, Buffers::default());
    let all = 0..batch.plans.len().min(batch.regions.len());
    let (copies, others): (Vec<usize>, Vec<usize>) = all.partition(is_copy);
    let mut results: BTreeMap<usize, Result<Applied, ApplyError>> = BTreeMap::new();
    for indexes in [others, copies] {
        let images: BTreeMap<String, String> = results
            .iter()
            .filter_map(|(index, result)| {
                let applied = result.as_ref().ok()?;
                Some((batch.plans[*index].region.clone(), applied.image_id.clone()))
            })
            .collect();
        let works = indexes.iter().map(async |index| {
            let plan = &batch.plans[*index];
            progress(plan, RegionEvent::Started);
            let result = one(batch, *index, &blocks, &images, progress, cancel).await;
            progress(plan, RegionEvent::Ended(&result));
            result
        });
        let ended = join_all(works).await;
        results.extend(indexes.into_iter().zip(ended));
    }
    results.into_values().collect()
}

/// Without the image nothing can be done anywhere: the first region tells why.
fn failed_everywhere<R>(batch: &Batch<'_, R>, error: StoreError) -> Vec<Result<Applied, ApplyError>> {
    let rest =
        batch.plans.iter().skip(1).map(|plan| Err(ApplyError::NoImage { region: plan.region.clone() }));
    std::iter::once(Err(error.into())).chain(rest).take(batch.plans.len()).collect()
}

async fn one<R: Region>(
    batch: &Batch<'_, R>,
    index: usize,
    (image, buffers): &(Arc<ImageReader>, Buffers),
    images: &BTreeMap<String, String>,
    progress: &RegionProgress<'_>,
    cancel: &Cancel,
) -> Result<Applied, ApplyError> {
    let (region, plan) = (&batch.regions[index], &batch.plans[index]);
    let source_image_id = match &plan.action {
        Action::Copy(copy) => images.get(&copy.source_region).cloned(),
        _ => None,
    };
    let publication = Publication {
        wanted: batch.wanted,
        plan,
        image: Arc::clone(image),
        buffers: buffers.clone(),
        store: batch.store,
        folder: batch.folder,
        source_image_id,
    };
    let told = |done, total| progress(plan, RegionEvent::Sent { done, total });
    apply(region, publication, &told, cancel).await
}
