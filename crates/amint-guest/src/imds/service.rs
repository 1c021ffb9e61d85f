//! The metadata service's HTTP side.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use amint_identity::local::LocalKeysError;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use tokio::net::UnixListener;

use crate::clock::Clock;
use crate::imds::token::Tokens;
use crate::imds::tree::{Node, Tree};
use crate::imds::{IdentityKeys, Metadata, identity_document};

const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
const TOKEN_TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const SERVER: HeaderValue = HeaderValue::from_static("EC2ws");

/// What the guest asked for so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// How many requests came.
    pub requests: u64,
    /// Whether a login key was read.
    pub is_key_read: bool,
}

/// Whom the service answers (`MetadataOptions` of EC2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImdsAccess {
    /// Whether it answers at all (`HttpEndpoint`).
    pub is_enabled: bool,
    /// Whether every read needs a token (`HttpTokens`).
    pub needs_token: bool,
}

impl Default for ImdsAccess {
    fn default() -> Self {
        Self { is_enabled: true, needs_token: true }
    }
}

/// The metadata service of one instance.
#[derive(Clone)]
pub struct ImdsService(Arc<Shared>);

struct Shared {
    told: RwLock<Told>,
    tokens: Mutex<Tokens>,
    clock: Arc<dyn Clock>,
    requests: AtomicU64,
    is_key_read: AtomicBool,
}

/// What is told, and to whom.
struct Told {
    tree: Tree,
    access: ImdsAccess,
}

impl ImdsService {
    /// Makes the service of the instance that `metadata` describes; its identity document is not signed.
    pub fn new(metadata: &Metadata, clock: Arc<dyn Clock>) -> Self {
        Self::with_signatures(metadata, &[], clock)
    }

    /// Makes the service of the instance that `metadata` describes; its identity document is signed with `keys`.
    ///
    /// # Errors
    /// Fails when the document cannot be signed.
    pub fn signed(
        metadata: &Metadata,
        keys: &IdentityKeys,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LocalKeysError> {
        let signatures = keys.sign(&identity_document(metadata), clock.now())?;
        Ok(Self::with_signatures(metadata, &signatures, clock))
    }

    /// Tells something else from now on, to others. Tokens that were given out hold on.
    ///
    /// # Errors
    /// Fails when the document cannot be signed; then nothing changes.
    pub fn update(
        &self,
        metadata: &Metadata,
        keys: &IdentityKeys,
        access: ImdsAccess,
    ) -> Result<(), LocalKeysError> {
        let signatures = keys.sign(&identity_document(metadata), self.0.clock.now())?;
        let told = Told { tree: Tree::new(metadata, &signatures), access };
        *self.0.told.write().unwrap_or_else(PoisonError::into_inner) = told;
        Ok(())
    }

    fn with_signatures(metadata: &Metadata, signatures: &[(&str, String)], clock: Arc<dyn Clock>) -> Self {
        let told = Told { tree: Tree::new(metadata, signatures), access: ImdsAccess::default() };
        Self(Arc::new(Shared {
            told: RwLock::new(told),
            tokens: Mutex::default(),
            clock,
            requests: AtomicU64::new(0),
            is_key_read: AtomicBool::new(false),
        }))
    }

    /// Returns the HTTP service.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    /// Answers connections until the future is dropped.
    pub async fn serve(self, listener: UnixListener) -> io::Result<()> {
        axum::serve(listener, self.router()).await
    }

    /// Tells what the guest asked for so far.
    pub fn activity(&self) -> Activity {
        Activity {
            requests: self.0.requests.load(Ordering::Relaxed),
            is_key_read: self.0.is_key_read.load(Ordering::Relaxed),
        }
    }

    fn issue_token(&self, headers: &HeaderMap) -> Response<Body> {
        if headers.contains_key(FORWARDED_FOR) {
            // A proxy that anyone can use must not hand out tokens: the point of the second version.
            return failure(StatusCode::FORBIDDEN);
        }
        let wish = headers.get(TOKEN_TTL).and_then(|value| value.to_str().ok());
        let Some(ttl_seconds) = wish.and_then(Tokens::parse_ttl) else {
            return failure(StatusCode::BAD_REQUEST);
        };
        let now = self.0.clock.now();
        let token = self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner).issue(ttl_seconds, now);
        let mut response = success("text/plain", token.into_bytes());
        response.headers_mut().insert(TOKEN_TTL, HeaderValue::from(ttl_seconds));
        response
    }

    fn read(&self, path: &str, headers: &HeaderMap) -> Response<Body> {
        let now = self.0.clock.now();
        let told = self.0.told.read().unwrap_or_else(PoisonError::into_inner);
        let token = headers.get(TOKEN).map(|value| value.to_str().unwrap_or_default());
        let remaining = match token {
            None if !told.access.needs_token => None,
            token => {
                let tokens = self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(remaining) = tokens.remaining_seconds(token.unwrap_or_default(), now) else {
                    return failure(StatusCode::UNAUTHORIZED);
                };
                Some(remaining)
            }
        };
        let mut response = if path == "/" {
            success("text/plain", Tree::versions().into_bytes())
        } else {
            match told.tree.find(path) {
                None => return failure(StatusCode::NOT_FOUND),
                Some(Node::Directory(directory)) => success("text/plain", directory.listing().into_bytes()),
                Some(Node::Text(text)) => success("text/plain", text.clone().into_bytes()),
                Some(Node::Bytes(bytes)) => success("application/octet-stream", bytes.clone()),
            }
        };
        if path.ends_with("/openssh-key") {
            self.0.is_key_read.store(true, Ordering::Relaxed);
        }
        if let Some(remaining) = remaining {
            response.headers_mut().insert(TOKEN_TTL, HeaderValue::from(remaining));
        }
        response
    }

    fn is_enabled(&self) -> bool {
        self.0.told.read().unwrap_or_else(PoisonError::into_inner).access.is_enabled
    }
}

async fn answer(State(service): State<ImdsService>, request: Request) -> Response<Body> {
    service.0.requests.fetch_add(1, Ordering::Relaxed);
    if !service.is_enabled() {
        return failure(StatusCode::FORBIDDEN);
    }
    let path = request.uri().path();
    let is_token_path = path == "/latest/api/token";
    match *request.method() {
        Method::PUT if is_token_path => service.issue_token(request.headers()),
        Method::GET | Method::HEAD if !is_token_path => service.read(path, request.headers()),
        _ => {
            let mut response = failure(StatusCode::METHOD_NOT_ALLOWED);
            let allowed = if is_token_path { "PUT" } else { "GET, HEAD" };
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
            response
        }
    }
}

fn success(content_type: &'static str, content: Vec<u8>) -> Response<Body> {
    respond(StatusCode::OK, content_type, content)
}

/// Answers with the page that EC2 shows for `status`.
fn failure(status: StatusCode) -> Response<Body> {
    let title = format!("{} - {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let page = format!(
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n\
         <!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n\
         \t\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n \
         <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n </body>\n</html>\n"
    );
    respond(status, "text/html", page.into_bytes())
}

fn respond(status: StatusCode, content_type: &'static str, content: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(content));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::SERVER, SERVER);
    response
}
