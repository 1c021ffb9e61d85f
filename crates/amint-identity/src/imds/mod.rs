//! Asking the instance metadata service, in its second version only.
//!
//! A token is fetched first and sent with every request (EC2 User Guide, "Use the Instance Metadata Service to access
//! instance metadata"); there is no way back to the first version. Plain HTTP over the standard library; proxies of
//! the environment are ignored, because the service is on the instance's own link.
//!
//! ```no_run
//! use amint_identity::imds::{Client, ProofError};
//! use amint_identity::Expect;
//!
//! let expect = Expect::new().product_code("aw0evgkw8e5c1q413zgy5pjce").private_ip_of_this_machine();
//! match Client::from_environment().and_then(|client| client.prove(&expect)) {
//!     Ok(verified) => println!("licensed on {}", verified.document.instance_id),
//!     Err(ProofError::Refused(refusal)) => println!("{}: {refusal}", refusal.name()),
//!     Err(error) => println!("{error}"),
//! }
//! ```

mod client;
mod error;
mod http;

pub use client::{Client, ENDPOINT_MODE_VARIABLE, ENDPOINT_VARIABLE, Evidence, IPV4_ENDPOINT, IPV6_ENDPOINT};
pub use error::ProofError;
