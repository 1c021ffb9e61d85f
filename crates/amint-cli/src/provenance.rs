//! The signed statement of where an image came from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use amint_provenance::{
    Byproduct, InputContent, ProvenanceFile, ProvenanceInput, ProvenancePackage, SigningKey, debian_purl,
    provenance, sign_statement,
};
use amint_recipe::lock::{InputKind, Lock, LockedPackage};
use amint_store::{ImageRecord, MANIFEST_FORMAT_VERSION, Store};
use amint_types::Digest;
use amint_types::report::BuildReport;
use jiff::Timestamp;

use crate::args::BuildArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The stored document with the signed statement (DSSE).
pub(crate) const PROVENANCE: &str = "provenance";
/// The stored document with the lock's text.
pub(crate) const LOCK: &str = "lock";
/// The stored document with the path of the recipe on this machine: never published.
pub(crate) const ORIGIN: &str = "origin";
/// The option that a rebuild has to be given again.
pub(crate) const SOURCE_DATE_EPOCH: &str = "source-date-epoch";

/// Returns where this machine's own signing key lies.
pub(crate) fn own_key_path(home: &Path) -> PathBuf {
    home.join("keys/signing.pem")
}

/// Opens the key that images are signed with; this machine's own is made at first use.
pub(crate) fn signing_key(args: &BuildArgs, context: &Context) -> Result<SigningKey, Failure> {
    if let Some(path) = &args.signing_key {
        return Ok(SigningKey::load(path)?);
    }
    let path = own_key_path(&context.home()?);
    let opened = SigningKey::load_or_create(&path)?;
    if opened.is_new {
        context.sink().info(&format!("made a key to sign images with: {}", path.display()));
    }
    Ok(opened.key)
}

/// States where an image came from, signs that, and keeps it with the image.
pub(crate) fn attach(
    args: &BuildArgs,
    store: &Store,
    record: &ImageRecord,
    lock: &Lock,
    report: &BuildReport,
    started_at: Timestamp,
    key: &SigningKey,
) -> Result<(), Failure> {
    let mut options = BTreeMap::new();
    if let Some(epoch) = args.source_date_epoch {
        options.insert(SOURCE_DATE_EPOCH.to_owned(), epoch.to_string());
    }
    let source_epoch =
        Timestamp::from_second(report.source_epoch).map_err(|error| Failure::new(ExitCode::Input, error))?;
    let statement = provenance(&ProvenanceInput {
        name: record.name.clone(),
        version: record.version.clone(),
        architecture: record.architecture,
        image_digest: record.digest,
        manifest_format: MANIFEST_FORMAT_VERSION,
        disk_bytes: record.disk_bytes,
        recipe: report.recipe_digest,
        lock: Some(Digest::of(lock.to_toml().as_bytes())),
        options,
        source_epoch,
        packages: lock.packages.iter().map(package).collect(),
        inputs: lock
            .inputs
            .iter()
            .map(|input| ProvenanceFile {
                path: input.path.clone(),
                content: match input.kind {
                    InputKind::Folder => InputContent::Folder,
                    _ => InputContent::File,
                },
                digest: input.sha256,
            })
            .collect(),
        byproducts: vec![Byproduct {
            name: "build-report".to_owned(),
            media_type: Some("application/json".to_owned()),
            sha256: Digest::of(amint_report::json(report).as_bytes()),
        }],
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at,
        finished_at: Timestamp::now(),
        invocation_id: format!("{}-{}", started_at.as_nanosecond(), std::process::id()),
    });
    let envelope = sign_statement(&statement, key).map_err(|error| Failure::new(ExitCode::Defect, error))?;
    let text = envelope.to_json().map_err(|error| Failure::new(ExitCode::Defect, error))?;
    Ok(store.put_document(record, PROVENANCE, &text)?)
}

fn package(package: &LockedPackage) -> ProvenancePackage {
    let LockedPackage { name, version, architecture, sha256, .. } = package;
    let purl = if package.suite.starts_with("repo:") {
        // A repository of the recipe: no distribution's name belongs to it.
        debian_purl(name, version, architecture).replacen("pkg:deb/debian/", "pkg:deb/unknown/", 1)
    } else {
        debian_purl(name, version, architecture)
    };
    ProvenancePackage {
        name: name.clone(),
        version: version.clone(),
        architecture: architecture.clone(),
        sha256: *sha256,
        purl,
    }
}
