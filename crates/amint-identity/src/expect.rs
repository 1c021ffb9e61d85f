//! What a caller expects of a document.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::certificates::Certificates;
use crate::document::Document;
use crate::form::Form;
use crate::interfaces::is_own_address;
use crate::refusal::Refusal;

/// How far a document may be from the future: clocks differ, and a document is made before the instance runs.
const AHEAD_SECONDS_MAX: u64 = 300;

/// What a caller expects; whatever is not set is not compared.
///
/// An [`Expect::new`] alone accepts the genuine document of any instance of any account: set at least the product
/// code, and something that binds the document to this machine.
///
/// ```
/// use std::time::Duration;
/// use amint_identity::Expect;
///
/// let expect = Expect::new()
///     .any_product_code(["aw0evgkw8e5c1q413zgy5pjce", "4uq8ze3nldxj14h5ab12cd34e"])
///     .private_ip_of_this_machine()
///     .architecture("x86_64");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Expect {
    pub(crate) forms: Vec<Form>,
    pub(crate) certificates: Option<Arc<Certificates>>,
    pub(crate) now: Option<SystemTime>,
    pub(crate) is_expiry_fatal: bool,
    any_code: Option<Vec<String>>,
    all_codes: Vec<String>,
    account: Option<String>,
    region: Option<String>,
    images: Option<Vec<String>>,
    instance: Option<String>,
    addresses: Option<Vec<IpAddr>>,
    is_own_address: bool,
    architecture: Option<String>,
    age_max: Option<Duration>,
}

impl Default for Expect {
    fn default() -> Self {
        Self::new()
    }
}

fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(Into::into).collect()
}

impl Expect {
    /// Expects a genuine document in the form that AWS recommends ([`Form::Rsa2048`]), and nothing more.
    pub fn new() -> Self {
        Self {
            forms: vec![Form::Rsa2048],
            certificates: None,
            now: None,
            is_expiry_fatal: false,
            any_code: None,
            all_codes: Vec::new(),
            account: None,
            region: None,
            images: None,
            instance: None,
            addresses: None,
            is_own_address: false,
            architecture: None,
            age_max: None,
        }
    }

    /// Accepts these forms of signature in place of [`Form::Rsa2048`]. The others use short keys.
    pub fn forms(mut self, forms: impl IntoIterator<Item = Form>) -> Self {
        self.forms = forms.into_iter().collect();
        self
    }

    /// Trusts these certificates in place of those that came with this crate.
    pub fn certificates(mut self, certificates: impl Into<Arc<Certificates>>) -> Self {
        self.certificates = Some(certificates.into());
        self
    }

    /// Takes `now` for the present, in place of the machine's clock.
    pub fn at(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }

    /// Refuses documents whose certificate has expired. EC2 itself keeps keys longer than their certificates.
    pub fn refuse_expired_certificate(mut self) -> Self {
        self.is_expiry_fatal = true;
        self
    }

    /// Expects the document to list `code`; may be called several times, and then all must be listed.
    pub fn product_code(mut self, code: impl Into<String>) -> Self {
        self.all_codes.push(code.into());
        self
    }

    /// Expects the document to list all of `codes`.
    pub fn all_product_codes<T: Into<String>>(mut self, codes: impl IntoIterator<Item = T>) -> Self {
        self.all_codes.extend(texts(codes));
        self
    }

    /// Expects the document to list at least one of `codes`. With no codes, every document is refused.
    pub fn any_product_code<T: Into<String>>(mut self, codes: impl IntoIterator<Item = T>) -> Self {
        self.any_code = Some(texts(codes));
        self
    }

    /// Expects the instance to belong to this account.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Expects the instance to run in this region.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Expects the instance to be launched from one of these images. With no images, every document is refused.
    pub fn images<T: Into<String>>(mut self, images: impl IntoIterator<Item = T>) -> Self {
        self.images = Some(texts(images));
        self
    }

    /// Expects this instance.
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// Expects the document's private address to be one of this machine's own interfaces. Within a container that has
    /// a network of its own this is never so.
    pub fn private_ip_of_this_machine(mut self) -> Self {
        self.is_own_address = true;
        self
    }

    /// Expects the document's private address to be one of `addresses`.
    pub fn private_ip(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.addresses = Some(addresses.into_iter().collect());
        self
    }

    /// Expects this architecture: `x86_64` or `arm64`.
    pub fn architecture(mut self, architecture: impl Into<String>) -> Self {
        self.architecture = Some(architecture.into());
        self
    }

    /// Expects the instance to be started at most `age` ago. Fits checks at boot: the document of an instance that
    /// runs for a month is a month old.
    pub fn pending_within(mut self, age: Duration) -> Self {
        self.age_max = Some(age);
        self
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.now.unwrap_or_else(SystemTime::now)
    }

    /// Compares a proven document with what is expected.
    pub(crate) fn check(&self, document: &Document) -> Result<(), Refusal> {
        self.check_codes(&document.marketplace_product_codes)?;
        differs(&document.account_id, self.account.as_ref())
            .map_or(Ok(()), |(found, expected)| Err(Refusal::Account { found, expected }))?;
        differs(&document.region, self.region.as_ref())
            .map_or(Ok(()), |(found, expected)| Err(Refusal::Region { found, expected }))?;
        differs(&document.instance_id, self.instance.as_ref())
            .map_or(Ok(()), |(found, expected)| Err(Refusal::Instance { found, expected }))?;
        if let Some(expected) = self.images.as_ref().filter(|images| !images.contains(&document.image_id)) {
            return Err(Refusal::Image { found: document.image_id.clone(), expected: expected.clone() });
        }
        if let Some(expected) = &self.architecture
            && document.architecture.as_ref() != Some(expected)
        {
            let found = document.architecture.clone();
            return Err(Refusal::Architecture { found, expected: expected.clone() });
        }
        self.check_address(document.private_ip)?;
        self.check_age(document.pending_time)
    }

    fn check_codes(&self, found: &[String]) -> Result<(), Refusal> {
        let refusal = |expected: &[String]| {
            Err(Refusal::ProductCode { found: found.to_vec(), expected: expected.to_vec() })
        };
        if self.all_codes.iter().any(|code| !found.contains(code)) {
            return refusal(&self.all_codes);
        }
        match &self.any_code {
            Some(codes) if !codes.iter().any(|code| found.contains(code)) => refusal(codes),
            _ => Ok(()),
        }
    }

    fn check_address(&self, found: Option<IpAddr>) -> Result<(), Refusal> {
        let is_listed = |addresses: &Vec<IpAddr>| found.is_some_and(|address| addresses.contains(&address));
        let is_expected = self.addresses.as_ref().is_none_or(is_listed)
            && (!self.is_own_address || found.is_some_and(is_own_address));
        if is_expected { Ok(()) } else { Err(Refusal::PrivateIp { found }) }
    }

    fn check_age(&self, pending_time: SystemTime) -> Result<(), Refusal> {
        let Some(age_max) = self.age_max else { return Ok(()) };
        let (now, age_seconds_max) = (self.now(), age_max.as_secs());
        if let Err(ahead) = now.duration_since(pending_time) {
            let ahead_seconds = ahead.duration().as_secs();
            let is_clock = ahead_seconds <= AHEAD_SECONDS_MAX;
            return if is_clock { Ok(()) } else { Err(Refusal::FromFuture { ahead_seconds }) };
        }
        let age = now.duration_since(pending_time).unwrap_or_default();
        if age > age_max {
            Err(Refusal::Stale { age_seconds: age.as_secs(), age_seconds_max })
        } else {
            Ok(())
        }
    }
}

fn differs(found: &str, expected: Option<&String>) -> Option<(String, String)> {
    expected.filter(|expected| *expected != found).map(|expected| (found.to_owned(), expected.clone()))
}
