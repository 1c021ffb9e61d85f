//! What names an image: instances, launch templates, parameters.
//!
//! Each kind of resources is a line of [`SOURCES`] with the function that finds its references in the tables. A kind
//! without records here has no line: nothing of it can name an image.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::protocol::{Fault, Params};
use crate::records::{Instance, LaunchTemplate, Parameter, Tables};

/// The kinds of resources that EC2 knows to name images.
pub(super) const KINDS: [&str; 5] = [
    "ec2:Instance",
    "ec2:LaunchTemplate",
    "ssm:Parameter",
    "imagebuilder:ImageRecipe",
    "imagebuilder:ContainerRecipe",
];
/// How many versions of a launch template are looked at unless it is said, and at most (EC2 user guide, "Identify your
/// resources referencing specified AMIs").
const VERSION_DEPTH: usize = 10;
const VERSION_DEPTH_MAX: usize = 10_000;

/// A resource that names an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) image_id: String,
    /// One of [`KINDS`].
    pub(super) kind: &'static str,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) arn: String,
}

/// Which references are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// The states of instances; all of them when there is none.
    pub(super) state_names: Vec<String>,
    /// How many versions of a launch template, from the newest on.
    pub(super) version_depth: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { state_names: Vec::new(), version_depth: VERSION_DEPTH }
    }
}

/// Finds all references of one kind: of all images, accounts and regions.
pub(super) type Find = fn(&Tables, &Options) -> Vec<Reference>;

/// Where references come from.
pub(super) const SOURCES: &[(&str, Find)] =
    &[("ec2:Instance", instances), ("ec2:LaunchTemplate", launch_templates), ("ssm:Parameter", parameters)];

/// Finds the images that the newest versions of launch templates name.
fn launch_templates(tables: &Tables, options: &Options) -> Vec<Reference> {
    let references = |template: &Arc<LaunchTemplate>| {
        let template = Arc::clone(template);
        let newest = template.versions.iter().rev().take(options.version_depth);
        let images: Vec<String> = newest.filter_map(|version| version.data.get("ImageId").cloned()).collect();
        images.into_iter().filter(|image| image.starts_with("ami-")).map(move |image_id| Reference {
            image_id,
            kind: "ec2:LaunchTemplate",
            account: template.account.clone(),
            region: template.region.clone(),
            arn: format!(
                "arn:aws:ec2:{}:{}:launch-template/{}",
                template.region, template.account, template.id
            ),
        })
    };
    tables.launch_templates.values().flat_map(references).collect()
}

/// Finds the images that parameters of images name now.
fn parameters(tables: &Tables, _: &Options) -> Vec<Reference> {
    let found = tables.parameters.values().filter(|one| one.data_type == "aws:ec2:image");
    let reference = |parameter: &Arc<Parameter>| {
        Some(Reference {
            image_id: parameter.newest()?.value.clone(),
            kind: "ssm:Parameter",
            account: parameter.account.clone(),
            region: parameter.region.clone(),
            arn: parameter.arn(),
        })
    };
    found.filter_map(reference).collect()
}

/// Finds the images of instances, of those that are gone too for as long as they are described.
fn instances(tables: &Tables, options: &Options) -> Vec<Reference> {
    let states = &options.state_names;
    let is_wanted = |state: &str| states.is_empty() || states.iter().any(|wanted| wanted == state);
    let found = tables.instances.values().filter(|instance| is_wanted(instance.state.name()));
    let reference = |instance: &Arc<Instance>| Reference {
        image_id: instance.image_id.clone(),
        kind: "ec2:Instance",
        account: instance.account.clone(),
        region: instance.region.clone(),
        arn: format!("arn:aws:ec2:{}:{}:instance/{}", instance.region, instance.account, instance.id),
    };
    found.map(reference).collect()
}

/// A kind of resources that is asked about.
pub(super) struct Asked<'p> {
    pub(super) kind: &'p str,
    pub(super) options: Options,
}

/// Reads `ResourceType.N`; each kind stands once.
pub(super) fn asked<'p>(params: &'p Params, kinds: &[&str]) -> Result<Vec<Asked<'p>>, Fault> {
    let mut all: Vec<Asked<'p>> = Vec::new();
    for index in params.indexes("ResourceType") {
        let name = format!("ResourceType.{index}");
        let kind = params.required(&format!("{name}.ResourceType"))?;
        if !kinds.contains(&kind) || all.iter().any(|asked| asked.kind == kind) {
            return Err(Fault::invalid_value("ResourceType", kind));
        }
        let mut options = Options::default();
        for option in params.indexes(&format!("{name}.ResourceTypeOption")) {
            let name = format!("{name}.ResourceTypeOption.{option}");
            let option = params.required(&format!("{name}.OptionName"))?;
            let values = params.list(&format!("{name}.OptionValue"));
            set(&mut options, kind, option, &values)?;
        }
        all.push(Asked { kind, options });
    }
    Ok(all)
}

fn set(options: &mut Options, kind: &str, option: &str, values: &[&str]) -> Result<(), Fault> {
    const STATES: [&str; 6] = ["pending", "running", "shutting-down", "terminated", "stopping", "stopped"];
    match (kind, option) {
        ("ec2:Instance", "state-name") if !values.is_empty() => {
            if let Some(wrong) = values.iter().find(|value| !STATES.contains(value)) {
                return Err(Fault::invalid_value("OptionValue", wrong));
            }
            options.state_names = values.iter().map(|value| (*value).to_owned()).collect();
        }
        ("ec2:LaunchTemplate", "version-depth") => {
            let depth = match values {
                [one] => one.parse().ok().filter(|depth| (1..=VERSION_DEPTH_MAX).contains(depth)),
                _ => None,
            };
            let wrong = || Fault::invalid_value("OptionValue", &values.join(", "));
            options.version_depth = depth.ok_or_else(wrong)?;
        }
        _ => return Err(Fault::invalid_value("OptionName", option)),
    }
    Ok(())
}

/// Finds the references of the kinds that are asked about, each once.
pub(super) fn find(sources: &[(&str, Find)], tables: &Tables, asked: &[Asked<'_>]) -> Vec<Reference> {
    let mut seen = BTreeSet::new();
    asked
        .iter()
        .flat_map(|asked| {
            let find = sources.iter().find(|(kind, _)| *kind == asked.kind).map(|(_, find)| find);
            find.map(|find| find(tables, &asked.options)).unwrap_or_default()
        })
        .filter(|reference| seen.insert((reference.image_id.clone(), reference.arn.clone())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(state: &str, tables: &Options) -> Option<Reference> {
        let is_wanted = tables.state_names.is_empty() || tables.state_names.iter().any(|name| name == state);
        is_wanted.then(|| Reference {
            image_id: "ami-1".to_owned(),
            kind: "ec2:Instance",
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            arn: format!("arn:{state}"),
        })
    }

    #[test]
    fn only_what_is_asked_about_is_found_and_only_once() {
        let sources: &[(&str, Find)] = &[("ec2:Instance", |_, options| {
            ["running", "stopped", "running"].iter().filter_map(|state| instance(state, options)).collect()
        })];
        let count = |body: &str| {
            let params = Params::parse(body.as_bytes()).unwrap();
            asked(&params, &KINDS).map(|asked| find(sources, &Tables::default(), &asked).len())
        };
        assert_eq!(count("ResourceType.1.ResourceType=ec2:Instance"), Ok(2));
        assert_eq!(count("ResourceType.1.ResourceType=ssm:Parameter"), Ok(0));
        let option = "ResourceType.1.ResourceType=ec2:Instance&ResourceType.1.ResourceTypeOption.1.OptionName=state-name\
                      &ResourceType.1.ResourceTypeOption.1.OptionValue.1=";
        assert_eq!(count(&format!("{option}stopped")), Ok(1));
        assert!(count(&format!("{option}gone")).is_err());
    }

    #[test]
    fn options_belong_to_their_kind() {
        let depth = |kind: &str, depth: &str| {
            let mut options = Options::default();
            set(&mut options, kind, "version-depth", &[depth]).map(|()| options.version_depth)
        };
        assert_eq!(depth("ec2:LaunchTemplate", "3"), Ok(3));
        assert!(depth("ec2:LaunchTemplate", "0").is_err());
        assert!(depth("ec2:Instance", "3").is_err());
    }
}
