//! What holds other content: compressed streams, archives.

mod sniff;
mod tar;
mod unpack;
mod zip;

pub use sniff::is_container;
pub(crate) use unpack::Unpacker;
