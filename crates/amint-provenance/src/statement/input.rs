//! From what a build knows to the statement about it.

use std::collections::BTreeMap;

use amint_types::{Architecture, BLOCK_BYTES, Digest, ImageName, ImageRef, ImageVersion};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    BUILD_TYPE, BUILDER_ID, BuildDefinition, BuildMetadata, Builder, DigestSet, ExternalParameters,
    InternalParameters, PREDICATE_TYPE, Provenance, ResourceDescriptor, RunDetails, SHA256, STATEMENT_TYPE,
    Statement,
};

/// The media type of a block manifest; `x.` since it is registered nowhere (RFC 6838 section 3.4).
const MANIFEST_MEDIA_TYPE: &str = "application/x.amint.block-manifest";
/// A folder's digest is no SHA-256 of any file's bytes, so it may not be called so.
const FOLDER_DIGEST: &str = "amintFolderSha256";
const KIND: &str = "amint_kind";

/// What a build knows about itself.
#[derive(Clone, Debug)]
pub struct ProvenanceInput {
    /// The image's name.
    pub name: ImageName,
    /// The image's version.
    pub version: ImageVersion,
    /// The image's architecture.
    pub architecture: Architecture,
    /// The image's digest: the SHA-256 of its block manifest.
    pub image_digest: Digest,
    /// The version of the block manifest's format.
    pub manifest_format: u32,
    /// The size of the disk in bytes.
    pub disk_bytes: u64,
    /// The digest of the recipe's text.
    pub recipe: Digest,
    /// The digest of the lock file's text; none for a build without one.
    pub lock: Option<Digest>,
    /// Options of the command that reach the image, by name. They are published: no secrets.
    pub options: BTreeMap<String, String>,
    /// The time that stands for the time inside the image, in whole seconds.
    pub source_epoch: Timestamp,
    /// The packages that were installed.
    pub packages: Vec<ProvenancePackage>,
    /// The files of this machine that reached the image.
    pub inputs: Vec<ProvenanceFile>,
    /// What else came of the build, such as its report.
    pub byproducts: Vec<Byproduct>,
    /// The version of amint.
    pub tool_version: String,
    /// When the build started.
    pub started_at: Timestamp,
    /// When the build finished.
    pub finished_at: Timestamp,
    /// What names this run and no other.
    pub invocation_id: String,
}

/// A package that was installed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProvenancePackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture, in Debian's words.
    pub architecture: String,
    /// The digest of the `.deb` file.
    pub sha256: Digest,
    /// Its package URL: for a package of Debian, what [`super::debian_purl`] makes.
    pub purl: String,
}

/// A file or folder of this machine that reached the image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProvenanceFile {
    /// The path, as in the recipe.
    pub path: String,
    /// What the digest is of.
    pub content: InputContent,
    /// The digest.
    pub digest: Digest,
}

/// What the digest of an input is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InputContent {
    /// The bytes of a file.
    File,
    /// Names, kinds, contents and links of a folder, as lock files of amint encode them.
    Folder,
}

/// An artifact that came of a build beside the image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Byproduct {
    /// What it is: `build-report`.
    pub name: String,
    /// Its media type, if it has one.
    pub media_type: Option<String>,
    /// The digest of its bytes.
    pub sha256: Digest,
}

/// Makes the statement about a build: the same input in whatever order gives the same statement.
pub fn provenance(input: &ProvenanceInput) -> Statement {
    Statement {
        statement_type: STATEMENT_TYPE.to_owned(),
        subject: vec![subject(input)],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Provenance {
            build_definition: BuildDefinition {
                build_type: BUILD_TYPE.to_owned(),
                external_parameters: external_parameters(input),
                internal_parameters: InternalParameters {
                    source_date_epoch: Some(input.source_epoch.as_second()),
                },
                resolved_dependencies: dependencies(input),
            },
            run_details: RunDetails {
                builder: Builder {
                    id: BUILDER_ID.to_owned(),
                    builder_dependencies: Vec::new(),
                    version: BTreeMap::from([("amint".to_owned(), input.tool_version.clone())]),
                },
                metadata: BuildMetadata {
                    invocation_id: Some(input.invocation_id.clone()),
                    started_on: Some(input.started_at),
                    finished_on: Some(input.finished_at),
                },
                byproducts: byproducts(&input.byproducts),
            },
        },
    }
}

fn subject(input: &ProvenanceInput) -> ResourceDescriptor {
    let reference = ImageRef { name: input.name.clone(), version: Some(input.version.clone()) };
    ResourceDescriptor {
        name: Some(reference.to_string()),
        digest: sha256(input.image_digest),
        media_type: Some(MANIFEST_MEDIA_TYPE.to_owned()),
        annotations: BTreeMap::from([
            ("amint_blockBytes".to_owned(), Value::from(BLOCK_BYTES)),
            ("amint_digestOf".to_owned(), Value::from("block manifest")),
            ("amint_diskBytes".to_owned(), Value::from(input.disk_bytes)),
            ("amint_manifestFormat".to_owned(), Value::from(input.manifest_format)),
        ]),
        ..ResourceDescriptor::default()
    }
}

fn external_parameters(input: &ProvenanceInput) -> ExternalParameters {
    ExternalParameters {
        name: input.name.to_string(),
        version: input.version.to_string(),
        architecture: input.architecture.to_string(),
        recipe: sha256(input.recipe),
        lock: input.lock.map(sha256).unwrap_or_default(),
        options: input.options.clone(),
    }
}

fn dependencies(input: &ProvenanceInput) -> Vec<ResourceDescriptor> {
    let mut found = vec![dependency("recipe", "recipe", sha256(input.recipe))];
    found.extend(input.lock.map(|lock| dependency("lock", "lock", sha256(lock))));
    found.extend(sorted(&input.inputs).into_iter().map(|file| {
        let digest = match file.content {
            InputContent::File => sha256(file.digest),
            InputContent::Folder => DigestSet::from([(FOLDER_DIGEST.to_owned(), file.digest.to_string())]),
        };
        dependency("input", &file.path, digest)
    }));
    found.extend(sorted(&input.packages).into_iter().map(|package| ResourceDescriptor {
        uri: Some(package.purl.clone()),
        ..dependency("package", &package.name, sha256(package.sha256))
    }));
    found
}

fn dependency(kind: &str, name: &str, digest: DigestSet) -> ResourceDescriptor {
    ResourceDescriptor {
        name: Some(name.to_owned()),
        digest,
        annotations: BTreeMap::from([(KIND.to_owned(), Value::from(kind))]),
        ..ResourceDescriptor::default()
    }
}

fn byproducts(found: &[Byproduct]) -> Vec<ResourceDescriptor> {
    let descriptor = |byproduct: &Byproduct| ResourceDescriptor {
        name: Some(byproduct.name.clone()),
        digest: sha256(byproduct.sha256),
        media_type: byproduct.media_type.clone(),
        ..ResourceDescriptor::default()
    };
    sorted(found).into_iter().map(descriptor).collect()
}

fn sorted<T: Ord>(found: &[T]) -> Vec<&T> {
    let mut sorted: Vec<&T> = found.iter().collect();
    sorted.sort();
    sorted.dedup();
    sorted
}

fn sha256(digest: Digest) -> DigestSet {
    DigestSet::from([(SHA256.to_owned(), digest.to_string())])
}
