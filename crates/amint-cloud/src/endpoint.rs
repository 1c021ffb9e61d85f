//! The endpoint over HTTP.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::net::TcpListener;

use crate::chaos::{Chaos, MishapKind};
use crate::dispatch::{Answered, Received, Task, respond};
use crate::operations::{Call, Caller};
use crate::principals::{self, Principal};
use crate::protocol::{Credential, Fault, Payload, SignatureError, SignedRequest};
use crate::service::Protocol;
use crate::trail::{Event, Happening, Told};
use crate::world::World;
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
    chaos: Chaos,
}

impl Endpoint {
    /// Makes the endpoint of a world.
    pub fn new(world: Arc<World>, options: EndpointOptions) -> Self {
        let chaos = Chaos::new(world.options.chaos.clone());
        Self(Arc::new(Shared { world, options, chaos }))
    }

    /// Answers connections until the future is dropped.
    ///
    /// # Errors
    /// Fails when connections cannot be taken any more.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        axum::serve(listener, Router::new().fallback(handle).with_state(self)).await
    }
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
    let Ok((answer, latency)) = answer else { return fail(service, &Fault::internal(), &id) };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    answer
}

/// A call that is written down.
struct Recorded<'a> {
    service: Service,
    region: &'a str,
    caller: &'a Caller,
    task: &'a Task,
    received: &'a Received,
    id: &'a str,
}

impl Endpoint {
    /// Answers a request; tells for how long the answer is to be held back.
    fn answer(&self, received: &Received, id: &str) -> (Response<Body>, Duration) {
        let (credential, caller) = match self.believe(received) {
            Ok(believed) => believed,
            Err((service, fault)) => return (fail(service, &fault, id), Duration::ZERO),
        };
        let Some(service) = Service::of_scope(&credential.service) else {
            let message = format!("The service {} is not served here", credential.service);
            let fault = Fault::client("InvalidAction", message);
            return (fail(Service::Ec2, &fault, id), Duration::ZERO);
        };
        let task = match Task::of(service, received) {
            Ok(task) => task,
            Err(fault) => return (fail(service, &fault, id), Duration::ZERO),
        };
        let mishap = self.0.chaos.next(task.name());
        let run = || self.run(service, &credential.region, &caller, &task, received, id);
        let answer = match mishap.kind {
            MishapKind::Throttled => Err(service.throttled()),
            MishapKind::Before => Err(service.broken()),
            MishapKind::None => run(),
            MishapKind::After => run().and_then(|_| Err(service.broken())),
        };
        let region = credential.region.as_str();
        self.record(&Recorded { service, region, caller: &caller, task: &task, received, id }, &answer);
        let response = match answer {
            Ok(Answered { mut response, .. }) => {
                if let Ok(value) = HeaderValue::from_str(id) {
                    response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), value);
                }
                response
            }
            Err(fault) => fail(service, &fault, id),
        };
        (response, mishap.latency)
    }

    /// Writes down what was called, and what came of it.
    fn record(&self, call: &Recorded<'_>, answer: &Result<Answered, Fault>) {
        if Event::is_left_out(call.service, call.task.name()) {
            return;
        }
        let asked = call.task.asked(call.received);
        let happening = Happening {
            service: call.service,
            operation: call.task.name(),
            region: call.region,
            caller: call.caller,
            time: self.0.world.clock().now(),
            request_id: call.id,
            user_agent: call.received.header("user-agent").unwrap_or_default(),
            asked: match (call.task, &asked) {
                (Task::Query(_, params), _) => Told::Params(params),
                (_, Some(document)) => Told::Document(document),
                (_, None) => Told::Nothing,
            },
            told: answer.as_ref().map(|answered| answered.told.as_told()),
        };
        if let Some(event) = Event::new(&happening, &request_id()) {
            self.0.world.trail.take(event);
        }
    }

    /// Does what a request asks for.
    fn run(
        &self,
        service: Service,
        region: &str,
        caller: &Caller,
        task: &Task,
        received: &Received,
        id: &str,
    ) -> Result<Answered, Fault> {
        let world = &self.0.world;
        let now = world.clock().now();
        // A block that is sent has nothing to do with images of the store, and there may be a thousand in a second.
        if received.method != Method::PUT {
            world.look_at_store()?;
            world.forget_what_is_over(now)?;
        }
        if service == Service::Ec2 {
            world.forget_the_gone();
            world.prepare(&caller.account, region)?;
        }
        let call = Call { world, caller, region, now, operation: "", is_dry: false };
        task.run(service, &call, received, id)
    }

    /// Reads region and service from the signature, and verifies it: tells who asks.
    fn believe(&self, received: &Received) -> Result<(Credential, Caller), (Service, Fault)> {
        let credential = Credential::of(&received.headers)
            .map_err(|error| (Service::Ec2, refuse(Service::Ec2, &error)))?;
        let service = Service::of_scope(&credential.service).unwrap_or(Service::Ec2);
        let now = self.0.world.clock().now();
        let EndpointOptions { key, is_open } = &self.0.options;
        let (caller, secret) = match principals::find(&self.0.world, key, &credential.access_key_id) {
            Some(Principal { caller, secret, session }) => {
                if let Some(session) = session {
                    let token = received.header("x-amz-security-token");
                    principals::check_session(service, &session, token, now)
                        .map_err(|fault| (service, fault))?;
                }
                (caller, secret)
            }
            None if *is_open => {
                return Ok((credential.clone(), principals::presumed(&credential.access_key_id)));
            }
            None => return Err((service, principals::unknown(service))),
        };
        if !*is_open {
            let request = SignedRequest {
                method: received.method.as_str(),
                path: &received.path,
                query: &received.query,
                headers: &received.headers,
                payload: Payload::Bytes(&received.body),
            };
            request.verify(&secret, now).map_err(|error| (service, refuse(service, &error)))?;
        }
        Ok((credential, caller))
    }
}

/// Refuses a signature in the words of a service: those of JSON have their own.
fn refuse(service: Service, error: &SignatureError) -> Fault {
    let is_json = matches!(service.protocol(), Protocol::Json | Protocol::Rest);
    let code = match error {
        SignatureError::Missing if is_json => "MissingAuthenticationTokenException",
        SignatureError::Missing => "MissingAuthenticationToken",
        SignatureError::Malformed(_) if is_json => "IncompleteSignatureException",
        SignatureError::Malformed(_) => "IncompleteSignature",
        _ if is_json => "InvalidSignatureException",
        SignatureError::Expired(_) => "RequestExpired",
        _ => "SignatureDoesNotMatch",
    };
    let status = if service.protocol() == Protocol::Json { 400 } else { 403 };
    Fault::client(code, error.to_string()).with_status(status)
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

/// Makes the id of a request in AWS's form.
fn request_id() -> String {
    let mut random = [0_u8; 16];
    // An id of zeros is as good for a log of one machine.
    let _ = getrandom::fill(&mut random);
    let digits = hex::encode(random);
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}
