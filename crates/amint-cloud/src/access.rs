//! The key pairs that clients sign with.
//!
//! One pair is kept. Those of further accounts, and those of sessions, are worked out from it: a key id tells its account as
//! AWS's do, and its secret is a code of the id that only who has the kept pair can make. So there is nothing to
//! remember, and all of them live through a restart.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

/// The letters of Base32 (RFC 4648, section 6), which key ids are made of.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Bytes of a session token's code.
const CODE_BYTES: usize = 32;

/// The key pair is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessKeyError {
    /// The machine gives no random numbers.
    #[error("failed to get random numbers")]
    Random,
    /// The text is no key pair.
    #[error("failed to read the key pair: it is not `ID SECRET`")]
    Form,
}

/// The key pair that clients of the endpoint sign with.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    id: String,
    secret: String,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AccessKey").field("id", &self.id).field("secret", &"***").finish()
    }
}

impl AccessKey {
    /// Makes a key pair in the form that AWS's have.
    ///
    /// # Errors
    /// Fails when the machine gives no random numbers.
    pub fn generate() -> Result<Self, AccessKeyError> {
        let mut random = [0; 46];
        getrandom::fill(&mut random).map_err(|_| AccessKeyError::Random)?;
        let (id, secret) = random.split_at(16);
        let id: String = id.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect();
        let secret = STANDARD.encode(secret);
        Ok(Self { id: format!("AKIA{id}"), secret })
    }

    /// Returns the id, which is no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the secret.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Returns the pair of another account.
    #[must_use]
    pub fn of_account(&self, account: u64) -> Self {
        let mut random = self.code(&[b"account", &account.to_be_bytes()]);
        self.derived("AKIA", account, random.get_mut(..10).unwrap_or_default())
    }

    /// Makes the pair of a session, and its token.
    ///
    /// # Errors
    /// Fails when the machine gives no random numbers.
    pub(crate) fn of_session(&self, session: &Session) -> Result<(Self, String), AccessKeyError> {
        let mut random = [0; 10];
        getrandom::fill(&mut random).map_err(|_| AccessKeyError::Random)?;
        let key = self.derived("ASIA", session.account, &mut random);
        let text = format!(
            "{}\n{}\n{}\n{}\n{}",
            key.id,
            session.account,
            session.role,
            session.name,
            session.expiry.as_second()
        );
        let code = self.code(&[b"session", text.as_bytes()]);
        Ok((key, URL_SAFE_NO_PAD.encode([code.as_slice(), text.as_bytes()].concat())))
    }

    /// Returns the secret of a pair that was worked out from this one, and whose it is; none for other ids.
    pub(crate) fn secret_of(&self, id: &str) -> Option<(String, u64)> {
        let account = account_of(id)?;
        if id.starts_with("AKIA") && self.of_account(account).id != id {
            return None;
        }
        Some((self.secret_for(id), account))
    }

    /// Reads the token of a session whose key id is `id`; none when it is not one that was made from this pair.
    pub(crate) fn session(&self, id: &str, token: &str) -> Option<Session> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (code, text) = bytes.split_at_checked(CODE_BYTES)?;
        let expected = self.code(&[b"session", text]);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(expected.as_slice(), code)) {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        let mut parts = text.split('\n');
        if parts.next()? != id {
            return None;
        }
        Some(Session {
            account: parts.next()?.parse().ok()?,
            role: parts.next()?.to_owned(),
            name: parts.next()?.to_owned(),
            expiry: Timestamp::from_second(parts.next()?.parse().ok()?).ok()?,
        })
    }

    fn derived(&self, prefix: &str, account: u64, random: &mut [u8]) -> Self {
        let id = format!("{prefix}{}", with_account(account, random));
        let secret = self.secret_for(&id);
        Self { id, secret }
    }

    fn secret_for(&self, id: &str) -> String {
        let code = self.code(&[b"secret", id.as_bytes()]);
        STANDARD.encode(code.get(..30).unwrap_or_default())
    }

    fn code(&self, parts: &[&[u8]]) -> [u8; CODE_BYTES] {
        let mut code = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes())
            .expect("HMAC takes keys of any length (RFC 2104)");
        for part in parts {
            code.update(&(part.len() as u64).to_be_bytes());
            code.update(part);
        }
        code.finalize().into_bytes().into()
    }

    /// Writes the pair, to be kept in a file that nobody else can read.
    pub fn to_secret_text(&self) -> String {
        format!("{} {}\n", self.id, self.secret)
    }

    /// Reads what [`to_secret_text`](Self::to_secret_text) wrote.
    ///
    /// # Errors
    /// Fails when the text is no key pair.
    pub fn from_secret_text(text: &str) -> Result<Self, AccessKeyError> {
        match text.split_whitespace().collect::<Vec<_>>()[..] {
            [id, secret] => Ok(Self { id: id.to_owned(), secret: secret.to_owned() }),
            _ => Err(AccessKeyError::Form),
        }
    }
}

/// Who took on which role, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) account: u64,
    /// The role's name, without its path.
    pub(crate) role: String,
    pub(crate) name: String,
    pub(crate) expiry: Timestamp,
}

/// Writes 10 bytes in Base32 with an account in them, where AWS has it: in the upper 40 bits but one of the first 48.
fn with_account(account: u64, random: &mut [u8]) -> String {
    let mut bytes = [0; 10];
    for (byte, random) in bytes.iter_mut().zip(random) {
        *byte = *random;
    }
    let rest = u64::from_be_bytes([0, 0, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]]) & 0x7F;
    let first = (1 << 47) | (account << 7) | rest;
    bytes[..6].copy_from_slice(&first.to_be_bytes()[2..]);
    let mut text = String::new();
    for group in bytes.chunks_exact(5) {
        let number = group.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        text.extend(
            (0..8).rev().map(|at| char::from(LETTERS[usize::try_from(number >> (at * 5) & 31).unwrap_or(0)])),
        );
    }
    text
}

/// Reads the account that a key id tells.
pub(crate) fn account_of(id: &str) -> Option<u64> {
    let letters = id.get(4..).filter(|letters| letters.len() == 16)?;
    let number = letters.bytes().take(10).try_fold(0_u64, |number, letter| {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        Some((number << 5) | value as u64)
    })?;
    // Ten letters have 50 bits; the account lies in the first 48.
    Some(((number >> 2) & 0x7FFF_FFFF_FF80) >> 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_reads_back_and_is_not_shown() {
        let key = AccessKey::generate().unwrap();
        assert_eq!((key.id().len(), key.secret().len()), (20, 40));
        assert_eq!(AccessKey::from_secret_text(&key.to_secret_text()).as_ref(), Ok(&key));
        assert!(!format!("{key:?}").contains(key.secret()));
        assert_eq!(AccessKey::from_secret_text("one"), Err(AccessKeyError::Form));
    }

    #[test]
    fn pairs_of_accounts_tell_their_account_and_are_the_same_each_time() {
        let key = AccessKey::generate().unwrap();
        let other = key.of_account(111_122_223_333);
        assert_eq!(other, key.of_account(111_122_223_333));
        assert_eq!((other.id().len(), other.secret().len()), (20, 40));
        assert_eq!(account_of(other.id()), Some(111_122_223_333));
        assert_eq!(key.secret_of(other.id()), Some((other.secret().to_owned(), 111_122_223_333)));
        // Another endpoint's pair is no good here, and neither is an id that was made up.
        assert_eq!(AccessKey::generate().unwrap().secret_of(other.id()), None);
        assert_eq!(key.secret_of("AKIAIOSFODNN7EXAMPLE"), None);
    }

    #[test]
    fn a_token_is_read_back_only_with_its_own_key_and_unchanged() {
        let key = AccessKey::generate().unwrap();
        let session = Session {
            account: 111_122_223_333,
            role: "publisher".to_owned(),
            name: "build".to_owned(),
            expiry: Timestamp::from_second(1_800_000_000).unwrap(),
        };
        let (pair, token) = key.of_session(&session).unwrap();
        assert_eq!(key.session(pair.id(), &token), Some(session.clone()));
        let (another, _) = key.of_session(&session).unwrap();
        assert_eq!(key.session(another.id(), &token), None);
        let mut changed = token.clone().into_bytes();
        let last = changed.len() - 2;
        changed[last] ^= 1;
        assert_eq!(key.session(pair.id(), &String::from_utf8(changed).unwrap()), None);
        assert_eq!(key.session(pair.id(), ""), None);
    }
}
