//! Requests to servers, directly or through a proxy.
//!
//! Redirects are followed here rather than in `ureq`, since each may need another proxy, and since user and password
//! must not go along to another server.

mod forward;
mod resolver;

use std::io;
use std::path::Path;
use std::time::Duration;

use amint_types::Redacted;
use ureq::http::HeaderMap;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Proxy, ProxyProtocol};

use crate::error::ArchiveError;
use crate::proxies::Proxies;
use crate::uri::HttpUri;

use self::resolver::Remembering;

/// Most redirects that are followed for one request.
const REDIRECTS_MAX: u32 = 5;
/// Longest head of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;

const USER_AGENT: &str = concat!("amint/", env!("CARGO_PKG_VERSION"));

/// An answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl Answer {
    /// Returns a header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A request got no answer.
#[derive(Debug)]
pub(crate) enum RequestError {
    /// The connection failed or broke; another try may help.
    Passing(io::Error),
    /// The server cannot be trusted.
    Untrusted(io::Error),
    /// The URI is none.
    Uri,
    /// A redirect leads where none may lead.
    Redirect(&'static str),
}

/// Connections to servers, kept open between requests, for one operation of a client.
pub(crate) struct Http {
    proxies: Proxies,
    direct: Agent,
    for_plain: Option<Agent>,
    for_tls: Option<Agent>,
}

impl Http {
    pub(crate) fn new(
        proxies: &Proxies,
        connections: usize,
        timeout: Duration,
    ) -> Result<Self, ArchiveError> {
        let agent = |proxy: Option<Proxy>| {
            let configuration = configuration(proxy, connections, timeout);
            Agent::with_parts(configuration, DefaultConnector::default(), Remembering::default())
        };
        let parse = |scheme, proxy: &Redacted<String>| {
            Proxy::new(proxy.expose()).map_err(|_| ArchiveError::Proxy { scheme })
        };
        let for_plain = match proxies.http.as_ref().map(|proxy| parse("http", proxy)).transpose()? {
            Some(proxy) if proxy.protocol() == ProxyProtocol::Http => {
                Some(forward::agent(configuration(None, connections, timeout), &proxy))
            }
            other => other.map(|proxy| agent(Some(proxy))),
        };
        let https = proxies.https.as_ref().map(|proxy| parse("https", proxy)).transpose()?;
        let for_tls = https.map(|proxy| agent(Some(proxy)));
        Ok(Self { proxies: proxies.clone(), direct: agent(None), for_plain, for_tls })
    }

    /// Asks for a file, and follows redirects.
    pub(crate) fn get(&self, uri: &HttpUri, headers: &[(&str, String)]) -> Result<Answer, RequestError> {
        let mut uri = uri.clone();
        for _ in 0..=REDIRECTS_MAX {
            let mut request = self.agent(&uri).get(uri.request_text());
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            if let Some(value) = uri.authorization() {
                request = request.header("Authorization", value.expose());
            }
            let (head, body) = request.call().map_err(request_error)?.into_parts();
            let answer = Answer { status: head.status.as_u16(), headers: head.headers, body };
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let target = answer.header("location").ok_or(RequestError::Redirect("has no target"))?;
            uri = uri.redirected(target).map_err(RequestError::Redirect)?;
        }
        Err(RequestError::Redirect("leads to too many others"))
    }

    /// Ends all connections at once, also those that wait for something.
    pub(crate) fn shutdown(&self) {
        let agents = [Some(&self.direct), self.for_plain.as_ref(), self.for_tls.as_ref()];
        agents.into_iter().flatten().for_each(|agent| agent.clone().shutdown());
    }

    fn agent(&self, uri: &HttpUri) -> &Agent {
        if self.proxies.choose(uri.is_https, uri.host()).is_none() {
            return &self.direct;
        }
        let proxied = if uri.is_https { self.for_tls.as_ref() } else { self.for_plain.as_ref() };
        proxied.unwrap_or(&self.direct)
    }
}

fn configuration(proxy: Option<Proxy>, connections: usize, timeout: Duration) -> ureq::config::Config {
    let roots = if has_own_roots() { RootCerts::PlatformVerifier } else { RootCerts::WebPki };
    Agent::config_builder()
        .proxy(proxy)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(USER_AGENT)
        .max_response_header_size(HEAD_BYTES_MAX)
        .max_idle_connections(connections.saturating_mul(4))
        .max_idle_connections_per_host(connections)
        .timeout_resolve(Some(timeout))
        .timeout_connect(Some(timeout))
        .timeout_recv_response(Some(timeout))
        .timeout_per_read(Some(timeout))
        .timeout_per_write(Some(timeout))
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build()
}

/// Tells whether the host says which authorities it trusts; a minimal one does not, and gets those of Mozilla.
fn has_own_roots() -> bool {
    const BUNDLES: [&str; 4] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];
    let is_named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    is_named || BUNDLES.iter().any(|path| Path::new(path).exists())
}

fn request_error(error: ureq::Error) -> RequestError {
    match error {
        error @ (ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired) => {
            RequestError::Untrusted(io_error(error))
        }
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => RequestError::Uri,
        // What rustls says of a certificate comes inside of an error of the connection.
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            RequestError::Untrusted(error)
        }
        error => RequestError::Passing(io_error(error)),
    }
}

/// Makes an error of the connection of one of `ureq`. None of these says more of a URI than its host.
pub(crate) fn io_error(error: ureq::Error) -> io::Error {
    match error {
        ureq::Error::Io(error) => error,
        ureq::Error::Timeout(_) => io::Error::new(io::ErrorKind::TimedOut, "the server takes too long"),
        ureq::Error::HostNotFound => io::Error::new(io::ErrorKind::NotFound, "the host is not known"),
        ureq::Error::BadUri(_) => io::Error::new(io::ErrorKind::InvalidInput, "the URI cannot be used"),
        ureq::Error::BodyStalled => io::ErrorKind::UnexpectedEof.into(),
        error => io::Error::other(error.to_string()),
    }
}
