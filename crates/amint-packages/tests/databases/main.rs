//! Comparisons with the package managers' own tools.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

mod apt;
mod dpkg;
mod hostile;
mod rpm;
mod rpm_keys;
mod rpm_stores;
