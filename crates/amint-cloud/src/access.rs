//! The key pairs that clients sign with.
//!
//! One pair is kept; those of other accounts follow from its secret. Ids tell their account as AWS's do: 16 letters of
//! Base32 hold 80 bits, the first of which says so and the next 40 of which are the account.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::world::ACCOUNT_ID;

/// The letters of Base32 (RFC 4648, section 6), which key ids are made of.
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Says in an id that the account follows.
const HAS_ACCOUNT: u128 = 1 << 79;
/// How many bits of an id follow the account.
const REST_BITS: u32 = 39;

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
    /// The text is no account.
    #[error("`{0}` is no account: say 12 digits")]
    Account(String),
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
    /// Makes a key pair of the local account in the form that AWS's have.
    ///
    /// # Errors
    /// Fails when the machine gives no random numbers.
    pub fn generate() -> Result<Self, AccessKeyError> {
        Self::random("AKIA", ACCOUNT_ID)
    }

    /// Makes a key pair of an account: `AKIA` for users, `ASIA` for sessions.
    pub(crate) fn random(prefix: &str, account: &str) -> Result<Self, AccessKeyError> {
        let mut random = [0; 40];
        getrandom::fill(&mut random).map_err(|_| AccessKeyError::Random)?;
        let (rest, secret) = random.split_at(10);
        Ok(Self { id: id(prefix, account, rest), secret: STANDARD.encode(secret) })
    }

    /// Returns the key pair of an account: this one for the local account, one that follows from it for any other.
    ///
    /// # Errors
    /// Fails when the text is no account.
    pub fn of_account(&self, account: &str) -> Result<Self, AccessKeyError> {
        if !is_account(account) {
            return Err(AccessKeyError::Account(account.to_owned()));
        }
        if account == ACCOUNT_ID {
            return Ok(self.clone());
        }
        let rest = self.derive("id", account);
        let secret = self.derive("secret", account);
        Ok(Self { id: id("AKIA", account, &rest), secret: STANDARD.encode(&secret[..30]) })
    }

    /// Returns bytes that follow from the secret.
    fn derive(&self, what: &str, account: &str) -> Vec<u8> {
        let key = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes());
        let mut mac = key.expect("HMAC takes keys of any length (RFC 2104)");
        mac.update(format!("amint cloud\0{what}\0{account}").as_bytes());
        mac.finalize().into_bytes().to_vec()
    }

    /// Returns the id, which is no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the secret.
    pub fn secret(&self) -> &str {
        &self.secret
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

/// Tells whether a text is the id of an account.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|letter| letter.is_ascii_digit())
}

/// Writes the id of a key: which account it is of, and as much of `rest` as there is room for.
fn id(prefix: &str, account: &str, rest: &[u8]) -> String {
    let account: u128 = account.parse().unwrap_or(0);
    let rest = rest.iter().take(5).fold(0_u128, |value, byte| value << 8 | u128::from(*byte));
    let bits = HAS_ACCOUNT | account << REST_BITS | rest & ((1 << REST_BITS) - 1);
    prefix.chars().chain((0..16).rev().map(|place| letter(bits >> (place * 5)))).collect()
}

fn letter(bits: u128) -> char {
    char::from(LETTERS[usize::try_from(bits & 31).unwrap_or(0)])
}

/// Returns the account that the id of a key tells; none when it tells none.
pub(crate) fn account_of(id: &str) -> Option<String> {
    let letters = id.get(4..).filter(|letters| letters.len() == 16)?;
    let mut bits = 0_u128;
    for letter in letters.bytes() {
        bits = bits << 5 | LETTERS.iter().position(|known| *known == letter)? as u128;
    }
    if bits & HAS_ACCOUNT == 0 {
        return None;
    }
    let account = format!("{:012}", (bits & (HAS_ACCOUNT - 1)) >> REST_BITS);
    is_account(&account).then_some(account)
}

/// Makes the unique id of a principal: `AROA` for roles, `AIDA` for users, `AIPA` for instance profiles.
pub(crate) fn unique_id(prefix: &str) -> String {
    let mut random = [0_u8; 17];
    // A machine without random numbers has no access key either: it does not come here.
    let _ = getrandom::fill(&mut random);
    prefix.chars().chain(random.iter().map(|byte| letter(u128::from(*byte)))).collect()
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
    fn ids_tell_their_account_as_those_of_aws_do() {
        let key = AccessKey::generate().unwrap();
        assert_eq!(account_of(key.id()).as_deref(), Some(ACCOUNT_ID));
        for account in ["000000000000", "111122223333", "999999999999"] {
            let other = key.of_account(account).unwrap();
            assert_eq!(account_of(other.id()).as_deref(), Some(account));
            assert_eq!(key.of_account(account), Ok(other.clone()), "it is always the same");
            assert_ne!(other.secret(), key.secret());
            assert_eq!(other.secret().len(), 40);
        }
        assert_eq!(key.of_account(ACCOUNT_ID), Ok(key.clone()));
        // An id with its account in it that is told in public (Aidan Steele, "AWS Access Key ID formats").
        assert_eq!(account_of("ASIAQNZGKIQY56JQ7WML").as_deref(), Some("029608264753"));
        for wrong in ["AKIAEXAMPLE", "AKIA", "AKIAIOSFODNN7EXAMPLE", "AKIA1111111111111111", "ключ"] {
            assert_eq!(account_of(wrong), None, "{wrong}");
        }
        for wrong in ["1", "1234567890123", "12345678901x"] {
            assert!(key.of_account(wrong).is_err(), "{wrong}");
        }
    }
}
