//! Keys that sign the identity documents of instances on this machine.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use amint_identity::Form;
use amint_identity::local::{LocalKeys, LocalKeysError};
use jiff::Timestamp;

/// The keys that sign the identity documents of instances on this machine.
///
/// They take the place of EC2's own, which nobody else has: only who is told to trusts them.
#[derive(Clone, Debug)]
pub struct IdentityKeys(Arc<LocalKeys>);

impl IdentityKeys {
    /// Takes keys into use.
    pub fn new(keys: LocalKeys) -> Self {
        Self(Arc::new(keys))
    }

    /// Signs a document in every form, as EC2 does when an instance starts; the base64 text of each.
    ///
    /// # Errors
    /// Fails when the machine gives no random numbers.
    pub fn sign(
        &self,
        document: &str,
        now: Timestamp,
    ) -> Result<[(&'static str, String); 3], LocalKeysError> {
        let mut signed = Form::ALL.map(|form| (form.as_str(), String::new()));
        for (form, (_, text)) in Form::ALL.into_iter().zip(&mut signed) {
            *text = self.0.sign(form, document.as_bytes(), system_time(now))?;
        }
        Ok(signed)
    }

    /// Returns the certificates of the keys for one region, as a list that `amint-verify --also-trust` reads.
    ///
    /// # Errors
    /// Fails when the machine gives no random numbers.
    pub fn certificates(&self, region: &str, now: Timestamp) -> Result<String, LocalKeysError> {
        self.0.certificates(&[region], system_time(now))
    }
}

fn system_time(now: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0))
}
