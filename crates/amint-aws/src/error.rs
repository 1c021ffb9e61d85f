//! What went wrong, in the words of amint's engines.

use std::error::Error;

use amint_publish::calls::Call;
use amint_publish::{CloudError, CloudErrorClass};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

/// Turns an error of the SDK into one of ours.
pub(crate) fn cloud_error<E>(call: Call, region: &str, error: &SdkError<E, HttpResponse>) -> CloudError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).map(str::to_owned);
    let status = error.raw_response().map(|response| response.status().as_u16());
    let class = match error {
        SdkError::ServiceError(_) => class_of(code.as_deref().unwrap_or_default(), status),
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => CloudErrorClass::Transient,
        // A metadata service that does not answer is no reason to wait: there are no credentials.
        SdkError::DispatchFailure(_) if find::<CredentialsError>(error).is_some() => CloudErrorClass::Denied,
        // rustls tells it in an error that the connector passes on as text only.
        SdkError::DispatchFailure(_) if chain(error).contains("invalid peer certificate") => {
            CloudErrorClass::Invalid
        }
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
            CloudErrorClass::Transient
        }
        _ => CloudErrorClass::Invalid,
    };
    let told = error.as_service_error().and_then(ProvideErrorMetadata::message);
    CloudError {
        operation: call.action,
        region: region.to_owned(),
        class,
        code,
        message: told.map_or_else(|| chain(error), str::to_owned),
        request_id: error.request_id().map(str::to_owned),
    }
}

/// Makes an error of an answer that cannot be right.
pub(crate) fn odd_answer(call: Call, region: &str, message: impl Into<String>) -> CloudError {
    CloudError {
        operation: call.action,
        region: region.to_owned(),
        class: CloudErrorClass::Transient,
        code: None,
        message: message.into(),
        request_id: None,
    }
}

/// Tells what a service's code asks for ("Error codes for the Amazon EC2 API"; "EBS direct APIs", Common errors).
fn class_of(code: &str, status: Option<u16>) -> CloudErrorClass {
    match code {
        "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "SlowDown"
        | "ConcurrentLimitExceededException"
        | "ConcurrentSnapshotLimitExceeded"
        | "EC2ThrottledException" => CloudErrorClass::Throttled,
        "InternalError"
        | "InternalFailure"
        | "InternalServerException"
        | "Unavailable"
        | "ServiceUnavailable"
        | "RequestTimeout"
        | "RequestTimeoutException" => CloudErrorClass::Transient,
        "ResourceNotFoundException"
        | "InvalidAMIID.Unavailable"
        | "ParameterNotFound"
        | "InvalidResourceId"
        | "NoSuchEntity"
        | "NotFoundException" => CloudErrorClass::NotFound,
        "InvalidAMIName.Duplicate"
        | "ConflictException"
        | "IdempotentParameterMismatch"
        | "EntityAlreadyExists"
        | "ParameterAlreadyExists"
        | "ResourceInUseException" => CloudErrorClass::Conflict,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "AuthFailure"
        | "Blocked"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "OptInRequired"
        | "PendingVerification"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => CloudErrorClass::Denied,
        code if code.ends_with(".NotFound") => CloudErrorClass::NotFound,
        _ => match status {
            Some(401 | 403) => CloudErrorClass::Denied,
            Some(429) => CloudErrorClass::Throttled,
            Some(500..) => CloudErrorClass::Transient,
            _ => CloudErrorClass::Invalid,
        },
    }
}

/// Looks for an error of a kind among the causes.
fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        current = error.source();
    }
    None
}

/// Writes an error with its causes, each once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut current = Some(error);
    while let Some(error) = current {
        let text = error.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        current = error.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_of_its_class() {
        let classes = [
            ("RequestLimitExceeded", 503, CloudErrorClass::Throttled),
            ("RequestThrottledException", 400, CloudErrorClass::Throttled),
            ("InternalServerException", 500, CloudErrorClass::Transient),
            ("SomethingNew", 502, CloudErrorClass::Transient),
            ("InvalidSnapshot.NotFound", 400, CloudErrorClass::NotFound),
            ("ResourceNotFoundException", 404, CloudErrorClass::NotFound),
            ("InvalidAMIName.Duplicate", 400, CloudErrorClass::Conflict),
            ("UnauthorizedOperation", 403, CloudErrorClass::Denied),
            ("ValidationException", 400, CloudErrorClass::Invalid),
            ("", 403, CloudErrorClass::Denied),
        ];
        for (code, status, class) in classes {
            assert_eq!(class_of(code, Some(status)), class, "{code}");
        }
    }
}
