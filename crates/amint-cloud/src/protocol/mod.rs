//! How AWS's services speak: signatures, parameters, answers and errors. Nothing here knows what a request means.

mod fault;
mod params;
mod signature;
mod xml;

pub use fault::Fault;
pub use params::{Filter, Params, ParamsError};
pub use signature::{Credential, MAX_CLOCK_SKEW, Payload, SignatureError, SignedRequest};
pub use xml::Element;
