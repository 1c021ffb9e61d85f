//! The credentials of roles that are assumed.

use jiff::{SignedDuration, Timestamp};

use crate::AccessKey;
use crate::protocol::Fault;
use crate::records::{Role, Secret, Session};
use crate::state::Change;
use crate::world::World;

/// How many sessions are remembered. Beyond that, the one that ends first gives way.
const COUNT_MAX: usize = 10_000;
/// How long the end of a session is told as such: afterwards its key is unknown.
const MEMORY: SignedDuration = SignedDuration::from_hours(1);

/// The key and the token of a session to be.
pub(crate) struct Fresh {
    key: AccessKey,
    token: String,
}

impl Fresh {
    /// Makes them for a session in an account.
    pub(crate) fn new(account: &str) -> Result<Self, Fault> {
        let key = AccessKey::random("ASIA", account).map_err(|_| Fault::internal())?;
        Ok(Self { key, token: token()? })
    }

    /// Makes the session of a role, and remembers it.
    pub(crate) fn open(
        self,
        world: &World,
        change: &mut Change<'_>,
        role: &Role,
        name: &str,
        (now, lasting): (Timestamp, SignedDuration),
    ) -> Session {
        let session = Session {
            id: self.key.id().to_owned(),
            secret: Secret(self.key.secret().to_owned()),
            token: Secret(self.token),
            account: role.account.clone(),
            role: role.name.clone(),
            role_path: role.path.clone(),
            role_id: role.unique_id.clone(),
            name: name.to_owned(),
            created: now,
            expires: world.clock().after(now, lasting),
        };
        make_room(change, now);
        change.put(session.clone());
        session
    }
}

/// Forgets sessions that ended long ago, and one more where there are too many.
fn make_room(change: &mut Change<'_>, now: Timestamp) {
    let sessions = &change.tables().sessions;
    let is_over = |session: &Session| session.expires.saturating_add(MEMORY).is_ok_and(|end| end < now);
    let mut gone: Vec<String> =
        sessions.values().filter(|session| is_over(session)).map(|session| session.id.clone()).collect();
    if gone.is_empty() && sessions.len() >= COUNT_MAX {
        gone.extend(sessions.values().min_by_key(|session| session.expires).map(|one| one.id.clone()));
    }
    for id in gone {
        change.remove::<Session>(&id);
    }
}

/// Makes a token that looks as those of AWS do.
fn token() -> Result<String, Fault> {
    let mut random = [0; 192];
    getrandom::fill(&mut random).map_err(|_| Fault::internal())?;
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, random);
    Ok(format!("IQoJb3JpZ2luX2Vj{text}"))
}
