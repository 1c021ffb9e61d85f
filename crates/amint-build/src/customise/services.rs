//! `[services]`: units switched on, off or masked.

use amint_recipe::Recipe;
use amint_types::{Cancel, EventSink};

use crate::command::CommandError;
use crate::ec2;
use crate::sandbox::Sandboxed;
use crate::tree::ImageTree;

/// Switches units as the recipe and EC2 want them, with the image's own `systemctl(1)`.
pub(crate) fn set_services(
    tree: &ImageTree,
    recipe: &Recipe,
    step: &str,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<(), CommandError> {
    let services = &recipe.services;
    let always = ec2::UNITS.iter().map(|unit| (*unit).to_owned());
    let enable: Vec<String> = always
        .filter(|unit| !services.disable.contains(unit) && !services.mask.contains(unit))
        .chain(services.enable.iter().cloned())
        .collect();
    let verbs = [("enable", &enable), ("disable", &services.disable), ("mask", &services.mask)];
    for (verb, units) in verbs {
        if units.is_empty() {
            continue;
        }
        let what = format!("`systemctl {verb}`");
        let arguments = ["systemctl", verb, "--quiet", "--"].into_iter().map(ToOwned::to_owned);
        Sandboxed::new(tree.root(), &what, arguments.chain(units.iter().cloned())).run(step, sink, cancel)?;
    }
    Ok(())
}
