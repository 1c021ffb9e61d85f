//! Users and their password fields.

use crate::facts::sudoers::Identity;
use crate::{CheckError, Context};

pub(crate) const PASSWD: &str = "/etc/passwd";
pub(crate) const SHADOW: &str = "/etc/shadow";
pub(crate) const GROUP: &str = "/etc/group";

/// One line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) uid: u32,
    /// The number of the first group; none when the field is no number.
    pub(crate) gid: Option<u32>,
    pub(crate) home: String,
    pub(crate) shell: String,
    pub(crate) line: u32,
}

impl User {
    /// Tells whether the shell lets somebody in.
    pub(crate) fn has_login_shell(&self) -> bool {
        let program = self.shell.rsplit('/').next().unwrap_or_default();
        // No shell at all means /bin/sh.
        !matches!(program, "nologin" | "false" | "sync" | "shutdown" | "halt")
    }
}

/// One line of `/etc/shadow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shadow {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) line: u32,
}

/// The accounts of the image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    pub(crate) users: Vec<User>,
    pub(crate) shadow: Vec<Shadow>,
}

impl Accounts {
    /// Reads the accounts; a line that is no account is an error, because it may be anything.
    pub(crate) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut accounts = Self::default();
        for (line, fields) in records(cx, PASSWD)? {
            // `+` and `-` include a directory service's accounts; they have no uid of their own.
            if fields[0].starts_with(['+', '-']) {
                continue;
            }
            let malformed =
                |what: &str| CheckError::Malformed { path: PASSWD.into(), line, what: what.to_owned() };
            if fields.len() < 7 {
                return Err(malformed("fewer than seven fields"));
            }
            accounts.users.push(User {
                name: fields[0].clone(),
                password: fields[1].clone(),
                uid: fields[2].parse().map_err(|_| malformed("the user id is no number"))?,
                gid: fields[3].parse().ok(),
                home: fields[5].clone(),
                shell: fields[6].trim().to_owned(),
                line,
            });
        }
        for (line, fields) in records(cx, SHADOW)? {
            let password = fields.get(1).cloned().ok_or_else(|| CheckError::Malformed {
                path: SHADOW.into(),
                line,
                what: "no password field".to_owned(),
            })?;
            accounts.shadow.push(Shadow { name: fields[0].clone(), password, line });
        }
        Ok(accounts)
    }

    /// Returns the user of a name.
    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// Returns a user with all their groups; none when there is no such user.
    pub(crate) fn identity(&self, cx: &Context<'_>, name: &str) -> Result<Option<Identity>, CheckError> {
        let Some(user) = self.user(name) else { return Ok(None) };
        let mut identity = Identity { name: name.to_owned(), uid: user.uid, groups: Vec::new() };
        for (_, fields) in records(cx, GROUP)? {
            let Some(gid) = fields.get(2).and_then(|field| field.parse().ok()) else { continue };
            let is_member = fields.get(3).is_some_and(|list| list.split(',').any(|member| member == name));
            if is_member || user.gid == Some(gid) {
                identity.groups.push((fields[0].clone(), gid));
            }
        }
        Ok(Some(identity))
    }

    /// Returns the shadow line of a name.
    pub(crate) fn shadow_of(&self, name: &str) -> Option<&Shadow> {
        self.shadow.iter().find(|entry| entry.name == name)
    }
}

/// Reads the lines of a file with fields between colons.
pub(crate) fn records(cx: &Context<'_>, path: &str) -> Result<Vec<(u32, Vec<String>)>, CheckError> {
    let text = cx.text(path)?.unwrap_or_default();
    let numbered = (1_u32..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    Ok(numbered.map(|(number, line)| (number, line.split(':').map(str::to_owned).collect())).collect())
}

/// Tells whether a password field holds a hash, open or behind a lock.
///
/// `*`, `!`, `!!`, `!*`, `*LK*`, `*NP*` and `x` are no hashes, nor are words behind a lock that say so, such as
/// the `!locked` of Red Hat's images; anything else that is not empty may be one.
pub(crate) fn has_hash(field: &str) -> bool {
    let bare = field.trim_matches(['!', '*']);
    let is_locked = field.starts_with(['!', '*']);
    let is_word = |word: &str| ["invalid", "locked", "none", "nopass", "nopassword"].contains(&word);
    !(matches!(bare, "" | "x" | "LK" | "NP" | "K" | "U") || is_locked && is_word(&bare.to_ascii_lowercase()))
}

/// Tells whether nobody can log in with this password field.
pub(crate) fn is_locked(field: &str) -> bool {
    field.starts_with(['!', '*'])
}

/// Returns a line with its second field replaced.
pub(crate) fn with_password(line: &str, field: &str) -> String {
    let mut fields: Vec<&str> = line.split(':').collect();
    if fields.len() > 1 {
        fields[1] = field;
    }
    fields.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_fields_are_no_hashes_and_a_locked_hash_is_one() {
        for field in ["", "!", "!!", "*", "!*", "x", "*LK*", "!locked", "*locked*"] {
            assert!(!has_hash(field), "{field}");
        }
        for field in ["$6$a$b", "!$y$j9T$a$b", "abJnggxhB/yWI", "_9G..8147mpcfKT8g0U.", "*$6$a$b"] {
            assert!(has_hash(field), "{field}");
        }
        assert!(is_locked("!$6$a$b") && is_locked("*") && !is_locked("$6$a$b") && !is_locked(""));
    }

    #[test]
    fn only_the_password_field_is_replaced() {
        assert_eq!(with_password("root:$6$x:20780:0:99999:7:::", "!*"), "root:!*:20780:0:99999:7:::");
    }
}
