//! A guest that somebody is logged in to.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::ssh::{LoginKeyPair, Output, Session, Target, quoted};

/// How long a short question may take; software emulation on a busy computer is slow.
const PATIENCE: Duration = Duration::from_mins(3);
/// How long the greeting may take when a lost connection is made anew.
const GREETING_TIME: Duration = Duration::from_mins(1);

/// A guest that somebody is logged in to.
pub(crate) struct Guest {
    pub(crate) target: Target,
    pub(crate) user: String,
    pub(crate) key: LoginKeyPair,
    session: RefCell<Rc<Session>>,
    has_sudo: Cell<bool>,
}

impl Guest {
    /// Takes over `session`, on which `user` is logged in with `key`.
    pub(crate) fn new(target: Target, user: &str, key: LoginKeyPair, session: Session) -> Self {
        Self {
            target,
            user: user.to_owned(),
            key,
            session: RefCell::new(Rc::new(session)),
            has_sudo: Cell::new(false),
        }
    }

    /// Remembers whether the user may become root.
    pub(crate) fn set_sudo(&self, has_sudo: bool) {
        self.has_sudo.set(has_sudo);
    }

    /// Runs `script` by `sh`, for at most `patience`. Failures are told in words.
    pub(crate) async fn run_within(&self, script: &str, patience: Duration) -> Result<Output, String> {
        self.execute(&format!("LC_ALL=C sh -c {}", quoted(script)), patience).await
    }

    /// Runs a short `script` by `sh`.
    pub(crate) async fn run(&self, script: &str) -> Result<Output, String> {
        self.run_within(script, PATIENCE).await
    }

    /// Runs a short `script` by `sh` as root where the user may, else as the user.
    pub(crate) async fn run_as_root(&self, script: &str) -> Result<Output, String> {
        let sudo = if self.has_sudo.get() { "sudo -n " } else { "" };
        self.execute(&format!("{sudo}env LC_ALL=C sh -c {}", quoted(script)), PATIENCE).await
    }

    async fn execute(&self, command: &str, patience: Duration) -> Result<Output, String> {
        if self.session.borrow().is_closed() {
            let session = self
                .target
                .login(&self.user, &self.key, GREETING_TIME)
                .await
                .map_err(|error| format!("the connection was lost, and {error}"))?;
            *self.session.borrow_mut() = Rc::new(session);
        }
        let session = Rc::clone(&self.session.borrow());
        session.run(command, patience).await.map_err(|error| error.to_string())
    }

    /// Tells whether the connection is gone.
    #[cfg(test)]
    pub(crate) fn is_closed(&self) -> bool {
        self.session.borrow().is_closed()
    }

    /// Says goodbye.
    pub(crate) async fn close(&self) {
        let session = Rc::clone(&self.session.borrow());
        session.close().await;
    }
}
