//! SLSA provenance in signed in-toto statements.
//!
//! Tells what an image was built from, by what and when, in the words of SLSA provenance v1, and signs that so that
//! another machine can check it. The crate knows nothing of stores, recipes or terminals: it takes plain data and
//! gives bytes. Whether the image's blocks are sound and whether a rebuild gives the same bytes is for its callers.
//!
//! | layer | rules | here |
//! |---|---|---|
//! | predicate | <https://slsa.dev/spec/v1.0/provenance> | [`Provenance`], [`provenance()`] |
//! | statement | <https://github.com/in-toto/attestation/tree/main/spec/v1> | [`Statement`] |
//! | envelope | <https://github.com/secure-systems-lab/dsse>, protocol 1.0 | [`Envelope`] |
//! | keys | RFC 8410: Ed25519 in PKCS#8 and `SubjectPublicKeyInfo`, as PEM | [`SigningKey`], [`PublicKey`] |
//!
//! # What a signature means
//! Whoever holds the key says so. A key made on first use belongs to one user of one machine, and nothing keeps that
//! user from signing something untrue: SLSA Build L1, however good the signature.
//!
//! # What is read of strangers
//! An envelope is read with limits, its signatures are checked over the decoded payload, and only a payload whose
//! signature holds is parsed. It is never written anew for checking. There is no transparency log and there are no
//! certificates: who trusts which key is the caller's to say.

#![forbid(unsafe_code)]

mod dsse;
mod key;
mod limits;
mod shown;
mod statement;
mod verify;

pub use dsse::{
    ENVELOPE_BYTES_MAX, Envelope, EnvelopeError, EnvelopeSignature, PAYLOAD_TYPE, SIGNATURES_MAX, pae,
};
pub use key::{
    KeyError, KeyId, OpenedKey, PEM_BYTES_MAX, PemError, PublicKey, SecretFile, SigningKey, TRUSTED_KEYS_MAX,
    load_or_create_secret, read_trusted_keys,
};
pub use statement::{
    BUILD_TYPE, BUILDER_ID, BuildDefinition, BuildMetadata, Builder, Byproduct, DEPENDENCIES_MAX, DigestSet,
    ExternalParameters, InputContent, InternalParameters, PREDICATE_TYPE, Provenance, ProvenanceFile,
    ProvenanceInput, ProvenancePackage, ResourceDescriptor, RunDetails, STATEMENT_TYPE, SUBJECTS_MAX,
    Statement, StatementError, debian_purl, provenance,
};
pub use verify::{Verified, VerifyError, check_subject, sign_statement, verify_envelope, verify_signatures};
