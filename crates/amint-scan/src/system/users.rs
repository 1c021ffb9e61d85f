//! Users, groups, and the keys that open them.

use std::collections::BTreeMap;

use amint_types::Digest;
use amint_types::scan::User;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::facts::accounts::{has_hash, is_locked, records};
use crate::{CheckError, Context};

/// How many keys of one user are told.
const KEYS_MAX: usize = 1000;

/// Lists the users of the image, without anything that could be used to become one.
pub fn users(cx: &Context<'_>) -> Result<Vec<User>, CheckError> {
    let accounts = cx.accounts()?;
    let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, fields) in records(cx, "/etc/group")? {
        for member in fields.get(3).map(|list| list.split(',')).into_iter().flatten() {
            if !member.trim().is_empty() {
                members.entry(member.trim().to_owned()).or_default().push(fields[0].clone());
            }
        }
    }
    let gids: BTreeMap<String, u32> = records(cx, "/etc/passwd")?
        .into_iter()
        .filter_map(|(_, fields)| Some((fields.first()?.clone(), fields.get(3)?.parse().ok()?)))
        .collect();
    let mut users = Vec::with_capacity(accounts.users.len());
    for account in &accounts.users {
        let shadow = accounts.shadow_of(&account.name).map(|entry| entry.password.as_str());
        let field = if account.password == "x" { shadow.unwrap_or("*") } else { &account.password };
        let mut groups = members.get(&account.name).cloned().unwrap_or_default();
        groups.sort();
        groups.dedup();
        users.push(User {
            uid: account.uid,
            name: account.name.clone(),
            gid: gids.get(&account.name).copied().unwrap_or(account.uid),
            home: account.home.clone(),
            shell: account.shell.clone(),
            password: password_state(field).to_owned(),
            groups,
            authorized_keys: keys(cx, &account.home)?,
        });
    }
    Ok(users)
}

fn password_state(field: &str) -> &'static str {
    match field {
        "" => "none",
        field if is_locked(field) => "locked",
        field if has_hash(field) => "set",
        _ => "locked",
    }
}

/// Fingerprints of authorized keys, as `ssh-keygen -l` writes them.
fn keys(cx: &Context<'_>, home: &str) -> Result<Vec<String>, CheckError> {
    let mut keys = Vec::new();
    if !home.starts_with('/') {
        return Ok(keys);
    }
    for name in ["authorized_keys", "authorized_keys2"] {
        let path = format!("{}/.ssh/{name}", home.trim_end_matches('/'));
        let Some(text) = cx.text(&path)? else { continue };
        keys.extend(text.lines().filter_map(fingerprint).take(KEYS_MAX));
    }
    keys.sort();
    keys.dedup();
    Ok(keys)
}

/// The type stands before the key; options may stand before the type (`sshd(8)`, "AUTHORIZED_KEYS FILE FORMAT").
fn fingerprint(line: &str) -> Option<String> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split_whitespace();
    let is_type =
        |word: &str| ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| word.starts_with(start));
    words.by_ref().find(|word| is_type(word))?;
    let blob = STANDARD.decode(words.next()?).ok()?;
    Some(format!("SHA256:{}", STANDARD_NO_PAD.encode(Digest::of(&blob).as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn tells_users_groups_and_fingerprints_and_no_hash() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPWF8XhJbT7aTMSVaY5yJ9ELQRbm1UQbOyKxBBJWiUJJ x";
        Fixture::new()
            .file(
                "/etc/passwd",
                "root:x:0:0:root:/root:/bin/bash\nweb:x:1000:50::/home/web:/bin/sh\nold::7:7::/:/bin/sh\n",
            )
            .file("/etc/shadow", "root:!:1::::::\nweb:$6$salt$hash:1::::::\n")
            .file("/etc/group", "sudo:x:27:web\nadm:x:4:web,other\n")
            .file("/home/web/.ssh/authorized_keys", &format!("# c\nfrom=\"10.0.0.1\" {key}\n"))
            .with(|cx| {
                let users = users(cx).unwrap();
                let web = users.iter().find(|user| user.name == "web").unwrap();
                assert_eq!((web.uid, web.gid, web.password.as_str()), (1000, 50, "set"));
                assert_eq!(web.groups, ["adm", "sudo"]);
                assert_eq!(web.authorized_keys.len(), 1);
                assert!(web.authorized_keys[0].starts_with("SHA256:"));
                let state =
                    |name: &str| users.iter().find(|user| user.name == name).unwrap().password.clone();
                assert_eq!([state("root"), state("old")], ["locked", "none"]);
                assert!(!format!("{users:?}").contains("hash"));
            });
    }
}
