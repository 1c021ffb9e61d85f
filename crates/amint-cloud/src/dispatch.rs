//! From a request to the operation that answers it.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use serde_json::Value;

use crate::Service;
use crate::operations::{
    Call, EbsAnswer, EbsRequest, JsonOperation, Operation, RbinRequest, answer_ebs, answer_rbin, dry_run,
    ebs_name, find, find_json, find_rest, is_reading, rbin_name,
};
use crate::protocol::{Element, Fault, Params};
use crate::service::Protocol;
use crate::trail::Told;

/// A request whose body is here.
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    /// Returns a header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer, and what a record of the call tells of it.
pub(crate) struct Answered {
    pub(crate) response: Response<Body>,
    pub(crate) told: Content,
}

/// What was told.
pub(crate) enum Content {
    Nothing,
    Elements(Element),
    Document(Value),
}

impl Content {
    pub(crate) fn as_told(&self) -> Told<'_> {
        match self {
            Self::Nothing => Told::Nothing,
            Self::Elements(element) => Told::Elements(element),
            Self::Document(document) => Told::Document(document),
        }
    }
}

/// What a request asks for.
pub(crate) enum Task {
    /// An operation of a Query protocol.
    Query(&'static Operation, Params),
    /// An operation that takes and gives a document.
    Json(&'static JsonOperation, Vec<u8>),
    /// An operation of the EBS direct APIs.
    Ebs(&'static str),
    /// An operation of the recycle bin.
    Rbin(&'static str),
}

impl Task {
    /// Finds the operation of a request.
    pub(crate) fn of(service: Service, received: &Received) -> Result<Self, Fault> {
        let (method, path) = (received.method.as_str(), received.path.as_str());
        match (service, service.protocol()) {
            (Service::Ebs, _) => {
                ebs_name(method, path).map(Self::Ebs).ok_or_else(|| service.unknown_operation(path))
            }
            (Service::Rbin, _) => {
                rbin_name(method, path).map(Self::Rbin).ok_or_else(|| service.unknown_operation(path))
            }
            (_, Protocol::Rest) => {
                let found = find_rest(service, method, path, &received.query, &received.body);
                let (operation, body) = found.ok_or_else(|| service.unknown_operation(path))?;
                Ok(Self::Json(operation, body))
            }
            (_, Protocol::Json) => {
                let target = received.header("x-amz-target").unwrap_or_default();
                let name = service.operation_of_target(target).unwrap_or_default();
                let operation = find_json(service, name).ok_or_else(|| service.unknown_operation(name))?;
                Ok(Self::Json(operation, received.body.to_vec()))
            }
            (_, Protocol::Ec2 | Protocol::Query) => Self::of_query(service, received),
        }
    }

    fn of_query(service: Service, received: &Received) -> Result<Self, Fault> {
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
        let operation = operation.ok_or_else(|| service.unknown_operation(action))?;
        Ok(Self::Query(operation, params))
    }

    /// Returns the operation's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Query(operation, _) => operation.name,
            Self::Json(operation, _) => operation.name,
            Self::Ebs(name) | Self::Rbin(name) => name,
        }
    }

    /// Returns what it is asked with, for the record of the call.
    pub(crate) fn asked(&self, received: &Received) -> Option<Value> {
        match self {
            Self::Query(..) => None,
            Self::Json(_, body) => Some(serde_json::from_slice(body).unwrap_or_default()),
            Self::Ebs(_) | Self::Rbin(_) => {
                let mut asked: Value = serde_json::from_slice(&received.body).unwrap_or_default();
                if asked.is_null() {
                    asked = serde_json::json!({});
                }
                let parts: Vec<&str> = received.path.trim_matches('/').split('/').collect();
                match parts[..] {
                    ["snapshots", "completion", id] => asked["SnapshotId"] = id.into(),
                    ["rules", id, ..] => asked["Identifier"] = id.into(),
                    _ => {}
                }
                Some(asked)
            }
        }
    }

    /// Does it.
    pub(crate) fn run(
        &self,
        service: Service,
        call: &Call<'_>,
        received: &Received,
        id: &str,
    ) -> Result<Answered, Fault> {
        match self {
            Self::Query(operation, params) => query(service, operation, call, params, id),
            Self::Json(operation, body) => {
                let call = Call { operation: operation.name, ..*call };
                let answer = (operation.run)(&call, body)?;
                let kind = match service.protocol() {
                    Protocol::Json => "application/x-amz-json-1.1",
                    _ => "application/json",
                };
                let response = respond(StatusCode::OK, kind, Body::from(answer.to_string()));
                Ok(Answered { response, told: Content::Document(answer) })
            }
            Self::Ebs(_) => ebs(call, received),
            Self::Rbin(_) => recycle_bin(call, received),
        }
    }
}

/// Answers a request of a Query protocol.
fn query(
    service: Service,
    operation: &'static Operation,
    call: &Call<'_>,
    params: &Params,
    id: &str,
) -> Result<Answered, Fault> {
    let is_dry = service == Service::Ec2 && params.boolean("DryRun")?.unwrap_or(false);
    let call = Call { operation: operation.name, is_dry, ..*call };
    let answer = (operation.run)(&call, params)?;
    params.finish()?;
    if is_dry {
        return Err(dry_run());
    }
    // What only tells something is long, and not written down.
    let told = if is_reading(operation.name) { Content::Nothing } else { Content::Elements(answer.clone()) };
    let document = service.success(operation.root, operation.result, answer, id);
    let response = respond(StatusCode::OK, "text/xml;charset=UTF-8", Body::from(document));
    Ok(Answered { response, told })
}

/// Answers a request of the EBS direct APIs.
fn ebs(call: &Call<'_>, received: &Received) -> Result<Answered, Fault> {
    let request = EbsRequest {
        method: received.method.as_str(),
        path: &received.path,
        query: &received.query,
        headers: &received.headers,
        body: &received.body,
        now: call.now.as_second(),
    };
    let mut told = Content::Nothing;
    let response = match answer_ebs(call, &request)? {
        EbsAnswer::Json(document) => {
            respond(StatusCode::OK, "application/json", Body::from(document.to_string()))
        }
        EbsAnswer::Accepted(status, document) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let response = respond(status, "application/json", Body::from(document.to_string()));
            told = Content::Document(document);
            response
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
    };
    Ok(Answered { response, told })
}

/// Answers a request of the recycle bin.
fn recycle_bin(call: &Call<'_>, received: &Received) -> Result<Answered, Fault> {
    let request = RbinRequest {
        method: received.method.as_str(),
        path: &received.path,
        query: &received.query,
        body: &received.body,
    };
    let (status, document) = answer_rbin(call, &request)?;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let body = document.as_ref().map_or_else(Body::empty, |document| Body::from(document.to_string()));
    let told = document.map_or(Content::Nothing, Content::Document);
    Ok(Answered { response: respond(status, "application/json", body), told })
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

/// Makes a response.
pub(crate) fn respond(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
