//! The client.

use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use super::error::ProofError;
use super::http::{Answer, HttpError, request};
use crate::expect::Expect;
use crate::form::Form;
use crate::refusal::Refusal;
use crate::verify::{Verified, verify};

/// Where the service is.
pub const IPV4_ENDPOINT: &str = "http://169.254.169.254";
/// Where the service is for instances that use IPv6 (Nitro only, and only if it was switched on).
pub const IPV6_ENDPOINT: &str = "http://[fd00:ec2::254]";
/// The environment variable that names another address, as AWS's own tools read it.
pub const ENDPOINT_VARIABLE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
/// The environment variable that chooses `IPv4` or `IPv6`, as AWS's own tools read it.
pub const ENDPOINT_MODE_VARIABLE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";

const TOKEN_PATH: &str = "/latest/api/token";
const TOKEN_TTL: (&str, &str) = ("X-aws-ec2-metadata-token-ttl-seconds", "60");
const TOKEN: &str = "X-aws-ec2-metadata-token";
const IDENTITY: &str = "/latest/dynamic/instance-identity";
const PRODUCT_CODES: &str = "/latest/meta-data/product-codes";
/// Longer than any token of EC2 (56 characters).
const TOKEN_BYTES_MAX: usize = 1024;
const TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPTS: u32 = 3;

/// What the metadata service gave; nothing of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// The document's bytes.
    pub document: Vec<u8>,
    /// The signature, in base64.
    pub signature: Vec<u8>,
    /// The form of the signature that was asked for.
    pub form: Form,
    /// What `/latest/meta-data/product-codes` lists; empty where there is none.
    pub product_codes: Vec<String>,
}

impl Evidence {
    /// Verifies the document, and that the metadata lists the same product codes.
    pub fn verify(&self, expect: &Expect) -> Result<Verified, Refusal> {
        let verified = verify(&self.document, &self.signature, expect)?;
        let codes = &verified.document.marketplace_product_codes;
        let is_same = codes.iter().collect::<BTreeSet<_>>() == self.product_codes.iter().collect();
        if is_same {
            return Ok(verified);
        }
        Err(Refusal::ProductCodesDiffer { document: codes.clone(), metadata: self.product_codes.clone() })
    }
}

/// A client of the metadata service.
#[derive(Clone, Debug)]
#[must_use]
pub struct Client {
    endpoint: String,
    address: SocketAddr,
    timeout: Duration,
    attempts: u32,
}

impl Client {
    /// Makes a client of the service at `endpoint`: `http://HOST[:PORT]`, with or without a slash at the end.
    pub fn new(endpoint: &str) -> Result<Self, ProofError> {
        let error = || ProofError::Endpoint { text: endpoint.chars().take(200).collect() };
        let authority = endpoint.strip_prefix("http://").ok_or_else(error)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if authority.is_empty() || authority.contains(['/', '@', '?', '#']) {
            return Err(error());
        }
        let has_port =
            authority.rsplit_once(':').is_some_and(|(host, _)| !host.starts_with('[') || host.ends_with(']'));
        let authority = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        let address = authority.to_socket_addrs().ok().and_then(|mut all| all.next()).ok_or_else(error)?;
        Ok(Self { endpoint: endpoint.to_owned(), address, timeout: TIMEOUT, attempts: ATTEMPTS })
    }

    /// Makes a client of the service that the environment names, or of the usual one.
    pub fn from_environment() -> Result<Self, ProofError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(endpoint) = variable(ENDPOINT_VARIABLE) {
            return Self::new(&endpoint);
        }
        match variable(ENDPOINT_MODE_VARIABLE) {
            None => Self::new(IPV4_ENDPOINT),
            Some(mode) if mode.eq_ignore_ascii_case("ipv4") => Self::new(IPV4_ENDPOINT),
            Some(mode) if mode.eq_ignore_ascii_case("ipv6") => Self::new(IPV6_ENDPOINT),
            Some(text) => Err(ProofError::Endpoint { text }),
        }
    }

    /// Sets how long connecting, and then the answer, may take in each attempt; one second if not set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// Sets how often a request is tried; three times if not set.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Fetches the document in the first form that `expect` accepts, and verifies it.
    pub fn prove(&self, expect: &Expect) -> Result<Verified, ProofError> {
        let form = expect.forms.first().copied().unwrap_or(Form::Rsa2048);
        self.fetch(form)?.verify(expect).map_err(ProofError::Refused)
    }

    /// Fetches the document, its signature in one form, and the product codes of the metadata.
    pub fn fetch(&self, form: Form) -> Result<Evidence, ProofError> {
        let mut token = self.token()?;
        let mut read = |path: &str| self.read(path, &mut token);
        let missing = |path: &str| ProofError::UnexpectedStatus {
            endpoint: self.endpoint.clone(),
            path: path.to_owned(),
            status: 404,
        };
        let path = format!("{IDENTITY}/document");
        let document = read(&path)?.ok_or_else(|| missing(&path))?;
        let path = format!("{IDENTITY}/{form}");
        let signature = read(&path)?.ok_or_else(|| missing(&path))?;
        let codes = read(PRODUCT_CODES)?.unwrap_or_default();
        let product_codes = String::from_utf8_lossy(&codes).split_whitespace().map(str::to_owned).collect();
        Ok(Evidence { document, signature, form, product_codes })
    }

    /// Asks for a token: the one request whose answer the hop limit stops.
    fn token(&self) -> Result<String, ProofError> {
        let answer = match self.attempt("PUT", TOKEN_PATH, TOKEN_TTL) {
            Ok(answer) => answer,
            Err(HttpError::NoAnswer) => return Err(ProofError::HopLimit { endpoint: self.endpoint.clone() }),
            Err(error) => return Err(self.error(TOKEN_PATH, error)),
        };
        if answer.status == 403 {
            return Err(ProofError::Forbidden);
        }
        if answer.status != 200 {
            return Err(self.unexpected(TOKEN_PATH, answer.status));
        }
        let is_token = !answer.body.is_empty()
            && answer.body.len() <= TOKEN_BYTES_MAX
            && answer.body.iter().all(u8::is_ascii_graphic);
        // What goes into a header must not be able to end it.
        String::from_utf8(answer.body).ok().filter(|_| is_token).ok_or_else(|| ProofError::Read {
            path: TOKEN_PATH.to_owned(),
            source: io::Error::new(io::ErrorKind::InvalidData, "the token is none"),
        })
    }

    /// Reads a path; `None` where there is nothing. A token that is no longer good is replaced once.
    fn read(&self, path: &str, token: &mut String) -> Result<Option<Vec<u8>>, ProofError> {
        let mut answer =
            self.attempt("GET", path, (TOKEN, token)).map_err(|error| self.error(path, error))?;
        if answer.status == 401 {
            *token = self.token()?;
            answer = self.attempt("GET", path, (TOKEN, token)).map_err(|error| self.error(path, error))?;
        }
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            status => Err(self.unexpected(path, status)),
        }
    }

    /// Tries a request until it is answered without a failure of the service.
    fn attempt(&self, method: &str, path: &str, header: (&str, &str)) -> Result<Answer, HttpError> {
        let mut result = request(self.address, method, path, header, self.timeout);
        for _ in 1..self.attempts {
            match &result {
                Ok(answer) if answer.status < 500 && answer.status != 429 => break,
                // Nobody is there, and asking again at once does not change it.
                Err(HttpError::Connect(error)) if error.kind() == io::ErrorKind::ConnectionRefused => break,
                _ => result = request(self.address, method, path, header, self.timeout),
            }
        }
        result
    }

    fn unexpected(&self, path: &str, status: u16) -> ProofError {
        ProofError::UnexpectedStatus { endpoint: self.endpoint.clone(), path: path.to_owned(), status }
    }

    fn error(&self, path: &str, error: HttpError) -> ProofError {
        let source = match error {
            HttpError::Connect(source) => {
                return ProofError::NotOnEc2 { endpoint: self.endpoint.clone(), source };
            }
            HttpError::NoAnswer => io::ErrorKind::TimedOut.into(),
            HttpError::Answer(source) => source,
        };
        ProofError::Read { path: path.to_owned(), source }
    }
}
