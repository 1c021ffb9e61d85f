//! What the usual modules do.

/// How a module answers the question who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Yes to everybody.
    Permits,
    /// No to everybody.
    Denies,
    /// It prepares or tells something, and proves nothing.
    Helps,
    /// It looks at circumstances: the answer is not known.
    Depends,
    /// Yes to whoever knows a password.
    Password,
    /// Yes to whoever has another proof: a key, a token, a fingerprint, being root already.
    Proof,
    /// A program answers.
    Program,
    /// Nothing is known of it.
    Unknown,
}

const HELPERS: [&str; 33] = [
    "apparmor",
    "cap",
    "cgroup",
    "debug",
    "echo",
    "ecryptfs",
    "env",
    "faildelay",
    "faillock",
    "fscrypt",
    "gnome_keyring",
    "issue",
    "keyinit",
    "kwallet5",
    "lastlog",
    "limits",
    "loginuid",
    "mail",
    "mkhomedir",
    "mktemp",
    "motd",
    "namespace",
    "nologin",
    "securetty",
    "selinux",
    "setquota",
    "shells",
    "systemd",
    "tally",
    "tally2",
    "umask",
    "warn",
    "xauth",
];
const PASSWORDS: [&str; 15] = [
    "krb5",
    "ldap",
    "ldapd",
    "mysql",
    "pgsql",
    "pwdfile",
    "radius",
    "slurm",
    "sss",
    "tacplus",
    "unix",
    "unix2",
    "unix_auth",
    "userdb",
    "winbind",
];
const PROOFS: [&str; 13] = [
    "duo",
    "fprintd",
    "google_authenticator",
    "oath",
    "p11",
    "pkcs11",
    "rootok",
    "rssh",
    "ssh_agent_auth",
    "systemd_home",
    "u2f",
    "usb",
    "yubico",
];
const CIRCUMSTANCES: [&str; 10] = [
    "access",
    "console",
    "group",
    "listfile",
    "localuser",
    "rhosts",
    "succeed_if",
    "time",
    "usertype",
    "wheel",
];

/// Tells what a module does, by its file name or path.
pub(crate) fn nature(module: &str) -> Nature {
    let file = module.rsplit('/').next().unwrap_or_default();
    let name = file.strip_prefix("pam_").unwrap_or(file);
    let name = name.strip_suffix(".so").unwrap_or(name);
    match name {
        "permit" => Nature::Permits,
        "deny" => Nature::Denies,
        "exec" | "script" | "python" => Nature::Program,
        name if HELPERS.contains(&name) => Nature::Helps,
        name if CIRCUMSTANCES.contains(&name) => Nature::Depends,
        name if PASSWORDS.contains(&name) => Nature::Password,
        name if PROOFS.contains(&name) => Nature::Proof,
        _ => Nature::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_known_by_name_and_by_path() {
        assert_eq!(nature("pam_unix.so"), Nature::Password);
        assert_eq!(nature("/lib/security/pam_permit.so"), Nature::Permits);
        assert_eq!(nature("pam_exec.so"), Nature::Program);
        assert_eq!(nature("pam_backdoor.so"), Nature::Unknown);
    }
}
