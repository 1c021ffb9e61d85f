//! Accounts, passwords and the way to full privileges.

mod autologin;
mod cloud_passwords;
mod default_user;
mod empty_passwords;
mod homes;
mod known_passwords;
mod limited_ways;
mod login_defaults;
mod login_users;
mod one_superuser;
mod other_ways;
mod pam_empty;
mod pam_open;
mod pam_strength;
mod password_hashes;
mod passwordless_sudo;
mod root_locked;
mod service_credentials;
mod sudo_path;
mod sudo_settings;

use autologin::Autologin;
use default_user::DefaultUser;
use empty_passwords::EmptyPasswords;
use homes::Homes;
use known_passwords::KnownPasswords;
use limited_ways::LimitedWays;
use login_defaults::LoginDefaults;
use login_users::LoginUsers;
use one_superuser::OneSuperuser;
use other_ways::OtherWays;
use pam_empty::PamEmpty;
use pam_open::PamOpen;
use pam_strength::PamStrength;
use password_hashes::PasswordHashes;
use root_locked::RootLocked;
use service_credentials::ServiceCredentials;
use sudo_path::SudoPath;
use sudo_settings::SudoSettings;

use crate::facts::accounts::with_password;
use crate::{CheckError, FixContext, Rule};

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &EmptyPasswords,     // ACC-001
    &PasswordHashes,     // ACC-002
    &KnownPasswords,     // ACC-003
    &RootLocked,         // ACC-004
    &OneSuperuser,       // ACC-005
    &Homes,              // ACC-006
    &LoginUsers,         // ACC-007
    &SudoPath,           // ACC-008
    &OtherWays,          // ACC-009
    &PamOpen,            // ACC-010
    &LoginDefaults,      // ACC-011
    &Autologin,          // ACC-012
    &ServiceCredentials, // ACC-013
    &DefaultUser,        // ACC-014
    &SudoSettings,       // ACC-015
    &PamEmpty,           // ACC-016
    &PamStrength,        // ACC-017
    &LimitedWays,        // ACC-018
];

/// Rewrites a file of accounts line by line; `change` returns the new second field of a line that it changes.
fn rewrite(
    cx: &FixContext<'_>,
    path: &str,
    change: &dyn Fn(&[&str]) -> Option<&'static str>,
) -> Result<(), CheckError> {
    let Some(text) = cx.look().text(path)? else { return Ok(()) };
    let mut is_changed = false;
    let mut content = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let fields: Vec<&str> = line.trim_end_matches('\n').split(':').collect();
        match change(&fields) {
            Some(field) if fields.len() > 1 && fields[1] != field => {
                is_changed = true;
                content.push_str(&with_password(line, field));
            }
            _ => content.push_str(line),
        }
    }
    if is_changed { cx.replace(path, content.as_bytes()) } else { Ok(()) }
}
