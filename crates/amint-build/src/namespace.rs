//! The namespaces a build runs in.
//!
//! A build never mounts anything where others can see it. `amint` therefore starts itself again inside a
//! private mount namespace (as root), or inside a user namespace with subordinate ids and a private mount
//! namespace (as an ordinary user; see `subuid(5)`, `unshare(1)`). The process id stays the same, so signals
//! and exit codes are those of the command the user started.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::{fs, io};

use amint_types::Hint;

use crate::command::{CommandError, find_program};

/// Set in the environment of the process that runs inside the namespaces.
pub const NAMESPACE_VARIABLE: &str = "AMINT_NAMESPACE";

/// The namespaces could not be entered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NamespaceError {
    /// A tool is missing.
    #[error(transparent)]
    Tool(#[from] CommandError),
    /// The user has no subordinate ids.
    #[error("no subordinate ids for user `{user}` in {file}")]
    NoSubordinateIds {
        /// The user's name, or its number.
        user: String,
        /// The file without an entry.
        file: &'static str,
    },
    /// The kernel or a security module refuses user namespaces.
    #[error("user namespaces are switched off on this machine ({setting})")]
    SwitchedOff {
        /// The setting that says so.
        setting: &'static str,
    },
    /// The program could not be started again.
    #[error("could not start amint again inside its namespaces")]
    Start(#[source] io::Error),
}

impl Hint for NamespaceError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Tool(error) => error.hint(),
            Self::NoSubordinateIds { user, .. } => Some(format!(
                "run as root, or give the user ids: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}`"
            )),
            Self::SwitchedOff { setting } => Some(format!("run as root, or change `{setting}`")),
            Self::Start(_) => None,
        }
    }
}

/// Tells whether this process already runs inside the build's namespaces.
pub fn is_inside() -> bool {
    std::env::var_os(NAMESPACE_VARIABLE).is_some()
}

/// Starts this program again inside the namespaces, with the same arguments; returns only on failure.
pub fn enter() -> NamespaceError {
    match arguments() {
        Ok((unshare, arguments)) => {
            let error = Command::new(unshare).args(arguments).env(NAMESPACE_VARIABLE, "1").exec();
            NamespaceError::Start(error)
        }
        Err(error) => error,
    }
}

fn arguments() -> Result<(PathBuf, Vec<OsString>), NamespaceError> {
    let unshare = find_program("unshare")?;
    let mut arguments: Vec<OsString> = Vec::new();
    if !rustix::process::geteuid().is_root() {
        find_program("newuidmap")?;
        check_kernel()?;
        check_subordinate_ids()?;
        arguments.extend(["--user", "--map-root-user", "--map-auto"].map(OsString::from));
    }
    arguments.extend(["--mount", "--propagation", "private", "--"].map(OsString::from));
    // Not `/proc/self/exe`: by the time it is looked up, that is `unshare`.
    arguments.push(std::env::current_exe().map_err(NamespaceError::Start)?.into());
    arguments.extend(std::env::args_os().skip(1));
    Ok((unshare, arguments))
}

fn check_kernel() -> Result<(), NamespaceError> {
    let settings: [(&'static str, &str, &str); 3] = [
        ("user.max_user_namespaces", "/proc/sys/user/max_user_namespaces", "0"),
        ("kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", "0"),
        (
            "kernel.apparmor_restrict_unprivileged_userns",
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
        ),
    ];
    for (setting, path, off) in settings {
        if fs::read_to_string(path).is_ok_and(|value| value.trim() == off) {
            return Err(NamespaceError::SwitchedOff { setting });
        }
    }
    Ok(())
}

fn check_subordinate_ids() -> Result<(), NamespaceError> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = user_name(&passwd, &uid).unwrap_or(&uid).to_owned();
    for file in ["/etc/subuid", "/etc/subgid"] {
        let text = fs::read_to_string(file).unwrap_or_default();
        if !has_entry(&text, &user) && !has_entry(&text, &uid) {
            return Err(NamespaceError::NoSubordinateIds { user, file });
        }
    }
    Ok(())
}

fn user_name<'a>(passwd: &'a str, uid: &str) -> Option<&'a str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then_some(name)
    })
}

fn has_entry(text: &str, user: &str) -> bool {
    text.lines().any(|line| line.split(':').next() == Some(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_user_and_its_subordinate_ids() {
        let passwd = "root:x:0:0::/root:/bin/sh\nbuilder:x:1000:1000::/home/b:/bin/sh\n";
        assert_eq!(user_name(passwd, "1000"), Some("builder"));
        assert_eq!(user_name(passwd, "7"), None);
        assert!(has_entry("builder:100000:65536\n", "builder"));
        assert!(!has_entry("builder2:100000:65536\n", "builder"));
    }

    #[test]
    fn tells_how_to_get_subordinate_ids() {
        let error = NamespaceError::NoSubordinateIds { user: "builder".to_owned(), file: "/etc/subuid" };
        assert!(error.hint().unwrap().contains("usermod --add-subuids"));
    }
}
