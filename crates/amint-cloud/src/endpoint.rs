//! The endpoint over HTTP.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::net::TcpListener;

use crate::operations::{
    Call, Caller, EbsAnswer, EbsRequest, RbinRequest, answer_ebs, answer_rbin, dry_run, find,
};
use crate::protocol::{Credential, Fault, Params, Payload, SignatureError, SignedRequest};
use crate::world::{ACCOUNT_ID, World};
use crate::{AccessKey, Service};

/// The largest body: a block, or a request with 16 KiB of user data and all that goes with it.
const BODY_BYTES_MAX: usize = 1 << 20;

/// How the endpoint treats its callers.
#[derive(Debug)]
pub struct EndpointOptions {
    /// The pair that requests have to be signed with.
    pub key: AccessKey,
    /// Whether requests are believed without a true signature. Region and service are read from it all the same.
    pub is_open: bool,
}

/// The endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    world: Arc<World>,
    options: EndpointOptions,
}

impl Endpoint {
    /// Makes the endpoint of a world.
    pub fn new(world: Arc<World>, options: EndpointOptions) -> Self {
        Self(Arc::new(Shared { world, options }))
    }

    /// Answers connections until the future is dropped.
    ///
    /// # Errors
    /// Fails when connections cannot be taken any more.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        axum::serve(listener, Router::new().fallback(handle).with_state(self)).await
    }
}

/// A request whose body is here.
struct Received {
    method: Method,
    path: String,
    query: String,
    headers: axum::http::HeaderMap,
    body: Bytes,
}

async fn handle(State(endpoint): State<Endpoint>, request: Request) -> Response<Body> {
    let id = request_id();
    let (head, body) = request.into_parts();
    let service = Credential::of(&head.headers).ok().and_then(|scope| Service::of_scope(&scope.service));
    // What names no service is answered as EC2 would.
    let service = service.unwrap_or(Service::Ec2);
    let body = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            let is_large = error.downcast_ref::<LengthLimitError>().is_some();
            let fault = if is_large {
                Fault::client("RequestEntityTooLarge", "The body is too large").with_status(413)
            } else {
                Fault::client("RequestTimeout", "The body did not come")
            };
            return fail(service, &fault, &id);
        }
    };
    let received = Received {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    let request_id = id.clone();
    // Answers read files: they must not hold up other connections.
    let answer = tokio::task::spawn_blocking(move || endpoint.answer(&received, &request_id)).await;
    answer.unwrap_or_else(|_| fail(service, &Fault::internal(), &id))
}

impl Endpoint {
    fn answer(&self, received: &Received, id: &str) -> Response<Body> {
        let credential = match self.believe(received) {
            Ok(credential) => credential,
            Err((service, fault)) => return fail(service, &fault, id),
        };
        let Some(service) = Service::of_scope(&credential.service) else {
            let message = format!("The service {} is not served here", credential.service);
            return fail(Service::Ec2, &Fault::client("InvalidAction", message), id);
        };
        // A block that is sent has nothing to do with images of the store, and there may be a thousand in a second.
        let now = self.0.world.clock().now();
        let look = || {
            self.0.world.look_at_store()?;
            self.0.world.forget_what_is_over(now)
        };
        if received.method != Method::PUT && look().is_err() {
            return fail(service, &Fault::internal(), id);
        }
        if service == Service::Ec2 {
            self.0.world.forget_the_gone();
            if let Err(fault) = self.0.world.prepare(&credential.region) {
                return fail(service, &fault, id);
            }
        }
        let caller = Caller {
            account: ACCOUNT_ID.to_owned(),
            arn: format!("arn:aws:iam::{ACCOUNT_ID}:root"),
            user_id: ACCOUNT_ID.to_owned(),
        };
        let world = &self.0.world;
        let region = credential.region.as_str();
        let call = Call { world, caller: &caller, region, now, operation: "", is_dry: false };
        let answer = match service {
            Service::Ebs => rest(&call, received),
            Service::Rbin => recycle_bin(&call, received),
            _ => query(service, &call, received, id),
        };
        match answer {
            Ok(mut response) => {
                if let Ok(value) = HeaderValue::from_str(id) {
                    response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), value);
                }
                response
            }
            Err(fault) => fail(service, &fault, id),
        }
    }

    /// Reads region and service from the signature, and verifies it.
    fn believe(&self, received: &Received) -> Result<Credential, (Service, Fault)> {
        let credential = Credential::of(&received.headers).map_err(|error| (Service::Ec2, refuse(&error)))?;
        let service = Service::of_scope(&credential.service).unwrap_or(Service::Ec2);
        if self.0.options.is_open {
            return Ok(credential);
        }
        let key = &self.0.options.key;
        if credential.access_key_id != key.id() {
            let message = "AWS was not able to validate the provided access credentials";
            return Err((service, Fault::client("AuthFailure", message).with_status(401)));
        }
        let request = SignedRequest {
            method: received.method.as_str(),
            path: &received.path,
            query: &received.query,
            headers: &received.headers,
            payload: Payload::Bytes(&received.body),
        };
        request.verify(key.secret(), self.0.world.clock().now()).map_err(|error| (service, refuse(&error)))
    }
}

/// Answers a request of the EBS direct APIs.
fn rest(call: &Call<'_>, received: &Received) -> Result<Response<Body>, Fault> {
    let request = EbsRequest {
        method: received.method.as_str(),
        path: &received.path,
        query: &received.query,
        headers: &received.headers,
        body: &received.body,
        now: call.now.as_second(),
    };
    Ok(match answer_ebs(call, &request)? {
        EbsAnswer::Json(document) => {
            respond(StatusCode::OK, "application/json", Body::from(document.to_string()))
        }
        EbsAnswer::Accepted(status, document) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            respond(status, "application/json", Body::from(document.to_string()))
        }
        EbsAnswer::Written(checksum) => {
            let response = respond(StatusCode::CREATED, "application/json", Body::from("{}"));
            with_checksum(response, &checksum)
        }
        EbsAnswer::Block(block, checksum) => {
            let length = HeaderValue::from(block.len());
            let mut response = respond(StatusCode::OK, "application/octet-stream", Body::from(block));
            response.headers_mut().insert(HeaderName::from_static("x-amz-data-length"), length);
            with_checksum(response, &checksum)
        }
    })
}

/// Answers a request of the recycle bin.
fn recycle_bin(call: &Call<'_>, received: &Received) -> Result<Response<Body>, Fault> {
    let request = RbinRequest {
        method: received.method.as_str(),
        path: &received.path,
        query: &received.query,
        body: &received.body,
    };
    let (status, document) = answer_rbin(call, &request)?;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let body = document.map_or_else(Body::empty, |document| Body::from(document.to_string()));
    Ok(respond(status, "application/json", body))
}

/// Adds the SHA-256 of a block, in base64.
fn with_checksum(mut response: Response<Body>, checksum: &str) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-amz-checksum-algorithm"), HeaderValue::from_static("SHA256"));
    if let Ok(checksum) = HeaderValue::from_str(checksum) {
        headers.insert(HeaderName::from_static("x-amz-checksum"), checksum);
    }
    response
}

/// Answers a request of the Query protocol.
fn query(service: Service, call: &Call<'_>, received: &Received, id: &str) -> Result<Response<Body>, Fault> {
    let text: &[u8] =
        if received.method == Method::POST { &received.body } else { received.query.as_bytes() };
    let params =
        Params::parse(text).map_err(|error| Fault::client("MalformedQueryString", error.to_string()))?;
    let action = params
        .get("Action")
        .ok_or_else(|| Fault::client("MissingAction", "The request must contain the parameter Action"))?;
    let version = params.get("Version");
    let operation =
        find(service, action).filter(|_| version.is_none_or(|version| version == service.version()));
    let Some(operation) = operation else {
        let message = format!("The action {action} is not valid for this web service.");
        return Err(Fault::client("InvalidAction", message));
    };
    let is_dry = params.boolean("DryRun")?.unwrap_or(false);
    let call = Call { operation: operation.name, is_dry, ..*call };
    let answer = (operation.run)(&call, &params)?;
    params.finish()?;
    if is_dry {
        return Err(dry_run());
    }
    let document = service.success(operation.root, operation.result, answer, id);
    Ok(respond(StatusCode::OK, "text/xml;charset=UTF-8", Body::from(document)))
}

fn refuse(error: &SignatureError) -> Fault {
    let code = match error {
        SignatureError::Missing => "MissingAuthenticationToken",
        SignatureError::Expired(_) => "RequestExpired",
        SignatureError::Malformed(_) => "IncompleteSignature",
        _ => "SignatureDoesNotMatch",
    };
    Fault::client(code, error.to_string()).with_status(403)
}

fn fail(service: Service, fault: &Fault, id: &str) -> Response<Body> {
    let (content_type, body) = service.failure(fault, id);
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = respond(status, content_type, Body::from(body));
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(fault.code));
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-amzn-requestid"), value);
    }
    response
}

fn respond(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Makes the id of a request in AWS's form.
fn request_id() -> String {
    let mut random = [0_u8; 16];
    // An id of zeros is as good for a log of one machine.
    let _ = getrandom::fill(&mut random);
    let digits = hex::encode(random);
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}
