//! What holds other content: compressed streams, archives.

mod sniff;
mod tar;
mod unpack;
mod zip;

pub(crate) use unpack::Unpacker;
