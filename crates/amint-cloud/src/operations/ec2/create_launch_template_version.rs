use super::launch_templates::{data, describe_version, find, version, with_defaults};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{LaunchTemplate, LaunchTemplateVersion};

/// How many versions of a template are kept.
const VERSIONS_MAX: usize = 10_000;

/// Adds a version to a launch template, upon another one where that is named.
pub(crate) fn create_launch_template_version(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let new = data(params)?;
    let source = params.get("SourceVersion");
    let description = params.get("VersionDescription").map(str::to_owned);
    params.get("ClientToken");
    let is_resolved = params.boolean("ResolveAlias")?.unwrap_or(false);
    call.change(params, |change| {
        let mut template = LaunchTemplate::clone(find(call, change.tables(), params, "")?);
        if template.versions.len() >= VERSIONS_MAX {
            let message = format!("The launch template has {VERSIONS_MAX} versions already");
            return Err(Fault::client("VersionLimitExceeded", message));
        }
        let data = match source {
            Some(source) => with_defaults(new, &version(&template, source)?.data),
            None => new,
        };
        template.latest += 1;
        let made = LaunchTemplateVersion {
            number: template.latest,
            description,
            created: call.now,
            created_by: call.caller.arn.clone(),
            data,
        };
        let told = describe_version(call, change.tables(), &template, &made, is_resolved)?;
        template.versions.push(made);
        change.put(template);
        Ok(Element::default().with(told))
    })
}
