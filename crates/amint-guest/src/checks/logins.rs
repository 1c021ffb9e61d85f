//! Who is not let in (A2, A11)?

use std::time::Duration;

use russh::MethodKind;
use russh::client::AuthResult;
use tokio::time::{Instant, sleep};

use crate::boot::Guest;
use crate::checks::Verdict;
use crate::checks::boot_facts::shortened;
use crate::ssh::{LoginKeyPair, Session, SshError, Target, offered};

const GREETING_TIME: Duration = Duration::from_mins(1);
/// OpenSSH 9.8 and later shuts out for a while who was refused too often (`PerSourcePenalties`, 15 s and more).
const SHUT_OUT_MAX: Duration = Duration::from_secs(150);
const SHUT_OUT_PAUSE: Duration = Duration::from_secs(3);
/// How many accounts are tried.
const ACCOUNTS_MAX: usize = 16;
/// No account has it.
const MADE_UP_PASSWORD: &str = "not-the-password-ff9c0d";

/// Returns the accounts of the guest that have a login shell.
pub(crate) async fn accounts(guest: &Guest) -> Result<Vec<String>, String> {
    let output = guest.run("getent passwd || cat /etc/passwd").await?;
    Ok(parse_accounts(&output.stdout))
}

fn parse_accounts(passwd: &str) -> Vec<String> {
    let login = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty() && name.len() <= 64)?;
        // An empty field means /bin/sh (passwd(5)).
        let shell = fields.nth(5)?.rsplit('/').next().unwrap_or_default();
        let is_login = !matches!(shell, "nologin" | "false" | "true" | "sync" | "halt" | "shutdown");
        (is_login && !name.chars().any(|letter| letter.is_control() || letter.is_whitespace()))
            .then(|| name.to_owned())
    };
    passwd.lines().take(10_000).filter_map(login).collect()
}

/// Connects, and waits while the server shuts us out for having been refused too often.
pub(crate) async fn connect_patiently(target: &Target) -> Result<Session, SshError> {
    let deadline = Instant::now() + SHUT_OUT_MAX;
    loop {
        match target.connect(GREETING_TIME).await {
            Err(SshError::NotListening(_) | SshError::Protocol(_)) if Instant::now() < deadline => {
                sleep(SHUT_OUT_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// Asks whether root is let in with the key of the user.
pub(crate) async fn root_refused(target: &Target, key: &LoginKeyPair, user: &str) -> Verdict {
    if user == "root" {
        return Verdict::fail("root is the login user of this image");
    }
    refused(target, key, "root").await.map_err(|error| error.to_string()).into()
}

async fn refused(target: &Target, key: &LoginKeyPair, user: &str) -> Result<Verdict, SshError> {
    let mut session = connect_patiently(target).await?;
    let verdict = match session.authenticate_key(user, key).await {
        Ok(AuthResult::Failure { .. }) => Verdict::pass(format!("`{user}` with the key is refused")),
        // A server that hangs up in place of a refusal refuses too.
        Err(SshError::Protocol(error)) => {
            Verdict::pass(format!("`{user}` with the key is cut off ({error})"))
        }
        Err(error) => return Err(error),
        // cloud-init lets root in only to be told who to log in as; what counts is whether commands run.
        Ok(AuthResult::Success) => match session.run("id", Duration::from_mins(1)).await {
            Ok(output) if output.stdout.contains("uid=") => {
                let said = shortened(output.stdout.trim(), 100);
                Verdict::fail(format!("`{user}` runs commands over SSH: `id` says {said}"))
            }
            Ok(output) => {
                let said = shortened(output.stdout.trim(), 160);
                Verdict::pass(format!("`{user}` gets no shell, only: {said}"))
            }
            Err(SshError::Slow(_)) => {
                Verdict::fail(format!("`{user}` is let in, and a command does not come to an end"))
            }
            Err(error) => Verdict::pass(format!("`{user}` gets no shell ({error})")),
        },
    };
    session.close().await;
    Ok(verdict)
}

/// Asks whether `user` is refused with a key that another instance was given.
pub(crate) async fn refused_key(target: &Target, key: &LoginKeyPair, user: &str) -> Verdict {
    refused(target, key, user).await.map_err(|error| error.to_string()).into()
}

/// Asks whether passwords are refused for `root`, for `users` and for every account in `accounts`.
pub(crate) async fn passwords_refused(target: &Target, users: &[&str], accounts: &[String]) -> Verdict {
    let mut names: Vec<&str> = vec!["root"];
    for name in users.iter().copied().chain(accounts.iter().map(String::as_str)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let left_out = names.len().saturating_sub(ACCOUNTS_MAX);
    names.truncate(ACCOUNTS_MAX);
    let mut offences = Vec::new();
    for name in &names {
        match password_offence(target, name).await {
            Ok(None) => {}
            Ok(Some(offence)) => offences.push(format!("`{name}` {offence}")),
            Err(error) => offences.push(format!("`{name}` could not be tried: {error}")),
        }
    }
    if offences.is_empty() && left_out > 0 {
        return Verdict::fail(format!(
            "no password is taken from {ACCOUNTS_MAX} accounts, {left_out} more were not tried"
        ));
    }
    if offences.is_empty() {
        return Verdict::pass(format!("neither offered nor taken: {}", names.join(", ")));
    }
    Verdict::fail(offences.join("; "))
}

/// Returns what is wrong with how the server treats `user`, if anything.
async fn password_offence(target: &Target, user: &str) -> Result<Option<String>, SshError> {
    let mut session = connect_patiently(target).await?;
    let offence = match session.authenticate_none(user).await? {
        AuthResult::Success => Some("is let in without anything".to_owned()),
        AuthResult::Failure { remaining_methods, .. } => {
            let asking: Vec<MethodKind> = remaining_methods
                .iter()
                .copied()
                .filter(|method| matches!(method, MethodKind::Password | MethodKind::KeyboardInteractive))
                .collect();
            if asking.is_empty() {
                // What is not offered must not work either.
                match session.authenticate_password(user, MADE_UP_PASSWORD).await {
                    Ok(AuthResult::Success) => Some("is let in with a made-up password".to_owned()),
                    // A server may hang up on whoever tries what was not offered.
                    Ok(AuthResult::Failure { .. }) | Err(SshError::Protocol(_)) => None,
                    Err(error) => return Err(error),
                }
            } else {
                Some(format!("is asked for a password ({})", offered(&asking)))
            }
        }
    };
    session.close().await;
    Ok(offence)
}

#[cfg(test)]
mod tests {
    use amint_types::report::CheckOutcome::{Fail, Pass};

    use super::*;
    use crate::ssh::fake_server::{Behaviour, FakeServer};

    #[test]
    fn accounts_with_a_login_shell_are_found() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\n\
            sync:x:4:65534:sync:/bin:/bin/sync\nadmin:x:1000:1000::/home/admin:\n\
            git:x:105:1::/:/usr/bin/git-shell\nbroken\n:x:0:0::/:/bin/sh\nbad name:x:1:1::/:/bin/sh\n";
        assert_eq!(parse_accounts(passwd), ["root", "admin", "git"]);
    }

    #[tokio::test]
    async fn server_that_takes_keys_only_passes() {
        let server = FakeServer::start(Behaviour::default()).await;
        let verdict = passwords_refused(&server.target(), &["ec2-user"], &["admin".to_owned()]).await;
        assert_eq!(verdict, Verdict::pass("neither offered nor taken: root, ec2-user, admin"));
    }

    #[tokio::test]
    async fn offered_password_fails_for_every_account() {
        for method in [MethodKind::Password, MethodKind::KeyboardInteractive] {
            let server = FakeServer::start(Behaviour { asks: Some(method), ..Behaviour::default() }).await;
            let verdict = passwords_refused(&server.target(), &["ec2-user"], &[]).await;
            assert_eq!(verdict.outcome, Fail);
            let name: &str = (&method).into();
            for account in ["root", "ec2-user"] {
                let expected = format!("`{account}` is asked for a password ({name})");
                assert!(verdict.detail.contains(&expected), "{}", verdict.detail);
            }
        }
    }

    #[tokio::test]
    async fn account_that_is_let_in_without_anything_fails() {
        let server =
            FakeServer::start(Behaviour { open_account: Some("guest"), ..Behaviour::default() }).await;
        let verdict = passwords_refused(&server.target(), &["guest"], &[]).await;
        assert_eq!(verdict, Verdict::fail("`guest` is let in without anything"));
    }

    #[tokio::test]
    async fn password_that_works_without_being_offered_fails() {
        let server = FakeServer::start(Behaviour { takes_passwords: true, ..Behaviour::default() }).await;
        let verdict = passwords_refused(&server.target(), &[], &[]).await;
        assert_eq!(verdict, Verdict::fail("`root` is let in with a made-up password"));
    }

    #[tokio::test]
    async fn root_with_a_shell_fails_and_root_with_advice_only_passes() {
        let key = LoginKeyPair::generate("test").unwrap();
        let keys = vec![key.public_line().unwrap()];
        let refusing = FakeServer::start(Behaviour::default()).await;
        assert_eq!(root_refused(&refusing.target(), &key, "ec2-user").await.outcome, Pass);

        let open = FakeServer::start(Behaviour { keys: keys.clone(), ..Behaviour::default() }).await;
        let verdict = root_refused(&open.target(), &key, "ec2-user").await;
        assert_eq!(verdict.outcome, Fail, "{}", verdict.detail);

        let advice = Some("Please login as the user \"ec2-user\" rather than the user \"root\".\n");
        let advising = FakeServer::start(Behaviour { keys, forced: advice, ..Behaviour::default() }).await;
        let verdict = root_refused(&advising.target(), &key, "ec2-user").await;
        assert_eq!(verdict.outcome, Pass, "{}", verdict.detail);
        assert!(verdict.detail.contains("Please login as"), "{}", verdict.detail);
        assert_eq!(root_refused(&advising.target(), &key, "root").await.outcome, Fail);
    }
}
