//! Whether a region gets blocks from here, or a copy from another region.

use serde::Serialize;

use crate::plan::{Action, Copy, Plan};

/// From how many bytes on a copy within the cloud is taken instead of sending the same blocks to another region: less is
/// sent sooner than a copy is ready, which takes minutes whatever its size.
const COPY_BYTES_MIN: u64 = 256 << 20;

/// When regions get copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Copies {
    /// Where there is nothing to build upon, and much to send.
    #[default]
    Auto,
    /// Wherever blocks would have to be sent a second time.
    Always,
    /// Never: every region gets blocks from here.
    Never,
}

/// Turns uploads into copies from the region whose image is there first.
///
/// A region of an encrypted account is neither source nor target: its copies depend on keys that only its policies know.
pub(crate) fn choose(plans: &mut [Plan], copies: Copies) {
    if copies == Copies::Never {
        return;
    }
    let Some(source) = source(plans) else { return };
    let (region, image_id) = (plans[source].region.clone(), plans[source].image_id().map(str::to_owned));
    for (index, plan) in plans.iter_mut().enumerate() {
        let Action::Upload(upload) = &plan.action else { continue };
        let is_worth_it = match copies {
            Copies::Auto => upload.parent.is_none() && upload.bytes >= COPY_BYTES_MIN,
            _ => true,
        };
        if index == source || !is_worth_it || plan.is_encrypted_by_default || upload.is_encrypted {
            continue;
        }
        plan.action = Action::Copy(Copy {
            source_region: region.clone(),
            source_image_id: image_id.clone(),
            bytes: upload.bytes,
        });
    }
}

/// Finds the region whose image is there first: there already, or with the fewest blocks to send.
fn source(plans: &[Plan]) -> Option<usize> {
    let cost = |plan: &Plan| match &plan.action {
        Action::Nothing { .. } => Some(0),
        Action::Await { .. } => Some(1),
        Action::Register { .. } => Some(2),
        Action::Upload(upload) => Some(3 + upload.blocks),
        Action::Copy(_) | Action::Refuse { .. } => None,
    };
    let costs = plans.iter().enumerate().filter(|(_, plan)| !plan.is_encrypted_by_default);
    costs.filter_map(|(index, plan)| cost(plan).map(|cost| (cost, index))).min().map(|(_, index)| index)
}
