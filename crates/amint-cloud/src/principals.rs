//! Whose key signed a request.

use jiff::Timestamp;
use subtle::ConstantTimeEq;

use crate::access::account_of;
use crate::operations::Caller;
use crate::protocol::Fault;
use crate::records::Session;
use crate::service::Protocol;
use crate::world::{ACCOUNT_ID, World};
use crate::{AccessKey, Service};

/// Whoever has a key.
pub(crate) struct Principal {
    pub(crate) caller: Caller,
    pub(crate) secret: String,
    /// The session, where it is one.
    pub(crate) session: Option<Session>,
}

/// Finds whose key an id is.
pub(crate) fn find(world: &World, own: &AccessKey, key_id: &str) -> Option<Principal> {
    if key_id == own.id() {
        let caller = Caller::root(ACCOUNT_ID, key_id);
        return Some(Principal { caller, secret: own.secret().to_owned(), session: None });
    }
    let of_record = Caller::of_records(&world.state.read(), key_id);
    if let Some((caller, secret, session)) = of_record {
        return Some(Principal { caller, secret, session });
    }
    let account = account_of(key_id)?;
    let key = own.of_account(&account).ok().filter(|key| key.id() == key_id)?;
    Some(Principal { caller: Caller::root(&account, key_id), secret: key.secret().to_owned(), session: None })
}

/// Takes a key that nobody knows for that of the account that it tells, where no signature has to be true.
pub(crate) fn presumed(key_id: &str) -> Caller {
    Caller::root(account_of(key_id).as_deref().unwrap_or(ACCOUNT_ID), key_id)
}

/// Says that nobody has such a key.
pub(crate) fn unknown(service: Service) -> Fault {
    match service.protocol() {
        Protocol::Ec2 => {
            let message = "AWS was not able to validate the provided access credentials";
            Fault::client("AuthFailure", message).with_status(401)
        }
        Protocol::Query => invalid_token("InvalidClientTokenId"),
        Protocol::Json | Protocol::Rest => invalid_token("UnrecognizedClientException"),
    }
}

fn invalid_token(code: &'static str) -> Fault {
    Fault::client(code, "The security token included in the request is invalid.").with_status(403)
}

/// Refuses a session whose token is missing or another one, and one that has ended.
pub(crate) fn check_session(
    service: Service,
    session: &Session,
    token: Option<&str>,
    now: Timestamp,
) -> Result<(), Fault> {
    let is_same = token.is_some_and(|token| bool::from(token.as_bytes().ct_eq(session.token.0.as_bytes())));
    if !is_same {
        return Err(unknown(service));
    }
    if session.expires > now {
        return Ok(());
    }
    let message = "The security token included in the request is expired";
    Err(match service.protocol() {
        Protocol::Ec2 => Fault::client("RequestExpired", message),
        Protocol::Query => Fault::client("ExpiredToken", message).with_status(403),
        Protocol::Json | Protocol::Rest => Fault::client("ExpiredTokenException", message),
    })
}
