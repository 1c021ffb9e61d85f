//! Why there is no proof.

use std::io;

use crate::refusal::Refusal;

/// Why there is no proof: the document was refused, or could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The document was read, and refused.
    #[error("the document was refused: {}", .0.name())]
    Refused(#[source] Refusal),
    /// Nothing answers at the service's address: this is no EC2 instance, or its network does not reach the service.
    #[error("no metadata service answers at {endpoint}: not on EC2")]
    NotOnEc2 {
        /// The address that was asked.
        endpoint: String,
        /// What the last attempt ended with.
        #[source]
        source: io::Error,
    },
    /// The service takes connections, but its answer with the token never comes: as when there are more hops between
    /// than the instance's hop limit allows, in a container with a network of its own.
    #[error(
        "the metadata service at {endpoint} takes the request for a token but its answer never comes: the hop limit is too low"
    )]
    HopLimit {
        /// The address that was asked.
        endpoint: String,
    },
    /// The service is switched off for this instance, or a proxy is between.
    #[error("the metadata service refuses to give a token (403): it is switched off, or a proxy is between")]
    Forbidden,
    /// The service answers, but not as EC2's does: something else listens there, or it knows the first version only.
    #[error("the service at {endpoint} answers `{path}` with {status}, which EC2's does not")]
    UnexpectedStatus {
        /// The address that was asked.
        endpoint: String,
        /// The path that was asked for.
        path: String,
        /// The status.
        status: u16,
    },
    /// The service is there, but the connection broke or its answer is no HTTP.
    #[error("`{path}` cannot be read from the metadata service")]
    Read {
        /// The path that was asked for.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The address of the service, from the environment or the caller, has the wrong form.
    #[error(
        "`{text}` is no address of a metadata service: expected `http://HOST[:PORT]`, or IPv4 or IPv6 as the mode"
    )]
    Endpoint {
        /// The text.
        text: String,
    },
}

impl ProofError {
    /// Returns a name that never changes: that of the [`Refusal`], or `not-on-ec2`, `hop-limit`, `forbidden`,
    /// `unexpected-status`, `read`, `endpoint`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.name(),
            Self::NotOnEc2 { .. } => "not-on-ec2",
            Self::HopLimit { .. } => "hop-limit",
            Self::Forbidden => "forbidden",
            Self::UnexpectedStatus { .. } => "unexpected-status",
            Self::Read { .. } => "read",
            Self::Endpoint { .. } => "endpoint",
        }
    }

    /// Returns what to try, where something can be tried.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => Some(refusal.explanation()),
            Self::HopLimit { .. } => Some(
                "raise the hop limit to 2 (`aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2`), \
                 or use the host's network",
            ),
            Self::Forbidden => Some(
                "switch the service on: `aws ec2 modify-instance-metadata-options --http-endpoint enabled`",
            ),
            Self::NotOnEc2 { .. } => {
                Some("on an instance with IPv6 only, set AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6")
            }
            _ => None,
        }
    }
}
