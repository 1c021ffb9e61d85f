//! An EC2-compatible endpoint on loopback over the images of the store.
//!
//! Every tool of AWS that takes an endpoint (`AWS_ENDPOINT_URL`) sees the images of amint's store as AMIs of a local
//! account, each with a snapshot whose blocks are the very blocks of the image, and instances of them boot in QEMU. One port serves all services and
//! regions: a request's signature names them. What is not known is refused as AWS refuses it, never answered with a
//! success that did nothing.
//!
//! [`protocol`] knows how AWS's services speak, each file of `operations` holds one operation, `records` are the nouns
//! that they speak about, `state` remembers them, `machines` and `volumes` are what instances run on, and [`Endpoint`]
//! serves it all over HTTP.

mod access;
mod chaos;
mod clock;
mod dispatch;
mod endpoint;
mod instance_types;
mod key_material;
mod lives;
mod machines;
mod network;
mod operations;
mod principals;
pub mod protocol;
mod records;
mod reference;
mod service;
mod state;
mod trail;
mod volumes;
mod world;

pub use access::{AccessKey, AccessKeyError};
pub use chaos::{ChaosError, ChaosOptions};
pub use clock::Clock;
pub use endpoint::{Endpoint, EndpointOptions};
pub use machines::MachineOptions;
pub use operations::operation_names;
pub use reference::reference_markdown;
pub use service::Service;
pub use state::StateError;
pub use world::{ACCOUNT_ID, World, WorldError, WorldOptions};
