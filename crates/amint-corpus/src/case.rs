//! One case of the corpus.

use amint_scan::{Profile, Protocol, ScanRequest};
use amint_types::Severity;
use jiff::civil::date;
use serde::Deserialize;

use crate::CorpusError;
use crate::format::{Entry, Parts};

/// What the rules should say of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Expectation {
    /// One of the named rules finds it.
    Flaw,
    /// No rule says a word.
    Decoy,
}

/// A small file tree with one flaw or one decoy.
#[derive(Clone, Debug)]
pub struct Case {
    /// The group and the name: `ssh/match-block-allows-passwords`.
    pub name: String,
    pub(crate) header: Header,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// The ids of rules that may find the flaw, or that the decoy is meant for.
    pub(crate) rules: Vec<String>,
    pub(crate) expect: Expectation,
    /// The least severity that a flaw must be found with.
    pub(crate) severity: Option<Severity>,
    /// A part of the path at which a flaw must be found.
    pub(crate) at: Option<String>,
    #[serde(default = "default_profiles")]
    pub(crate) profiles: Vec<Profile>,
    pub(crate) base: String,
    #[serde(default = "default_user")]
    pub(crate) user: String,
    /// TCP ports that the recipe opens.
    #[serde(default)]
    pub(crate) ports: Vec<u16>,
    /// Rules that may rightly remark on a decoy below a high severity.
    #[serde(default)]
    pub(crate) remarks: Vec<String>,
    /// Why the expectation is right.
    pub(crate) reason: String,
}

fn default_profiles() -> Vec<Profile> {
    vec![Profile::Marketplace, Profile::SharedLinux, Profile::Hardened]
}

fn default_user() -> String {
    "ec2-user".to_owned()
}

impl Case {
    /// Reads a case from its text.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, CorpusError> {
        let parts = Parts::parse(name, text)?;
        let header = toml::from_str(&parts.header)
            .map_err(|source| CorpusError::Header { name: name.to_owned(), source: Box::new(source) })?;
        Ok(Self { name: name.to_owned(), header, entries: parts.entries })
    }

    /// Makes the case in which a base alone is judged: there is nothing to find in it.
    ///
    /// `objections` are the rules that rightly object to it.
    pub(crate) fn of_base(base: &str, objections: &[String]) -> Self {
        let header = Header {
            rules: Vec::new(),
            expect: Expectation::Decoy,
            severity: None,
            at: None,
            profiles: default_profiles(),
            base: base.to_owned(),
            user: default_user(),
            ports: Vec::new(),
            remarks: objections.to_vec(),
            reason: "an image in good order has nothing to find".to_owned(),
        };
        Self { name: format!("bases/{base}"), header, entries: Vec::new() }
    }

    /// Returns the group.
    pub fn group(&self) -> &str {
        self.name.split_once('/').map_or("", |(group, _)| group)
    }

    /// Returns what the rules should say.
    pub fn expectation(&self) -> Expectation {
        self.header.expect
    }

    /// Returns the ids of the rules that the case is meant for.
    pub fn rules(&self) -> &[String] {
        &self.header.rules
    }

    /// Tells why the expectation is right.
    pub fn reason(&self) -> &str {
        &self.header.reason
    }

    /// Returns the request that the case is judged by.
    pub fn request(&self) -> ScanRequest {
        request(self.header.profiles.clone(), self.header.user.clone(), &self.header.ports)
    }
}

/// Makes the request by which trees are judged: always of the same day, with nothing waived.
pub fn request(profiles: Vec<Profile>, user: String, tcp_ports: &[u16]) -> ScanRequest {
    ScanRequest {
        profiles,
        waivers: Vec::new(),
        today: date(2026, 11, 23),
        user,
        ports: tcp_ports.iter().map(|port| (*port, Protocol::Tcp)).collect(),
        rights: Vec::new(),
    }
}
