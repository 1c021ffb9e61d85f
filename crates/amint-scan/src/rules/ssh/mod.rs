//! The ssh server.

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
mod root_login;
mod starts;
mod trust;
mod user_keys;
mod wanted;
mod x11_forwarding;

pub(super) use authentication_methods::AuthenticationMethods;
pub(super) use authorized_keys::AuthorizedKeys;
pub(super) use empty_passwords::EmptyPasswords;
pub(super) use forwarding::Forwarding;
pub(super) use host_keys::HostKeys;
pub(super) use host_keys_regenerated::HostKeysRegenerated;
pub(super) use keyboard_interactive::KeyboardInteractive;
pub(super) use known_hosts::KnownHosts;
pub(super) use limits::Limits;
pub(super) use listens::Listens;
pub(super) use password_authentication::PasswordAuthentication;
pub(super) use root_login::RootLogin;
pub(super) use starts::Starts;
pub(super) use trust::Trust;
pub(super) use user_keys::UserKeys;
pub(super) use x11_forwarding::X11Forwarding;
