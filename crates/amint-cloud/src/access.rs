//! The key pair that clients sign with.

use std::fmt;

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
        /// The letters of Base32 (RFC 4648, section 6), which key ids are made of.
        const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut random = [0; 46];
        getrandom::fill(&mut random).map_err(|_| AccessKeyError::Random)?;
        let (id, secret) = random.split_at(16);
        let id: String = id.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect();
        let secret = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, secret);
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
}
