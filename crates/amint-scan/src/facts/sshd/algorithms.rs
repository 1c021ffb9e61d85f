//! Lists of algorithms: what each version offers by itself, and what a configuration makes of it.
//!
//! Taken from `myproposal.h` and the release notes of OpenSSH, and from `sshd -T` of Debian's 9.2. The lists
//! of Red Hat's systems come on top, by the files of their policy for cryptography.

use super::conditions::is_match_list;
use super::keywords::Version;

/// The version that is assumed when none is known: what most systems in support have at least.
const USUAL: Version = (8, 7);

const CIPHERS: &str = "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,\
                       aes256-gcm@openssh.com";
const CIPHERS_10: &str = "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,\
                          aes192-ctr,aes256-ctr";
/// What Red Hat and Amazon kept in their 7.4.
const CIPHERS_OLD: &str = ",aes128-cbc,aes192-cbc,aes256-cbc,blowfish-cbc,cast128-cbc,3des-cbc";
const MACS: &str = "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,\
                    hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,\
                    hmac-sha2-256,hmac-sha2-512,hmac-sha1";
const HYBRID: &str = "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com";
const CURVES: &str =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521";
const GROUPS: &str = "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,\
                      diffie-hellman-group18-sha512,diffie-hellman-group14-sha256";
const KEYS: &str = "ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,\
    ecdsa-sha2-nistp384-cert-v01@openssh.com,ecdsa-sha2-nistp521-cert-v01@openssh.com,\
    sk-ssh-ed25519-cert-v01@openssh.com,sk-ecdsa-sha2-nistp256-cert-v01@openssh.com,\
    rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com,ssh-ed25519,ecdsa-sha2-nistp256,\
    ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,\
    rsa-sha2-512,rsa-sha2-256";
/// Signatures with SHA-1, on by default before 8.8.
const KEYS_OLD: &str = ",ssh-rsa-cert-v01@openssh.com,ssh-rsa";

/// Keywords whose values are lists of algorithms.
pub const KEYWORDS: [&str; 6] = [
    "ciphers",
    "hostbasedacceptedalgorithms",
    "hostkeyalgorithms",
    "kexalgorithms",
    "macs",
    "pubkeyacceptedalgorithms",
];

/// Returns the list that a version uses when nothing is set.
pub(super) fn default(keyword: &str, version: Option<Version>) -> Option<String> {
    let version = version.unwrap_or(USUAL);
    Some(match keyword {
        "ciphers" if version >= (10, 0) => CIPHERS_10.to_owned(),
        "ciphers" if version <= (7, 4) => format!("{CIPHERS}{CIPHERS_OLD}"),
        "ciphers" => CIPHERS.to_owned(),
        "macs" => MACS.to_owned(),
        "kexalgorithms" => match version {
            (10.., _) => format!("mlkem768x25519-sha256,{HYBRID},{CURVES}"),
            (9, 9) => format!("{HYBRID},mlkem768x25519-sha256,{CURVES},{GROUPS}"),
            (9, _) => format!("{HYBRID},{CURVES},{GROUPS}"),
            (8, 2..) => format!("{CURVES},{GROUPS}"),
            _ => format!("{CURVES},{GROUPS},diffie-hellman-group14-sha1"),
        },
        "hostkeyalgorithms" | "pubkeyacceptedalgorithms" | "hostbasedacceptedalgorithms" => {
            if version >= (8, 8) { KEYS.to_owned() } else { format!("{KEYS}{KEYS_OLD}") }
        }
        _ => return None,
    })
}

/// Applies a value to the default: `+` adds, `-` takes away, `^` puts first, anything else replaces.
pub(super) fn assemble(default: &str, value: &str) -> String {
    match value.chars().next() {
        Some('+') => join(default, &value[1..]),
        Some('^') => join(&value[1..], default),
        Some('-') => {
            let kept = default.split(',').filter(|name| !is_match_list(&value[1..], name));
            kept.collect::<Vec<_>>().join(",")
        }
        _ => value.to_owned(),
    }
}

/// Joins two lists; what is in the first already is not told twice.
fn join(first: &str, second: &str) -> String {
    let mut names: Vec<&str> = first.split(',').filter(|name| !name.is_empty()).collect();
    for name in second.split(',').filter(|name| !name.is_empty()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_added_to_taken_from_and_put_first() {
        assert_eq!(assemble("a,b,c", "+d,a"), "a,b,c,d");
        assert_eq!(assemble("a,b1,b2", "-b*,x"), "a");
        assert_eq!(assemble("a,b,c", "^c,d"), "c,d,a,b");
        assert_eq!(assemble("a,b", "x"), "x");
    }

    #[test]
    fn old_versions_offer_what_newer_ones_do_not() {
        let offers = |keyword, version, name: &str| {
            default(keyword, Some(version)).is_some_and(|list| list.split(',').any(|known| known == name))
        };
        assert!(offers("kexalgorithms", (8, 0), "diffie-hellman-group14-sha1"));
        assert!(!offers("kexalgorithms", (8, 7), "diffie-hellman-group14-sha1"));
        assert!(
            offers("hostkeyalgorithms", (8, 7), "ssh-rsa") && !offers("hostkeyalgorithms", (9, 6), "ssh-rsa")
        );
        assert!(offers("ciphers", (7, 4), "3des-cbc") && !offers("ciphers", (8, 0), "3des-cbc"));
        assert!(!offers("kexalgorithms", (10, 0), "diffie-hellman-group14-sha256"));
    }
}
