//! The parameters that AWS offers everybody, as far as images of the store stand for what they name.

use std::collections::{BTreeMap, BTreeSet};

use crate::operations::Call;
use crate::records::{Image, ImageOrigin, Parameter, ParameterVersion, Tables, Tags};

/// How names of the store's images tell what they are of, and the parameters that AWS, or who makes the system, has for it.
/// `{release}` is what follows the name, and `{amd64}` and `{x86_64}` are the architecture in either manner.
const PATHS: [(&str, &str); 7] = [
    ("debian-", "/aws/service/debian/release/{release}/latest/{amd64}"),
    ("ubuntu-", "/aws/service/canonical/ubuntu/server/{release}/stable/current/{amd64}/hvm/ebs-gp3/ami-id"),
    ("ubuntu-", "/aws/service/canonical/ubuntu/server/{release}/stable/current/{amd64}/hvm/ebs-gp2/ami-id"),
    ("al2023", "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{x86_64}"),
    ("amazon-linux-2023", "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{x86_64}"),
    ("sles-", "/aws/service/suse/sles/{release}/{x86_64}/latest"),
    // Ours, for every image.
    ("", "/aws/service/amint/{release}/{x86_64}/latest"),
];

/// Returns them all: each points at the newest image that it is for.
pub(super) fn all(call: &Call<'_>, tables: &Tables) -> Vec<Parameter> {
    let mut found: BTreeMap<String, Vec<&Image>> = BTreeMap::new();
    let of_store = |image: &&Image| image.origin == ImageOrigin::Store && image.region == call.region;
    for image in tables.images.values().map(AsRef::as_ref).filter(of_store) {
        let name = image.tags.get("amint:name").map_or("", String::as_str);
        for path in paths(name, &image.architecture) {
            found.entry(path).or_default().push(image);
        }
    }
    let parameter = |(name, mut images): (String, Vec<&Image>)| {
        images.sort_by_key(|image| (image.created, &image.id));
        let versions = images.iter().zip(1..).map(|(image, number)| ParameterVersion {
            number,
            value: image.id.clone(),
            description: None,
            modified: image.created,
            user: String::new(),
            labels: BTreeSet::new(),
        });
        Parameter {
            key: Parameter::key("", call.region, &name),
            account: String::new(),
            region: call.region.to_owned(),
            kind: "String".to_owned(),
            data_type: super::DATA_TYPE_IMAGE.to_owned(),
            tier: "Standard".to_owned(),
            versions: versions.collect(),
            tags: Tags::new(),
            name,
        }
    };
    found.into_iter().map(parameter).collect()
}

/// Returns the parameters that an image of the store is for.
fn paths(name: &str, architecture: &str) -> Vec<String> {
    let short = if architecture == "arm64" { "arm64" } else { "amd64" };
    let fits = PATHS.iter().filter_map(|(prefix, path)| {
        let rest = name.strip_prefix(prefix)?;
        let is_release = rest.starts_with(|letter: char| letter.is_ascii_digit());
        if prefix.ends_with('-') && !is_release {
            return None;
        }
        // What follows the release in a name says what the image is for.
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let release = if prefix.ends_with('-') && *prefix != "sles-" { &rest[..end] } else { rest };
        let path = path.replace("{release}", release).replace("{amd64}", short);
        Some(path.replace("{x86_64}", architecture))
    });
    fits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_parameters() {
        assert_eq!(
            paths("debian-13-web", "x86_64"),
            ["/aws/service/debian/release/13/latest/amd64", "/aws/service/amint/debian-13-web/x86_64/latest"]
        );
        assert_eq!(paths("ubuntu-24.04", "arm64").len(), 3);
        assert_eq!(paths("debian-slim", "x86_64"), ["/aws/service/amint/debian-slim/x86_64/latest"]);
        let linux = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
        assert_eq!(paths("al2023-web", "x86_64")[0], linux);
    }
}
