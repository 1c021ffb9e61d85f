use super::launch_templates::{describe, not_found};
use super::{filters, passes, time};
use crate::operations::Call;
use crate::operations::page::Pager;
use crate::protocol::{Element, Fault, Params};
use crate::records::LaunchTemplate;

/// The filters that there are besides those of tags (API reference, `DescribeLaunchTemplates`).
const FILTERS: [&str; 2] = ["create-time", "launch-template-name"];

/// Lists launch templates.
pub(crate) fn describe_launch_templates(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let (ids, names) = (params.list("LaunchTemplateId"), params.list("LaunchTemplateName"));
    // AWS's own services manage nothing here.
    params.boolean("IncludeManagedResources")?;
    let filters = filters(params, &FILTERS)?;
    let pager = Pager::new(call, params, 1..=200)?;
    let tables = call.tables();
    let own = || tables.launch_templates.values().filter(|one| call.owns(&one.account, &one.region));
    if let Some(id) = ids.iter().find(|id| own().all(|one| one.id != **id)) {
        return Err(not_found(&format!("with template ID {id}")));
    }
    if let Some(name) = names.iter().find(|name| own().all(|one| one.name != **name)) {
        let message =
            format!("At least one of the launch templates specified in the request does not exist: {name}");
        return Err(Fault::client("InvalidLaunchTemplateName.NotFoundException", message));
    }
    let is_wanted = |template: &LaunchTemplate| {
        (ids.is_empty() || ids.contains(&template.id.as_str()))
            && (names.is_empty() || names.contains(&template.name.as_str()))
            && passes(&filters, &template.tags, |name| match name {
                "create-time" => vec![time(template.created)],
                _ => vec![template.name.clone()],
            })
    };
    let page = pager.page_by(own().filter(|template| is_wanted(template)), |template| template.id.clone());
    let entries = page.entries.iter().map(|template| describe(template, "item"));
    Ok(Element::default().with(Element::list("launchTemplates", entries)).maybe("nextToken", page.next_token))
}
