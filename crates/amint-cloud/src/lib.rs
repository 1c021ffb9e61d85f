//! An EC2-compatible endpoint on loopback over the images of the store.
//!
//! Every tool of AWS that takes an endpoint (`AWS_ENDPOINT_URL`) sees the images of amint's store as AMIs of a local
//! account, each with a snapshot whose blocks are the very blocks of the image. One port serves all services and
//! regions: a request's signature names them. What is not known is refused as AWS refuses it, never answered with a
//! success that did nothing.
//!
//! [`protocol`] knows how AWS's services speak, each file of `operations` holds one operation, `World` is what they
//! speak about, and [`Endpoint`] serves them over HTTP.
//!
//! What it does not do yet: it changes nothing and runs no instances.

mod access;
mod endpoint;
mod operations;
pub mod protocol;
mod service;
mod world;

pub use access::{AccessKey, AccessKeyError};
pub use endpoint::{Endpoint, EndpointOptions};
pub use operations::operation_names;
pub use service::Service;
pub use world::{ACCOUNT_ID, World};
