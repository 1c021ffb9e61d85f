//! Accounts, passwords and the way to full privileges.

mod autologin;
mod cloud_passwords;
mod default_umask;
mod default_user;
mod empty_passwords;
mod login_users;
mod one_superuser;
mod password_hashes;
mod root_locked;
mod sudo_path;

use autologin::Autologin;
use cloud_passwords::CloudPasswords;
use default_umask::DefaultUmask;
use default_user::DefaultUser;
use empty_passwords::EmptyPasswords;
use login_users::LoginUsers;
use one_superuser::OneSuperuser;
use password_hashes::PasswordHashes;
use root_locked::RootLocked;
use sudo_path::SudoPath;

use crate::facts::accounts::with_password;
use crate::{CheckError, FixContext, Rule};

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &EmptyPasswords, // ACC-001
    &PasswordHashes, // ACC-002
    &RootLocked,     // ACC-004
    &OneSuperuser,   // ACC-005
    &LoginUsers,     // ACC-007
    &SudoPath,       // ACC-008
    &DefaultUmask,   // ACC-011
    &Autologin,      // ACC-012
    &CloudPasswords, // ACC-013
    &DefaultUser,    // ACC-014
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
