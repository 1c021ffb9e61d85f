//! Channels: parameters of Systems Manager that tell which image is `latest`, or `stable`.
//!
//! A channel has a parameter of the same name in each region, whose value is the image there. Promoting moves it in all
//! regions or in none: what was done before a region failed is taken back.

use std::time::Duration;

use amint_store::{Outcome, Store};
use amint_types::{Cancel, Digest};
use serde::Serialize;
use serde_json::json;

use crate::apply::ApplyError;
use crate::cloud::{CloudErrorClass, CloudImage, Tags};
use crate::parameters::{Parameter, ParameterVersion, Parameters, PutParameter, published};
use crate::plan::Problem;
use crate::retry::{Patience, again, or_cancelled};
use crate::wanted::{MANAGED_TAG, is_managed};

/// How descriptions of values begin that amint set: those it moves back to.
const MARK: &str = "amint: ";
/// How long a value may take until it is told: the service looks for the image first, and answers before.
const TOLD_MAX: Duration = Duration::from_mins(2);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// What is to be promoted, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion<'a> {
    /// `web:1.4.0`.
    pub subject: &'a str,
    /// The digest of its blocks.
    pub digest: Digest,
    /// The parameter.
    pub parameter: &'a str,
    /// Whether a parameter that somebody else made may be moved.
    pub takes_over: bool,
}

/// What has to happen to a channel in a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelPlan {
    /// The region.
    pub region: String,
    /// The parameter.
    pub parameter: String,
    /// What has to happen.
    pub step: ChannelStep,
    /// The description that the value gets.
    #[serde(skip)]
    description: String,
}

/// A step of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChannelStep {
    /// It names the image already.
    Nothing {
        /// The image.
        image_id: String,
    },
    /// There is no such parameter yet.
    Create {
        /// The image.
        image_id: String,
    },
    /// It names another image.
    Move {
        /// The one that it names.
        from: String,
        /// The one that it shall name.
        image_id: String,
    },
    /// It cannot be done.
    Refuse {
        /// Why.
        problems: Vec<Problem>,
    },
}

impl ChannelPlan {
    /// Tells whether nothing has to be changed.
    pub fn is_nothing(&self) -> bool {
        matches!(self.step, ChannelStep::Nothing { .. })
    }

    /// Returns what stands in the way.
    pub fn problems(&self) -> &[Problem] {
        match &self.step {
            ChannelStep::Refuse { problems } => problems,
            _ => &[],
        }
    }
}

/// Plans the promotion of an image in a region.
///
/// # Errors
/// Fails when the cloud refuses or fails.
pub async fn plan_promotion<R: Parameters>(
    region: &R,
    promotion: &Promotion<'_>,
    cancel: &Cancel,
) -> Result<ChannelPlan, ApplyError> {
    let digest = promotion.digest;
    let images = again(Patience::First, cancel, || published(region, digest)).await?;
    let usable = images.iter().filter(|image| image.state == "available");
    // Of several, all of which have the same bytes, the one that sorts first: the same each time.
    let image = usable.min_by(|one, other| one.id.cmp(&other.id));
    let step = match image {
        None => {
            ChannelStep::Refuse { problems: vec![not_published(promotion.subject, region.name(), &images)] }
        }
        Some(image) => step_to(region, promotion, &image.id, cancel).await?,
    };
    let description = format!("{MARK}{} {digest}", promotion.subject);
    Ok(ChannelPlan {
        region: region.name().to_owned(),
        parameter: promotion.parameter.to_owned(),
        step,
        description,
    })
}

/// Plans what becomes of a channel once the image is there: it is called `the new image`.
///
/// # Errors
/// Fails when the cloud refuses or fails.
pub async fn preview_promotion<R: Parameters>(
    region: &R,
    promotion: &Promotion<'_>,
    cancel: &Cancel,
) -> Result<ChannelPlan, ApplyError> {
    Ok(ChannelPlan {
        region: region.name().to_owned(),
        parameter: promotion.parameter.to_owned(),
        step: step_to(region, promotion, "the new image", cancel).await?,
        description: String::new(),
    })
}

fn not_published(subject: &str, region: &str, images: &[CloudImage]) -> Problem {
    match images.first() {
        None => Problem {
            message: format!("{subject} is not published in {region}"),
            hint: format!(
                "publish it first (`amint publish {subject} --region {region}`), or name other regions"
            ),
        },
        Some(image) => Problem {
            message: format!("the image {} of {subject} in {region} is {}", image.id, image.state),
            hint: "wait for it, or enable it again".to_owned(),
        },
    }
}

async fn step_to<R: Parameters>(
    region: &R,
    promotion: &Promotion<'_>,
    image_id: &str,
    cancel: &Cancel,
) -> Result<ChannelStep, ApplyError> {
    let name = promotion.parameter;
    let Some(parameter) = again(Patience::Settled, cancel, || region.parameter(name)).await? else {
        return Ok(ChannelStep::Create { image_id: image_id.to_owned() });
    };
    let image_id = image_id.to_owned();
    if parameter.value == image_id {
        return Ok(ChannelStep::Nothing { image_id });
    }
    if !promotion.takes_over && !is_own(region, name, cancel).await? {
        let message = format!(
            "somebody else made the parameter {name} in {}: it is {}",
            region.name(),
            parameter.value
        );
        let hint =
            "`--take-over` moves it all the same; or choose another path with `--parameter`".to_owned();
        return Ok(ChannelStep::Refuse { problems: vec![Problem { message, hint }] });
    }
    Ok(ChannelStep::Move { from: parameter.value, image_id })
}

/// Tells whether amint made a parameter.
async fn is_own<R: Parameters>(region: &R, name: &str, cancel: &Cancel) -> Result<bool, ApplyError> {
    let tags = again(Patience::Settled, cancel, || region.parameter_tags(name)).await?;
    Ok(is_managed(&tags))
}

/// Plans to move a channel back to the image that amint set it to before.
///
/// # Errors
/// Fails when the cloud refuses or fails.
pub async fn plan_undo<R: Parameters>(
    region: &R,
    name: &str,
    cancel: &Cancel,
) -> Result<ChannelPlan, ApplyError> {
    let refuse = |message: String, hint: &str| ChannelStep::Refuse {
        problems: vec![Problem { message, hint: hint.to_owned() }],
    };
    let place = region.name().to_owned();
    let plan = |step, description| ChannelPlan {
        region: place.clone(),
        parameter: name.to_owned(),
        step,
        description,
    };
    let Some(parameter) = again(Patience::First, cancel, || region.parameter(name)).await? else {
        let step = refuse(format!("there is no parameter {name} in {place}"), "promote an image first");
        return Ok(plan(step, String::new()));
    };
    let history = again(Patience::Settled, cancel, || region.parameter_history(name)).await?;
    let Some(before) = before(&history, &parameter) else {
        let message = format!("{name} in {place} was never moved by amint: there is nothing to go back to");
        return Ok(plan(refuse(message, "promote the image that it shall name"), String::new()));
    };
    let image = again(Patience::Settled, cancel, || region.image(&before.value)).await?;
    let step = match image {
        Some(image) if image.state == "available" => {
            ChannelStep::Move { from: parameter.value, image_id: before.value.clone() }
        }
        image => {
            let state = image.map_or("gone".to_owned(), |image| image.state);
            let message = format!("{}, which {name} in {place} named before, is {state}", before.value);
            refuse(message, "promote another image")
        }
    };
    Ok(plan(step, before.description.clone()))
}

/// Finds the value before the present one that amint set.
fn before<'h>(history: &'h [ParameterVersion], parameter: &Parameter) -> Option<&'h ParameterVersion> {
    let is_before = |one: &&ParameterVersion| {
        one.version < parameter.version && one.value != parameter.value && one.description.starts_with(MARK)
    };
    history.iter().filter(is_before).max_by_key(|one| one.version)
}

/// What came of a promotion.
#[derive(Debug, Default)]
pub struct Promoted {
    /// Regions that were changed.
    pub changed: Vec<String>,
    /// The region that failed, and why; none when all went well.
    pub failed: Option<(String, ApplyError)>,
    /// Regions that were changed, and could not be changed back after another had failed.
    pub stuck: Vec<(String, ApplyError)>,
}

/// Does what plans say, in all regions or in none. `plans` are those of `regions`, in their order.
///
/// # Errors
/// Fails when the store cannot log what is done: nothing was changed then beyond what it tells.
pub async fn promote_all<R: Parameters>(
    regions: &[R],
    plans: &[ChannelPlan],
    subject: &str,
    store: &Store,
    cancel: &Cancel,
) -> Result<Promoted, ApplyError> {
    let mut promoted = Promoted::default();
    let mut done: Vec<(&R, &ChannelPlan)> = Vec::new();
    for (region, plan) in regions.iter().zip(plans) {
        let (image_id, is_new) = match &plan.step {
            ChannelStep::Nothing { .. } => continue,
            ChannelStep::Create { image_id } => (image_id, true),
            ChannelStep::Move { image_id, .. } => (image_id, false),
            ChannelStep::Refuse { .. } => {
                promoted.failed =
                    Some((plan.region.clone(), ApplyError::Refused { region: plan.region.clone() }));
                break;
            }
        };
        let subject = format!("{subject}@{}", plan.region);
        let intent = json!({ "region": plan.region, "parameter": plan.parameter, "plan": plan });
        let operation = store.begin("promote", &subject, &intent)?;
        let value = Value { image_id, description: &plan.description, is_new };
        let result = set(region, &plan.parameter, &value, cancel).await;
        // Whatever came of it may have been done.
        done.push((region, plan));
        match result {
            Ok(version) => {
                store.finish(operation, Outcome::Succeeded, &json!({ "version": version }))?;
                promoted.changed.push(plan.region.clone());
            }
            Err(error) => {
                store.finish(operation, Outcome::Failed, &json!({ "error": error.to_string() }))?;
                promoted.failed = Some((plan.region.clone(), error));
                break;
            }
        }
    }
    if promoted.failed.is_some() {
        // Also when the user stopped it: half a promotion is worse than a moment more.
        let patient = Cancel::new();
        for (region, plan) in done.into_iter().rev() {
            let operation =
                store.begin("promote-back", &format!("{subject}@{}", plan.region), &json!(plan))?;
            match take_back(region, plan, &patient).await {
                Ok(()) => {
                    store.finish(operation, Outcome::Succeeded, &json!({}))?;
                    promoted.changed.retain(|changed| *changed != plan.region);
                }
                Err(error) => {
                    store.finish(operation, Outcome::Failed, &json!({ "error": error.to_string() }))?;
                    promoted.stuck.push((plan.region.clone(), error));
                }
            }
        }
    }
    Ok(promoted)
}

/// What a parameter is set to.
struct Value<'a> {
    image_id: &'a str,
    description: &'a str,
    is_new: bool,
}

/// Sets a parameter, and waits until it is told so: the service takes a value before it looked whether there is such an image.
async fn set<R: Parameters>(
    region: &R,
    name: &str,
    value: &Value<'_>,
    cancel: &Cancel,
) -> Result<u64, ApplyError> {
    let tags = || Tags::from([(MANAGED_TAG.to_owned(), "true".to_owned())]);
    let request = PutParameter {
        name: name.to_owned(),
        value: value.image_id.to_owned(),
        description: value.description.to_owned(),
        tags: value.is_new.then(tags),
    };
    let put = again(Patience::Settled, cancel, || region.put_parameter(&request)).await;
    let version = match put.map_err(ApplyError::from) {
        Ok(version) => Some(version),
        // The answer to an earlier attempt was lost: what counts is what it is.
        Err(ApplyError::Cloud(error)) if value.is_new && error.class == CloudErrorClass::Conflict => None,
        Err(error) => return Err(error),
    };
    let mut waited = Duration::ZERO;
    loop {
        let told = again(Patience::Settled, cancel, || region.parameter(name)).await?;
        if let Some(told) = told.filter(|told| told.value == value.image_id) {
            return Ok(version.unwrap_or(told.version));
        }
        if waited >= TOLD_MAX {
            return Err(ApplyError::NotReady { what: format!("the value {} of {name}", value.image_id) });
        }
        or_cancelled(cancel, tokio::time::sleep(LOOK)).await.map_err(ApplyError::from)?;
        waited += LOOK;
    }
}

async fn take_back<R: Parameters>(region: &R, plan: &ChannelPlan, cancel: &Cancel) -> Result<(), ApplyError> {
    let name = &plan.parameter;
    let found = again(Patience::Settled, cancel, || region.parameter(name)).await?;
    match (&plan.step, found) {
        (ChannelStep::Create { image_id }, Some(found)) if found.value == *image_id => {
            match again(Patience::Settled, cancel, || region.delete_parameter(name))
                .await
                .map_err(ApplyError::from)
            {
                Err(ApplyError::Cloud(error)) if error.class == CloudErrorClass::NotFound => Ok(()),
                result => result,
            }
        }
        (ChannelStep::Move { from, image_id }, Some(found)) if found.value == *image_id => {
            let history = again(Patience::Settled, cancel, || region.parameter_history(name)).await?;
            let of_before = history.iter().rev().find(|one| one.value == *from);
            let description = of_before.map(|one| one.description.clone()).unwrap_or_default();
            let value = Value { image_id: from, description: &description, is_new: false };
            set(region, name, &value, cancel).await.map(drop)
        }
        // It was not changed, or by somebody else since.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, Faults, image_of, stored};
    use crate::wanted::{DIGEST_TAG, Wanted};

    const NAME: &str = "/golden/web/stable";

    struct Bench {
        _folder: tempfile::TempDir,
        store: Store,
        wanted: Wanted,
    }

    impl Bench {
        fn new() -> Self {
            let (folder, store, record) = stored(&[7]);
            Self { _folder: folder, store, wanted: Wanted::of(&record, &Tags::new()) }
        }

        fn promotion(&self) -> Promotion<'_> {
            Promotion {
                subject: &self.wanted.subject,
                digest: self.wanted.digest,
                parameter: NAME,
                takes_over: false,
            }
        }

        /// Returns two regions that have the image.
        fn regions(&self, faults: [Faults; 2]) -> [Fake; 2] {
            let [one, two] = faults;
            let one = Fake::new(one);
            let two = Fake::beside(&one, two);
            for region in [&one, &two] {
                region.put_image(image_of(&self.wanted, "ami-1", "snap-1"));
            }
            [one, two]
        }

        async fn promote(&self, regions: &[Fake]) -> Promoted {
            let cancel = Cancel::new();
            let mut plans = Vec::new();
            for region in regions {
                plans.push(plan_promotion(region, &self.promotion(), &cancel).await.unwrap());
            }
            promote_all(regions, &plans, &self.wanted.subject, &self.store, &cancel).await.unwrap()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_channel_is_made_moved_once_and_moved_back() {
        let bench = Bench::new();
        let regions = bench.regions([Faults::default(); 2]);
        // Somebody else's image of the same bytes is nothing to name.
        let mut foreign = image_of(&bench.wanted, "ami-0", "snap-0");
        foreign.tags.remove(MANAGED_TAG);
        regions[0].put_image(foreign);
        let first = bench.promote(&regions).await;
        assert!(first.failed.is_none() && first.changed == ["eu-west-1", "us-east-1"], "{first:?}");
        assert_eq!(regions[0].parameters(), [(NAME.to_owned(), "ami-1".to_owned())]);
        let changes = regions[0].changes();
        assert!(bench.promote(&regions).await.changed.is_empty());
        assert_eq!(regions[0].changes(), changes, "nothing was to be done");
        let cancel = Cancel::new();
        let undo = plan_undo(&regions[0], NAME, &cancel).await.unwrap();
        assert_eq!(undo.problems().len(), 1, "there is nothing before: {undo:?}");

        let newer = Wanted {
            subject: "web:2.0.0".to_owned(),
            digest: crate::testing::digest_of(&[8]),
            ..bench.wanted.clone()
        };
        let mut image = image_of(&newer, "ami-2", "snap-2");
        image.tags.insert(DIGEST_TAG.to_owned(), newer.digest.to_string());
        regions[0].put_image(image);
        let promotion = Promotion { subject: &newer.subject, digest: newer.digest, ..bench.promotion() };
        let plan = plan_promotion(&regions[0], &promotion, &cancel).await.unwrap();
        let from = ChannelStep::Move { from: "ami-1".to_owned(), image_id: "ami-2".to_owned() };
        assert_eq!(plan.step, from);
        let one = &regions[..1];
        promote_all(one, &[plan], "web:2.0.0", &bench.store, &cancel).await.unwrap();
        let undo = plan_undo(&regions[0], NAME, &cancel).await.unwrap();
        let back = ChannelStep::Move { from: "ami-2".to_owned(), image_id: "ami-1".to_owned() };
        assert_eq!(undo.step, back);
        promote_all(one, &[undo], "web", &bench.store, &cancel).await.unwrap();
        assert_eq!(regions[0].parameters(), [(NAME.to_owned(), "ami-1".to_owned())]);
        regions[0].forget_image("ami-2");
        let undo = plan_undo(&regions[0], NAME, &cancel).await.unwrap();
        assert!(undo.problems()[0].message.contains("is gone"), "{undo:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_image_that_is_not_everywhere_and_a_parameter_of_somebody_else_are_told() {
        let bench = Bench::new();
        let [one, two] = bench.regions([Faults::default(); 2]);
        two.forget_image("ami-1");
        one.put_foreign_parameter(NAME, "ami-9");
        let cancel = Cancel::new();
        let plan = plan_promotion(&one, &bench.promotion(), &cancel).await.unwrap();
        assert!(plan.problems()[0].message.contains("somebody else"), "{plan:?}");
        let taken = Promotion { takes_over: true, ..bench.promotion() };
        assert!(plan_promotion(&one, &taken, &cancel).await.unwrap().problems().is_empty());
        let plan = plan_promotion(&two, &bench.promotion(), &cancel).await.unwrap();
        assert!(plan.problems()[0].message.contains("not published"), "{plan:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whatever_fails_the_channel_is_right() {
        for seed in 1..=200 {
            let bench = Bench::new();
            let faults = Faults { seed, ..Faults::default() };
            let regions = bench.regions([faults, Faults { seed: seed + 1000, ..faults }]);
            let promoted = bench.promote(&regions).await;
            assert!(promoted.failed.is_none(), "seed {seed}: {promoted:?}");
            for region in &regions {
                assert_eq!(region.parameters(), [(NAME.to_owned(), "ami-1".to_owned())], "seed {seed}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_region_that_refuses_leaves_the_others_as_they_were() {
        for has_value in [false, true] {
            let bench = Bench::new();
            let regions =
                bench.regions([Faults::default(), Faults { is_put_denied: true, ..Faults::default() }]);
            let mut before = Vec::new();
            if has_value {
                regions[0].put_own_parameter(NAME, "ami-0");
                before.push((NAME.to_owned(), "ami-0".to_owned()));
            }
            let promoted = bench.promote(&regions).await;
            let (region, error) = promoted.failed.unwrap();
            assert_eq!(region, "us-east-1");
            assert!(matches!(error, ApplyError::Cloud(error) if error.class == CloudErrorClass::Denied));
            assert!(promoted.changed.is_empty() && promoted.stuck.is_empty());
            assert_eq!(regions[0].parameters(), before);
        }
    }
}
