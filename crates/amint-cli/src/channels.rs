//! Channels of an image, in several regions: looked at, moved, and what came of it.

use amint_aws::AwsRegion;
use amint_publish::{
    Action, ChannelPlan, Plan, Promoted, Promotion, plan_promotion, plan_undo, preview_promotion, promote_all,
};
use amint_store::Store;
use amint_types::Digest;

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The channels that shall name an image.
pub(crate) struct Channels<'a> {
    pub(crate) context: &'a Context,
    pub(crate) store: &'a Store,
    /// `web:1.4.0`.
    pub(crate) subject: &'a str,
    /// The digest of its blocks.
    pub(crate) digest: Digest,
    /// The parameter of each.
    pub(crate) parameters: Vec<String>,
    pub(crate) takes_over: bool,
}

impl Channels<'_> {
    fn promotion<'p>(&'p self, parameter: &'p str) -> Promotion<'p> {
        Promotion { subject: self.subject, digest: self.digest, parameter, takes_over: self.takes_over }
    }

    /// Plans what has to be moved.
    pub(crate) async fn plan(&self, regions: &[AwsRegion]) -> Result<Vec<ChannelPlan>, Failure> {
        let mut plans = Vec::new();
        for parameter in &self.parameters {
            for region in regions {
                plans.push(plan_promotion(region, &self.promotion(parameter), &self.context.cancel).await?);
            }
        }
        Ok(plans)
    }

    /// Plans what has to be moved back.
    pub(crate) async fn plan_undo(&self, regions: &[AwsRegion]) -> Result<Vec<ChannelPlan>, Failure> {
        let mut plans = Vec::new();
        for parameter in &self.parameters {
            for region in regions {
                plans.push(plan_undo(region, parameter, &self.context.cancel).await?);
            }
        }
        Ok(plans)
    }

    /// Plans what will have to be moved once the image is there.
    pub(crate) async fn preview(
        &self,
        regions: &[AwsRegion],
        plans: &[Plan],
    ) -> Result<Vec<ChannelPlan>, Failure> {
        let (mut previews, cancel) = (Vec::new(), &self.context.cancel);
        for parameter in &self.parameters {
            for (region, plan) in regions.iter().zip(plans) {
                let promotion = self.promotion(parameter);
                previews.push(match &plan.action {
                    Action::Nothing { .. } => plan_promotion(region, &promotion, cancel).await?,
                    _ => preview_promotion(region, &promotion, cancel).await?,
                });
            }
        }
        Ok(previews)
    }

    /// Moves all of them, and returns what was done.
    pub(crate) async fn promote(&self, regions: &[AwsRegion]) -> Result<Vec<ChannelPlan>, Failure> {
        let plans = self.plan(regions).await?;
        self.carry_out(regions, &plans).await?;
        Ok(plans)
    }

    /// Does what plans say: for each parameter in all regions, or in none.
    pub(crate) async fn carry_out(
        &self,
        regions: &[AwsRegion],
        plans: &[ChannelPlan],
    ) -> Result<(), Failure> {
        for plans in plans.chunks(regions.len().max(1)) {
            let promoted =
                promote_all(regions, plans, self.subject, self.store, &self.context.cancel).await?;
            self.check(promoted)?;
        }
        Ok(())
    }

    fn check(&self, promoted: Promoted) -> Result<(), Failure> {
        let Some((region, error)) = promoted.failed else { return Ok(()) };
        let mut failure = Failure::from(error);
        if promoted.stuck.is_empty() {
            self.context
                .sink()
                .warn(&format!("{region} failed: the channel is as it was in all regions"), None);
            return Err(failure);
        }
        failure.code = ExitCode::Partly;
        for (stuck, error) in &promoted.stuck {
            let words = format!("{region} failed, and {stuck} could not be moved back: {error}");
            self.context.sink().warn(&words, Some("the same command goes on, and `--undo` moves back"));
        }
        Err(failure)
    }
}
