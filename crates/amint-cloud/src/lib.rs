//! An EC2-compatible endpoint on loopback over the images of the store.
//!
//! Every tool of AWS that takes an endpoint (`AWS_ENDPOINT_URL`) sees the images of amint's store as AMIs of a local
//! account, each with a snapshot whose blocks are the very blocks of the image. One port serves all services and
//! regions: a request's signature names them. What is not known is refused as AWS refuses it, never answered with a
//! success that did nothing.
//!
//! [`protocol`] knows how AWS's services speak, each file of `operations` holds one operation, `records` are the nouns
//! that they speak about, `state` remembers them, and [`Endpoint`] serves them over HTTP.

mod access;
mod clock;
mod endpoint;
mod operations;
pub mod protocol;
mod records;
mod reference;
mod service;
mod state;
mod world;

pub use access::{AccessKey, AccessKeyError};
pub use clock::Clock;
pub use endpoint::{Endpoint, EndpointOptions};
pub use operations::operation_names;
pub use reference::reference_markdown;
pub use service::Service;
pub use state::StateError;
pub use world::{ACCOUNT_ID, World, WorldError, WorldOptions};
