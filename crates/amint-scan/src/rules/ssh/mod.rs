//! The ssh server.

mod algorithms;
mod authentication_methods;
mod authorized_keys;
mod empty_passwords;
mod forwarding;
mod host_keys;
mod host_keys_regenerated;
mod keyboard_interactive;
mod known_hosts;
mod limits;
mod listens;
mod password_authentication;
mod remote_access;
mod rights;
mod root_login;
mod starts;
mod trust;
mod user_keys;
mod wanted;
mod x11_forwarding;

use algorithms::Algorithms;
use authentication_methods::AuthenticationMethods;
use authorized_keys::AuthorizedKeys;
use empty_passwords::EmptyPasswords;
use forwarding::Forwarding;
use host_keys::HostKeys;
use host_keys_regenerated::HostKeysRegenerated;
use keyboard_interactive::KeyboardInteractive;
use known_hosts::KnownHosts;
use limits::Limits;
use listens::Listens;
use password_authentication::PasswordAuthentication;
use remote_access::RemoteAccess;
use rights::Rights;
use root_login::RootLogin;
use starts::Starts;
use trust::Trust;
use user_keys::UserKeys;
use x11_forwarding::X11Forwarding;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &PasswordAuthentication, // SSH-001
    &KeyboardInteractive,    // SSH-002
    &RootLogin,              // SSH-003
    &EmptyPasswords,         // SSH-004
    &AuthenticationMethods,  // SSH-005
    &HostKeys,               // SSH-006
    &HostKeysRegenerated,    // SSH-007
    &AuthorizedKeys,         // SSH-008
    &UserKeys,               // SSH-009
    &Listens,                // SSH-010
    &Algorithms,             // SSH-011
    &Forwarding,             // SSH-012
    &Rights,                 // SSH-013
    &Starts,                 // SSH-014
    &RemoteAccess,           // SSH-016
    &Limits,                 // SSH-017
    &Trust,                  // SSH-018
    &X11Forwarding,          // SSH-019
    &KnownHosts,             // SSH-020
];
