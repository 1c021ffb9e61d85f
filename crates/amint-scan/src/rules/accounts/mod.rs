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

pub(super) use autologin::Autologin;
pub(super) use cloud_passwords::CloudPasswords;
pub(super) use default_umask::DefaultUmask;
pub(super) use default_user::DefaultUser;
pub(super) use empty_passwords::EmptyPasswords;
pub(super) use login_users::LoginUsers;
pub(super) use one_superuser::OneSuperuser;
pub(super) use password_hashes::PasswordHashes;
pub(super) use root_locked::RootLocked;
pub(super) use sudo_path::SudoPath;

use crate::facts::accounts::with_password;
use crate::{CheckError, FixContext};

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
