use super::check_id;
use super::references::{self, Asked, KINDS, Options, SOURCES};
use crate::operations::Call;
use crate::operations::page::Pager;
use crate::protocol::{Element, Fault, Params};

/// How many images one request may name.
const IDS_MAX: usize = 10;

/// Lists the resources of whoever asks that name certain images.
///
/// That images need not be there any more is assumed: resources go on naming them.
pub(crate) fn describe_image_references(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let ids = params.list("ImageId");
    if ids.is_empty() {
        return Err(Fault::missing("ImageId"));
    }
    if ids.len() > IDS_MAX {
        let message = format!("ImageIds may have at most {IDS_MAX} entries");
        return Err(Fault::client("InvalidParameterValue", message));
    }
    for id in &ids {
        check_id("ami", "InvalidAMIID.Malformed", id)?;
    }
    let mut asked = references::asked(params, &KINDS)?;
    let with_all = params.boolean("IncludeAllResourceTypes")?.unwrap_or(false);
    if !with_all && asked.is_empty() {
        let message = "Either IncludeAllResourceTypes or ResourceTypes must be specified";
        return Err(Fault::client("MissingParameter", message));
    }
    if with_all {
        let named: Vec<&str> = asked.iter().map(|asked| asked.kind).collect();
        let others = KINDS.into_iter().filter(|kind| !named.contains(kind));
        asked.extend(others.map(|kind| Asked { kind, options: Options::default() }));
    }
    let pager = Pager::new(call, params, 5..=1000)?;
    let found = references::find(SOURCES, &call.tables(), &asked).into_iter().filter(|reference| {
        ids.contains(&reference.image_id.as_str()) && call.owns(&reference.account, &reference.region)
    });
    let page = pager.page_by(found, |reference| format!("{} {}", reference.image_id, reference.arn));
    let entries = page.entries.iter().map(|reference| {
        Element::default()
            .text("imageId", &reference.image_id)
            .text("resourceType", reference.kind)
            .text("arn", &reference.arn)
    });
    let list = Element::list("imageReferenceSet", entries);
    Ok(Element::default().with(list).maybe("nextToken", page.next_token))
}
