//! Changes of a recipe that several rules propose.
//!
//! Names and paths come from the image: what a shell would read otherwise never becomes part of a command.

use amint_types::report::Finding;

use crate::RecipeChange;

/// Folders in which each file stands for itself: without it the rest stays as it was.
const DROP_INS: [&str; 10] = [
    "/etc/apt/apt.conf.d/",
    "/etc/apt/sources.list.d/",
    "/etc/cloud/cloud.cfg.d/",
    "/etc/cron.d/",
    "/etc/modprobe.d/",
    "/etc/rsyslog.d/",
    "/etc/ssh/sshd_config.d/",
    "/etc/sudoers.d/",
    "/etc/sysctl.d/",
    "/etc/yum.repos.d/",
];
/// Units that belong to no package.
const UNITS: &str = "/etc/systemd/system/";

/// Proposes to remove the file of a finding where it stands for itself: a drop-in, or a unit that belongs to no package.
pub(super) fn without_drop_in(finding: &Finding) -> Option<RecipeChange> {
    let path = plain(&finding.evidence.path)?;
    let is_alone = |folder: &str| path.strip_prefix(folder).is_some_and(|name| !name.contains('/'));
    if DROP_INS.iter().any(|folder| is_alone(folder)) {
        return Some(RecipeChange::RemovePath(path.to_owned()));
    }
    let unit = path.strip_prefix(UNITS)?;
    match unit.split_once('/') {
        // A drop-in of a unit.
        Some((folder, file)) if folder.as_bytes().ends_with(b".d") && !file.contains('/') => {
            Some(RecipeChange::RemovePath(path.to_owned()))
        }
        None => {
            Some(RecipeChange::Run(format!("rm -f -- {path} {UNITS}*.wants/{unit} {UNITS}*.requires/{unit}")))
        }
        _ => None,
    }
}

/// Returns a path that a shell reads as it stands.
pub(super) fn plain(path: &str) -> Option<&str> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+@:".contains(letter);
    (path.starts_with('/') && !path.contains("..") && path.chars().all(is_plain)).then_some(path)
}

/// Returns the name of an account, of the form that `useradd(8)` allows.
pub(super) fn account(name: &str) -> Option<&str> {
    let is_first = |letter: u8| letter.is_ascii_lowercase() || letter == b'_';
    let is_later = |letter: u8| is_first(letter) || letter.is_ascii_digit() || letter == b'-';
    let mut letters = name.bytes();
    (letters.next().is_some_and(is_first) && letters.all(is_later)).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::rule::finding;

    #[test]
    fn only_files_that_stand_for_themselves_are_removed() {
        let change = |path: &str| without_drop_in(&finding("x", Path::new(path)));
        let removal = |path: &str| Some(RecipeChange::RemovePath(path.to_owned()));
        assert_eq!(change("/etc/cron.d/update"), removal("/etc/cron.d/update"));
        let drop_in = "/etc/systemd/system/getty@tty1.service.d/autologin.conf";
        assert_eq!(change(drop_in), removal(drop_in));
        let Some(RecipeChange::Run(command)) = change("/etc/systemd/system/tunnel.service") else {
            panic!("a command")
        };
        assert!(command.starts_with("rm -f -- /etc/systemd/system/tunnel.service "), "{command}");
        for path in
            ["/etc/sudoers", "/etc/cron.d/a b", "/etc/cron.d/../passwd", "/usr/lib/systemd/system/x.service"]
        {
            assert_eq!(change(path), None, "{path}");
        }
    }

    #[test]
    fn names_of_accounts_are_plain() {
        assert_eq!(
            (account("packer"), account("x;y"), account("-x"), account("")),
            (Some("packer"), None, None, None)
        );
    }
}
