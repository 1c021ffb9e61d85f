//! Who asks.

use crate::records::{Session, Tables, User};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The account's id: 12 digits.
    pub(crate) account: String,
    /// The ARN of the principal.
    pub(crate) arn: String,
    /// The unique id of the principal.
    pub(crate) user_id: String,
    /// The id of the key that signed.
    pub(crate) key_id: String,
    pub(crate) kind: CallerKind,
}

/// What kind of principal asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallerKind {
    /// The account itself.
    Root,
    /// A user, by its name.
    User(String),
    /// A session of a role.
    Session(Box<Session>),
}

impl Caller {
    /// The account itself.
    pub(crate) fn root(account: &str, key_id: &str) -> Self {
        Self {
            account: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:root"),
            user_id: account.to_owned(),
            key_id: key_id.to_owned(),
            kind: CallerKind::Root,
        }
    }

    pub(crate) fn user(user: &User, key_id: &str) -> Self {
        Self {
            account: user.account.clone(),
            arn: user.arn(),
            user_id: user.unique_id.clone(),
            key_id: key_id.to_owned(),
            kind: CallerKind::User(user.name.clone()),
        }
    }

    pub(crate) fn session(session: &Session) -> Self {
        Self {
            account: session.account.clone(),
            arn: session.arn(),
            user_id: format!("{}:{}", session.role_id, session.name),
            key_id: session.id.clone(),
            kind: CallerKind::Session(Box::new(session.clone())),
        }
    }

    /// Returns whose key an id is, as far as records tell; the secret, and the session's token go along.
    pub(crate) fn of_records(tables: &Tables, key_id: &str) -> Option<(Self, String, Option<Session>)> {
        if let Some(session) = tables.sessions.get(key_id) {
            return Some((Self::session(session), session.secret.0.clone(), Some(Session::clone(session))));
        }
        let key = tables.user_keys.get(key_id).filter(|key| key.is_active)?;
        let user = tables.users.get(&key.user)?;
        Some((Self::user(user, key_id), key.secret.0.clone(), None))
    }
}
