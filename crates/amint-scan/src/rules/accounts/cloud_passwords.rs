//! What the image tells cloud-init about passwords.

use std::path::Path;

use amint_types::report::Finding;

use crate::facts::yaml::Yaml;
use crate::rule::finding;
use crate::{CheckError, Context};

/// Finds passwords, keys and open doors in the image's own configuration.
pub(super) fn findings(cx: &Context<'_>) -> Result<Vec<Finding>, CheckError> {
    let Some(config) = cx.cloud()? else { return Ok(Vec::new()) };
    let mut findings = Vec::new();
    // Each file is judged, because a secret in a file that another one overrules is still in the image.
    for (path, file) in &config.files {
        judge(path, file, &mut findings);
    }
    for (key, bad, message) in [
        ("ssh_pwauth", true, "ssh is opened to passwords at boot"),
        ("disable_root", false, "root is opened to the launch key at boot"),
    ] {
        if config.merged.at(&[key]).and_then(Yaml::switch) == Some(bad) {
            findings.push(finding(format!("{key}: {bad}: {message}"), config.source(&[key])));
        }
    }
    Ok(findings)
}

fn judge(path: &Path, file: &Yaml, findings: &mut Vec<Finding>) {
    let mut tell = |message: String| findings.push(finding(message, path));
    let is_set = |value: Option<&Yaml>| value.is_some_and(|value| !value.is_empty());
    if is_set(file.at(&["password"])) {
        tell("a password for the default user".to_owned());
    }
    for key in ["list", "users"] {
        if is_set(file.at(&["chpasswd", key])) {
            tell(format!("passwords in chpasswd.{key}"));
        }
    }
    let default = file.at(&["system_info", "default_user"]);
    let users = file.at(&["users"]).map_or(&[][..], Yaml::items);
    for user in default.into_iter().chain(users).chain(file.at(&["user"])) {
        let name = user.at(&["name"]).and_then(Yaml::text).unwrap_or("the default user");
        for key in ["passwd", "hashed_passwd", "plain_text_passwd"] {
            if is_set(user.at(&[key])) {
                tell(format!("{key} of {name}"));
            }
        }
        for key in ["lock_passwd", "lock-passwd"] {
            if user.at(&[key]).and_then(Yaml::switch) == Some(false) {
                tell(format!("{key}: false for {name}"));
            }
        }
        for key in ["ssh_authorized_keys", "ssh-authorized-keys", "ssh_import_id"] {
            if is_set(user.at(&[key])) {
                tell(format!("{key} of {name}: a key that opens every instance"));
            }
        }
    }
    if is_set(file.at(&["ssh_authorized_keys"])) {
        tell("ssh_authorized_keys: a key that opens every instance".to_owned());
    }
    if is_set(file.at(&["ssh_keys"])) {
        tell("ssh_keys: host keys that every instance shares".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn image(config: &str) -> Fixture {
        Fixture::new().file("/usr/bin/cloud-init", "").file("/etc/cloud/cloud.cfg", config)
    }

    #[test]
    fn debians_configuration_passes() {
        let config = "disable_root: true\nusers:\n - default\nsystem_info:\n  default_user: {name: debian, lock_passwd: True}\nchpasswd: {expire: false}\n";
        assert!(image(config).is_pass("ACC-012"));
    }

    #[test]
    fn passwords_keys_and_open_doors_are_found_and_not_shown() {
        let config = "password: hunter2\nchpasswd: {list: \"root:hunter2\"}\nssh_pwauth: 1\ndisable_root: no\n\
            users:\n - {name: joe, plain_text_passwd: hunter2, lock_passwd: no, ssh_authorized_keys: [k]}\n";
        let findings = image(config).findings("ACC-012");
        assert_eq!(findings.len(), 7, "{findings:?}");
        assert!(!findings.join("").contains("hunter2"));
    }

    #[test]
    fn a_later_file_may_close_what_an_earlier_one_opens() {
        let fixture =
            image("ssh_pwauth: true\n").file("/etc/cloud/cloud.cfg.d/99.cfg", "ssh_pwauth: false\n");
        assert!(fixture.is_pass("ACC-012"));
    }
}
