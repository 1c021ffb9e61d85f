//! A stranger's look at a guest from outside: open ports, what listens there, TLS, passwords that everybody knows.
//!
//! Ports are found with frames of our own on the guest's network (see [`wire`]), because user-mode networking only
//! lets through what was forwarded before. What is open is then forwarded, and spoken to by plain connections;
//! these come from the network's gateway. UDP is only looked at from inside, by the check `ports`.

mod certificate;
mod databases;
mod exchange;
mod frames;
mod hello;
mod http;
mod scan;
mod services;
#[cfg(test)]
mod services_tests;
mod ssh;
mod stranger;
mod tls;
mod wire;

pub(crate) use frames::Station;
pub(crate) use scan::STRANGER;
pub(crate) use ssh::{algorithms, methods};
pub(crate) use stranger::Stranger;
pub(crate) use wire::Wire;
