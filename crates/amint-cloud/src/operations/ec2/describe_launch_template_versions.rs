use super::launch_templates::{describe_version, find, version};
use super::{filters, passes, time};
use crate::operations::Call;
use crate::operations::page::Pager;
use crate::protocol::{Element, Fault, Params};
use crate::records::{LaunchTemplate, LaunchTemplateVersion, Tags};

/// The filters that there are (API reference, `DescribeLaunchTemplateVersions`), as far as templates here have what they name.
const FILTERS: [&str; 7] = [
    "create-time",
    "ebs-optimized",
    "http-tokens",
    "iam-instance-profile",
    "image-id",
    "instance-type",
    "is-default-version",
];

/// Lists versions of a launch template; of all of them, when `$Latest` or `$Default` are asked for and none is named.
pub(crate) fn describe_launch_template_versions(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let wanted = params.list("LaunchTemplateVersion");
    let (min, max) = (params.number("MinVersion")?, params.number("MaxVersion")?);
    let is_resolved = params.boolean("ResolveAlias")?.unwrap_or(false);
    // AWS's own services manage nothing here.
    params.boolean("IncludeManagedResources")?;
    let filters = filters(params, &FILTERS)?;
    let pager = Pager::new(call, params, 1..=200)?;
    let tables = call.tables();
    let is_named = params.get("LaunchTemplateId").is_some() || params.get("LaunchTemplateName").is_some();
    let templates: Vec<&LaunchTemplate> = if is_named {
        vec![find(call, &tables, params, "")?.as_ref()]
    } else {
        if wanted.is_empty() || wanted.iter().any(|version| !version.starts_with('$')) {
            let message = "Versions of all launch templates can be $Latest and $Default only";
            return Err(Fault::client("InvalidParameterValue", message));
        }
        let own = tables.launch_templates.values().filter(|one| call.owns(&one.account, &one.region));
        own.map(AsRef::as_ref).collect()
    };
    let mut found: Vec<(&LaunchTemplate, &LaunchTemplateVersion)> = Vec::new();
    for template in templates {
        if wanted.is_empty() {
            found.extend(template.versions.iter().map(|version| (template, version)));
        }
        for text in &wanted {
            let version = version(template, text)?;
            if found.iter().all(|(other, known)| other.id != template.id || known.number != version.number) {
                found.push((template, version));
            }
        }
    }
    found.retain(|(template, version)| {
        min.is_none_or(|min| version.number >= min)
            && max.is_none_or(|max| version.number <= max)
            && passes(&filters, &Tags::new(), |name| values(template, version, name))
    });
    // The newest first, as EC2 tells them.
    let key = |(template, version): &(&LaunchTemplate, &LaunchTemplateVersion)| {
        format!("{} {:020}", template.id, u64::MAX - version.number)
    };
    let page = pager.page_by(found, key);
    let entries: Vec<Element> = page
        .entries
        .iter()
        .map(|(template, version)| describe_version(call, &tables, template, version, is_resolved))
        .collect::<Result<_, _>>()?;
    let list = Element::list("launchTemplateVersionSet", entries);
    Ok(Element::default().with(list).maybe("nextToken", page.next_token))
}

/// Returns what a filter compares with.
fn values(template: &LaunchTemplate, version: &LaunchTemplateVersion, name: &str) -> Vec<String> {
    let of = |name: &str| version.data.get(name).cloned().into_iter().collect();
    match name {
        "create-time" => vec![time(version.created)],
        "ebs-optimized" => of("EbsOptimized"),
        "http-tokens" => of("MetadataOptions.HttpTokens"),
        "iam-instance-profile" => of("IamInstanceProfile.Arn"),
        "image-id" => of("ImageId"),
        "instance-type" => of("InstanceType"),
        _ => vec![(version.number == template.default).to_string()],
    }
}
