//! Login keys that live for one boot.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg};

use crate::error::GuestError;

/// An Ed25519 key pair.
#[derive(Clone)]
pub(crate) struct LoginKeyPair(Arc<PrivateKey>);

impl LoginKeyPair {
    /// Makes a key pair that nobody else has; `comment` ends its public line.
    pub(crate) fn generate(comment: &str) -> Result<Self, GuestError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| GuestError::Runtime(error.into()))?;
        let data = KeypairData::Ed25519(Ed25519Keypair::from_seed(&seed));
        Ok(Self(Arc::new(PrivateKey::new(data, comment).map_err(GuestError::Key)?)))
    }

    /// Returns the public key as a line of `authorized_keys`.
    pub(crate) fn public_line(&self) -> Result<String, GuestError> {
        self.0.public_key().to_openssh().map_err(GuestError::Key)
    }

    /// Writes the private key for programs to use, readable by its owner only.
    pub(crate) fn write(&self, path: &Path) -> Result<(), GuestError> {
        let text = self.0.to_openssh(LineEnding::LF).map_err(GuestError::Key)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(GuestError::file("write", path))?;
        file.write_all(text.as_bytes()).map_err(GuestError::file("write", path))
    }

    /// Returns the key in the form that the SSH client wants.
    pub(crate) fn for_login(&self) -> PrivateKeyWithHashAlg {
        PrivateKeyWithHashAlg::new(Arc::clone(&self.0), None)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn private_key_is_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        LoginKeyPair::generate("test").unwrap().write(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
    }

    #[test]
    fn keys_differ() {
        let line = || LoginKeyPair::generate("test").unwrap().public_line().unwrap();
        assert!(line().starts_with("ssh-ed25519 "));
        assert_ne!(line(), line());
    }
}
