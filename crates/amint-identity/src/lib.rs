//! Proof at run time: does this software run on the instance, image and product it was sold for?
//!
//! EC2 gives every instance a *document* that says what it is: account, region, image, instance, product codes.
//! It signs the document in three forms. This crate verifies the signature with pinned certificates, and then
//! compares what the document says with what the caller expects. A refusal tells its reason.
//!
//! ```
//! use amint_identity::{Expect, Refusal, verify};
//!
//! # fn main() {
//! # let document = include_bytes!("../tests/data/c-rsa2048-us-west-2-2021.document.json");
//! # let signature = include_bytes!("../tests/data/c-rsa2048-us-west-2-2021.pkcs7.b64");
//! // As `/latest/dynamic/instance-identity/document` and `…/rsa2048` of the metadata service give them.
//! let verified = verify(document, signature, &Expect::new().region("us-west-2")).unwrap();
//! assert_eq!(verified.document.image_id, "ami-0fa9e1f64142cde17");
//!
//! let refusal = verify(document, signature, &Expect::new().product_code("abc")).unwrap_err();
//! assert!(matches!(refusal, Refusal::ProductCode { .. }));
//! # }
//! ```
//!
//! # Rules
//!
//! - The form and its fields: EC2 User Guide, "Instance identity documents". The messages: RFC 5652 (CMS),
//!   RFC 8017 (RSA PKCS #1 v1.5), FIPS 186-4 (DSA), X.690 (BER).
//! - The bytes that were signed are verified; nothing is written anew before.
//! - Certificates are pinned: no chain is built, and certificates within a message are never trusted.
//! - A document proves nothing about who shows it. Fetch it on the instance (feature `imds`) and bind it to the
//!   machine: [`Expect::private_ip_of_this_machine`], [`Expect::pending_within`].
//!
//! # Promises
//!
//! Enums are non-exhaustive; codes and names of [`Refusal`] never change their meaning. What is refused today may
//! be accepted by a later minor version only where EC2 itself changes. No `async`, no threads; no network without
//! the feature `imds`; no unsafe code.
#![forbid(unsafe_code)]

mod armour;
mod ber;
mod certificate;
mod certificates;
mod cms;
mod document;
mod expect;
mod form;
#[cfg(feature = "imds")]
pub mod imds;
mod interfaces;
mod json;
mod key;
#[cfg(feature = "local-keys")]
pub mod local;
mod refusal;
mod time;
mod verify;

pub use certificates::{CertificateInfo, Certificates, CertificatesError, Origin};
pub use document::Document;
pub use expect::Expect;
pub use form::{Form, ParseFormError};
pub use refusal::Refusal;
pub use verify::{Verified, verify};
