use super::launch_templates::{data, describe};
use super::tags;
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{LaunchTemplate, LaunchTemplateVersion};
use crate::world::new_id;

/// How many templates an account has in a region.
const COUNT_MAX: usize = 5000;

/// Makes a launch template with its first version.
pub(crate) fn create_launch_template(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let name = params.required("LaunchTemplateName")?;
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "()./_-".contains(letter);
    if !(3..=128).contains(&name.len()) || !name.chars().all(is_allowed) {
        let message = "Launch template names have 3 to 128 letters, digits and ( ) . / _ -";
        return Err(Fault::client("InvalidLaunchTemplateName.MalformedException", message));
    }
    let template = LaunchTemplate {
        id: new_id("lt"),
        account: call.account().to_owned(),
        region: call.region.to_owned(),
        name: name.to_owned(),
        created: call.now,
        created_by: call.caller.arn.clone(),
        default: 1,
        latest: 1,
        versions: vec![LaunchTemplateVersion {
            number: 1,
            description: params.get("VersionDescription").map(str::to_owned),
            created: call.now,
            created_by: call.caller.arn.clone(),
            data: data(params)?,
        }],
        tags: tags::specified(params, "launch-template")?,
    };
    let made = call.change(params, |change| {
        let id = call.make_once(change, params, |change| {
            let own = || {
                change.tables().launch_templates.values().filter(|one| call.owns(&one.account, &one.region))
            };
            if own().any(|other| other.name == template.name) {
                let message = "Launch template name already in use.";
                return Err(Fault::client("InvalidLaunchTemplateName.AlreadyExistsException", message));
            }
            if own().count() >= COUNT_MAX {
                let message = format!("There are {COUNT_MAX} launch templates already");
                return Err(Fault::client("LaunchTemplateLimitExceeded", message));
            }
            let id = template.id.clone();
            change.put(template);
            Ok(id)
        })?;
        change.get::<LaunchTemplate>(&id).ok_or_else(Fault::internal)
    })?;
    Ok(Element::default().with(describe(&made, "launchTemplate")))
}
