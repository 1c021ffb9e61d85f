//! What is signed: an in-toto statement with SLSA provenance.
//!
//! # Build type `urn:amint:build:1`
//! `amint build` made a disk image from a recipe and its lock file.
//!
//! - `externalParameters`: `name`, `version` and `architecture` of the image; `recipe` and `lock`, the digests of the
//!   two texts; `options` of the command that reach the image. They are complete: amint reads nothing else that its
//!   user decides. Unknown fields are refused, as the specification advises.
//! - `internalParameters`: `sourceDateEpoch`, the seconds that stand for the time inside the image.
//! - `resolvedDependencies`: recipe, lock, each input file and each package. `amint_kind` tells which is which.
//! - To build again: the recipe beside its lock and inputs, then `amint build` with the options.
//!
//! The subject is the image's block manifest: a file of amint's store whose SHA-256 is the image's digest, and which
//! names the SHA-256 of each block of the disk. Its annotations say so.
//!
//! # Builder `urn:amint:builder:local:1`
//! amint, run by a user on a machine of their own: SLSA Build L1. Nothing keeps that user from changing the build.
//!
//! Extension fields have the form `amint_word` (SLSA provenance v1, extension fields). Other unknown fields are left
//! aside on reading; maps are written in the order of their keys, so that the same content gives the same bytes.

mod error;
mod input;
mod model;
mod purl;
mod read;

pub use error::StatementError;
pub use input::{Byproduct, InputContent, ProvenanceFile, ProvenanceInput, ProvenancePackage, provenance};
pub use model::{
    BuildDefinition, BuildMetadata, Builder, DigestSet, ExternalParameters, InternalParameters, Provenance,
    ResourceDescriptor, RunDetails, Statement,
};
pub use purl::debian_purl;

/// The type of a statement (in-toto attestation v1).
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of its predicate (SLSA provenance v1).
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";
/// The type of a build, with the version of its parameters.
pub const BUILD_TYPE: &str = "urn:amint:build:1";
/// Who built.
pub const BUILDER_ID: &str = "urn:amint:builder:local:1";
/// Most subjects of a statement that is read.
pub const SUBJECTS_MAX: usize = 1024;
/// Most dependencies, and most byproducts: Debian has fewer packages.
pub const DEPENDENCIES_MAX: usize = 100_000;

/// The digest algorithm that every amint statement uses (in-toto attestation v1, `DigestSet`).
pub(crate) const SHA256: &str = "sha256";
