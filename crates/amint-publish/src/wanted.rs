use std::collections::{BTreeMap, BTreeSet};

use amint_store::ImageRecord;
use amint_types::{Architecture, Digest, GIB};
use jiff::Timestamp;

use crate::cloud::{CloudImage, CopyImage, Protection, RegisterImage, Tags};

/// The tag that holds the digest of an image's blocks.
pub(crate) const DIGEST_TAG: &str = "amint:digest";
/// The tag that holds the name an image has in the store: its versions are of one lineage.
pub(crate) const NAME_TAG: &str = "amint:name";
/// The tag that tells what amint made from everything else.
pub(crate) const MANAGED_TAG: &str = "amint:managed";

/// Tells whether amint made what has the tags.
pub(crate) fn is_managed(tags: &Tags) -> bool {
    tags.get(MANAGED_TAG).is_some_and(|value| value == "true")
}

/// What a region shall hold once an image is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The name of the AMI.
    pub name: String,
    /// What people read.
    pub description: String,
    /// The name in the store.
    pub lineage: String,
    /// What operations are logged about: `web:1.4.0`.
    pub subject: String,
    /// The digest of its blocks.
    pub digest: Digest,
    /// The size of the volume in GiB.
    pub volume_gib: u64,
    /// For which processors it is.
    pub architecture: Architecture,
    /// Tags of image and snapshot.
    pub tags: Tags,
    /// What it is set to once it is there.
    pub settings: Settings,
}

/// What an image is set to once it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The accounts that may launch it, and copy its snapshot. Others that may are left as they are.
    pub accounts: BTreeSet<String>,
    /// The organizations and organizational units whose accounts may launch it, by their ARNs.
    pub organizations: BTreeSet<String>,
    /// The key that it is encrypted with, by region: id, ARN or alias. Elsewhere it is not, unless the region does so by itself.
    pub keys: BTreeMap<String, String>,
    /// From when on it is deprecated, to the minute.
    pub deprecate_at: Option<Timestamp>,
    /// The watermarks that it gets, by their names; others that it has stay.
    pub watermarks: BTreeSet<String>,
    /// What keeps it from being deregistered, at least.
    pub protection: Option<Protection>,
}

/// The text cannot be the name of an AMI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be the name of an AMI: 3 to 128 letters, digits, spaces and ()[]./-'@_ are allowed")]
pub struct AmiNameError {
    name: String,
}

impl Wanted {
    /// Gives it a name of its own instead of `NAME-VERSION`.
    ///
    /// # Errors
    /// Fails when AMIs cannot have the name (`RegisterImage`, Name).
    pub fn rename(&mut self, name: &str) -> Result<(), AmiNameError> {
        let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || " ()[]./-'@_".contains(letter);
        if !(3..=128).contains(&name.len()) || !name.chars().all(is_allowed) {
            return Err(AmiNameError { name: name.to_owned() });
        }
        name.clone_into(&mut self.name);
        self.tags.insert("Name".to_owned(), name.to_owned());
        Ok(())
    }

    /// Tells what an image of the store is as an AMI; `extra` tags do not replace amint's own.
    pub fn of(record: &ImageRecord, extra: &Tags) -> Self {
        // What versions may hold and names of images may not (`RegisterImage`, Name).
        let name = format!("{}-{}", record.name, record.version).replace(['+', '~'], "-");
        let own = [
            ("Name", name.clone()),
            (MANAGED_TAG, "true".to_owned()),
            (NAME_TAG, record.name.to_string()),
            ("amint:version", record.version.to_string()),
            (DIGEST_TAG, record.digest.to_string()),
        ];
        let mut tags = extra.clone();
        tags.extend(own.map(|(key, value)| (key.to_owned(), value)));
        Self {
            description: format!("{} made by amint", record.reference()),
            name,
            lineage: record.name.to_string(),
            subject: record.reference().to_string(),
            digest: record.digest,
            volume_gib: record.disk_bytes.div_ceil(GIB).max(1),
            architecture: record.architecture,
            tags,
            settings: Settings::default(),
        }
    }

    /// Returns the request that registers it. Everything is said explicitly, because the service's defaults are a 32-bit
    /// paravirtual image (`RegisterImage`, Architecture and `VirtualizationType`).
    pub(crate) fn registration(&self, snapshot_id: &str) -> RegisterImage {
        let boot_mode = match self.architecture {
            Architecture::Arm64 => "uefi",
            _ => "uefi-preferred",
        };
        RegisterImage {
            name: self.name.clone(),
            description: self.description.clone(),
            architecture: self.architecture.as_str(),
            boot_mode,
            root_device: "/dev/xvda",
            snapshot_id: snapshot_id.to_owned(),
            volume_gib: self.volume_gib,
            volume_type: "gp3",
            tags: self.tags.clone(),
        }
    }

    /// Returns the request that copies it from another region; `beginning` counts the copies that came to nothing.
    pub(crate) fn copy(
        &self,
        region: &str,
        account: &str,
        source: (&str, &str),
        beginning: u32,
    ) -> CopyImage {
        let (source_region, source_image_id) = source;
        let mut place = format!(
            "{account}\0{region}\0{}\0{}\0{source_region}\0{source_image_id}",
            self.name, self.digest
        );
        if beginning > 0 {
            place = format!("{place}\0{beginning}");
        }
        CopyImage {
            name: self.name.clone(),
            description: self.description.clone(),
            source_region: source_region.to_owned(),
            source_image_id: source_image_id.to_owned(),
            client_token: Digest::of(place.as_bytes()).to_string(),
            tags: self.tags.clone(),
        }
    }

    /// Tells in what an image differs from what is wanted, in words; the billing first, because an image with the wrong
    /// one has to go.
    pub(crate) fn differences(&self, image: &CloudImage) -> Vec<String> {
        let wanted = self.registration("");
        let mut found = made_otherwise(image);
        let mut compare = |what: &str, has: Option<&str>, wants: &str| {
            found.extend(difference(what, has, wants));
        };
        compare("the architecture", Some(&image.architecture), wanted.architecture);
        compare("the boot mode", image.boot_mode.as_deref(), wanted.boot_mode);
        compare("the root device", image.root_device.as_deref(), wanted.root_device);
        compare("the volume's type", image.volume_type.as_deref(), wanted.volume_type);
        let size = image.volume_gib.map(|size| size.to_string());
        compare("the volume's size in GiB", size.as_deref(), &self.volume_gib.to_string());
        for (key, value) in &self.tags {
            compare(&format!("the tag {key}"), image.tags.get(key).map(String::as_str), value);
        }
        found
    }
}

/// Tells in what an image differs from what every image of amint is.
pub(crate) fn made_otherwise(image: &CloudImage) -> Vec<String> {
    let ena = if image.has_ena { "on" } else { "off" };
    let volume = if image.is_deleted_on_termination { "deleted" } else { "kept" };
    [
        difference("the state", Some(&image.state), "available"),
        difference("PlatformDetails", image.platform_details.as_deref(), "Linux/UNIX"),
        difference("the virtualization", Some(&image.virtualization), "hvm"),
        difference("ENA support", Some(ena), "on"),
        difference("IMDS support", image.imds_support.as_deref(), "v2.0"),
        difference("after termination the volume", Some(volume), "deleted"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn difference(what: &str, has: Option<&str>, wants: &str) -> Option<String> {
    (has != Some(wants)).then(|| format!("{what} is {}, wanted {wants}", has.unwrap_or("not set")))
}
