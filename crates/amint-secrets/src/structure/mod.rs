//! What no expression can tell: the structure of keys, stores, tokens and addresses.

pub(crate) mod address;
pub(crate) mod aws;
pub(crate) mod der;
pub(crate) mod pem;
pub(crate) mod stores;
pub(crate) mod token;
