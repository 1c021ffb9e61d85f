//! AWS's own services, as amint's engines ask for them: the only crate that names the AWS SDK.
//!
//! Compiling the SDK takes minutes and more than five GiB, so nothing but the binary's feature `aws` leans on this crate,
//! and nothing is decided here: each method is one request, without retries (`docs/design/008`).
//!
//! - [`Connection`] finds credentials, region and endpoint where every tool of AWS finds them.
//! - [`AwsRegion`] is a region, as [`amint_publish::Region`] asks for it.
//! - A gate inside the clients lets only those requests pass that [`amint_publish::calls`] lists for the purpose at hand:
//!   what `amint iam` allows is what can be sent.

mod account;
mod assessments;
mod connection;
mod convert;
mod document;
mod ebs;
mod ec2;
mod error;
mod gate;
mod kms;
mod marketplace;
mod region;
mod ssm;

pub use connection::{ConnectError, Connection, Endpoint};
pub use marketplace::AwsCatalog;
pub use region::AwsRegion;
