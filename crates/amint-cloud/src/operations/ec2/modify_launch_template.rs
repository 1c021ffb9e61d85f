use super::launch_templates::{describe, find, version};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::LaunchTemplate;

/// Makes another version of a launch template its default.
pub(crate) fn modify_launch_template(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    // The name that is sent differs from that of the documentation.
    let wanted = params.get("SetDefaultVersion").or(params.get("DefaultVersion"));
    let wanted = wanted.ok_or_else(|| Fault::missing("DefaultVersion"))?;
    params.get("ClientToken");
    let template = call.change(params, |change| {
        let mut template = LaunchTemplate::clone(find(call, change.tables(), params, "")?);
        template.default = version(&template, wanted)?.number;
        change.put(template.clone());
        Ok(template)
    })?;
    Ok(Element::default().with(describe(&template, "launchTemplate")))
}
