//! Waiting until a guest lets its user in.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::time::sleep;

use crate::boot::Running;
use crate::ssh::{LoginKeyPair, Session, SshError, Target};

/// How long the first greeting may take; doubled each time that it was too short.
const GREETING_TIME: Duration = Duration::from_secs(5);
const GREETING_TIME_MAX: Duration = Duration::from_mins(1);
/// How soon to try again while nobody listens.
const SILENCE_PAUSE: Duration = Duration::from_millis(500);
/// How soon to try again after a refusal. OpenSSH 9.8 and later shuts out who is refused too often
/// (`PerSourcePenalties`), and while the guest boots it refuses everybody (`pam_nologin`).
const REFUSAL_PAUSE: Duration = Duration::from_secs(3);

/// What is seen while waiting.
#[derive(Default)]
pub(crate) struct LoginWait {
    /// Counts steps forward.
    pub(crate) steps: Cell<u64>,
    /// Why the last attempt failed.
    last: RefCell<Option<String>>,
}

impl LoginWait {
    /// Tells why nobody was let in.
    pub(crate) fn reason(&self, running: &Running) -> String {
        let last = self.last.borrow().clone().unwrap_or_else(|| "no SSH server answers".to_owned());
        let activity = running.imds.activity();
        let asked = match (activity.requests, activity.is_key_read) {
            (0, _) => "; the guest never asked the metadata service",
            (_, false) => "; the guest asked the metadata service, but not for the login key",
            (_, true) => "; the guest did read the login key",
        };
        format!("{last}{asked}")
    }

    /// Tries until `user` is let in and a command runs. Never gives up by itself.
    pub(crate) async fn wait(&self, target: &Target, user: &str, key: &LoginKeyPair) -> Session {
        let mut greeting_time = GREETING_TIME;
        let mut last_kind = 0;
        loop {
            let (kind, pause, reason) = match attempt(target, user, key, greeting_time).await {
                Ok(session) => return session,
                Err(SshError::NotListening(_)) => (1, SILENCE_PAUSE, "no SSH server answers".to_owned()),
                Err(error @ SshError::Slow(_)) => {
                    greeting_time = (greeting_time * 2).min(GREETING_TIME_MAX);
                    (2, SILENCE_PAUSE, error.to_string())
                }
                Err(SshError::HostKeyChanged) => {
                    // The first boot may replace the host keys while the server runs already.
                    target.forget_host_key();
                    (3, SILENCE_PAUSE, "the host key changes".to_owned())
                }
                Err(error) => (4, REFUSAL_PAUSE, error.to_string()),
            };
            if kind > last_kind {
                last_kind = kind;
                self.steps.set(self.steps.get() + 1);
            }
            *self.last.borrow_mut() = Some(reason);
            sleep(pause).await;
        }
    }
}

async fn attempt(
    target: &Target,
    user: &str,
    key: &LoginKeyPair,
    greeting_time: Duration,
) -> Result<Session, SshError> {
    let session = target.login(user, key, greeting_time).await?;
    // A login counts once something can be done with it.
    session.run("true", Duration::from_mins(1)).await?;
    Ok(session)
}

/// Waits until `user` is let in.
pub(crate) async fn wait_for_login(wait: &LoginWait, running: &Running, user: &str) -> Session {
    wait.wait(&running.target, user, &running.key).await
}
