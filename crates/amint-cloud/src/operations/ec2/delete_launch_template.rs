use super::launch_templates::{describe, find};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::LaunchTemplate;

/// Removes a launch template with all its versions.
pub(crate) fn delete_launch_template(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let template = call.change(params, |change| {
        let template = find(call, change.tables(), params, "")?.clone();
        change.remove::<LaunchTemplate>(&template.id);
        Ok(template)
    })?;
    Ok(Element::default().with(describe(&template, "launchTemplate")))
}

/// Removes versions of a launch template. Its default version stays.
pub(crate) fn delete_launch_template_versions(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let wanted = params.list("LaunchTemplateVersion");
    if wanted.is_empty() || wanted.len() > 200 {
        return Err(Fault::client(
            "InvalidParameterValue",
            "Between 1 and 200 versions can be deleted at once",
        ));
    }
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    call.change(params, |change| {
        let mut template = LaunchTemplate::clone(find(call, change.tables(), params, "")?);
        for text in &wanted {
            let entry = || {
                Element::default()
                    .text("launchTemplateId", &template.id)
                    .text("launchTemplateName", &template.name)
                    .text("versionNumber", text)
            };
            let error = |code: &str, message: &str| {
                let error = Element::new("responseError").text("code", code).text("message", message);
                entry().with(error)
            };
            let number = text.parse::<u64>().ok();
            match number.and_then(|number| template.versions.iter().position(|one| one.number == number)) {
                Some(at) if template.versions[at].number != template.default => {
                    done.push(entry());
                    template.versions.remove(at);
                }
                Some(_) => failed.push(error("unexpectedError", "The default version cannot be deleted")),
                None => failed.push(error("launchTemplateVersionDoesNotExist", "There is no such version")),
            }
        }
        change.put(template);
        Ok(())
    })?;
    Ok(Element::default()
        .with(Element::list("successfullyDeletedLaunchTemplateVersionSet", done))
        .with(Element::list("unsuccessfullyDeletedLaunchTemplateVersionSet", failed)))
}
