//! Signature Version 4, verified (AWS General Reference, "Signature Version 4 signing process").
//!
//! A request names its region and service in the scope of its credential; that is how one port serves all of them.
//! Requests signed in the query (presigned URLs) and Signature Version 4A are not understood.

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How far the clocks of client and server may differ.
pub const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What may stand in a path or a query as it is (RFC 3986, section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// The most headers that a signature may cover.
const HEADER_COUNT_MAX: usize = 100;

/// Why a request is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no `Authorization`, or it is of another kind.
    #[error("the request is not signed")]
    Missing,
    /// The `Authorization` is not as it should be.
    #[error("the authorization cannot be understood: {0}")]
    Malformed(&'static str),
    /// The clocks differ, or the request is old.
    #[error("the request was signed at {0}, which is too far from now")]
    Expired(String),
    /// The body is not what was signed.
    #[error("the body is not what the signature covers")]
    Body,
    /// The signature is of another key or another request.
    #[error("the signature does not match")]
    Mismatch,
}

/// Who signed, and for which region and service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The access key id.
    pub access_key_id: String,
    /// The day, `20261126`.
    pub date: String,
    /// The region.
    pub region: String,
    /// The service.
    pub service: String,
}

impl Credential {
    /// Reads the credential of a request without believing it.
    ///
    /// # Errors
    /// Fails when there is none, or when it is not in the form of Signature Version 4.
    pub fn of(headers: &HeaderMap) -> Result<Self, SignatureError> {
        Ok(Authorization::of(headers)?.credential)
    }
}

/// What of the body a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// These bytes, whatever the headers say.
    Bytes(&'a [u8]),
    /// Their SHA-256, computed while they were read.
    Digest([u8; 32]),
}

/// A request, as far as its signature covers it.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path as it was sent.
    pub path: &'a str,
    /// The query as it was sent, without `?`.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub payload: Payload<'a>,
}

struct Authorization {
    credential: Credential,
    signed_headers: Vec<String>,
    signature: Vec<u8>,
}

impl Authorization {
    fn of(headers: &HeaderMap) -> Result<Self, SignatureError> {
        let value = headers.get("authorization").ok_or(SignatureError::Missing)?;
        let value = value.to_str().map_err(|_| SignatureError::Malformed("it is no text"))?;
        let fields = value.strip_prefix(ALGORITHM).ok_or(SignatureError::Missing)?;
        let field = |name: &str| {
            fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let scope = field("Credential").ok_or(SignatureError::Malformed("no Credential"))?;
        let parts: Vec<&str> = scope.split('/').collect();
        let [access_key_id, date, region, service, "aws4_request"] = parts[..] else {
            return Err(SignatureError::Malformed("the scope is not KEY/DATE/REGION/SERVICE/aws4_request"));
        };
        let names = field("SignedHeaders").ok_or(SignatureError::Malformed("no SignedHeaders"))?;
        let signed_headers: Vec<String> = names.split(';').map(str::to_owned).collect();
        if signed_headers.len() > HEADER_COUNT_MAX || !signed_headers.iter().any(|name| name == "host") {
            return Err(SignatureError::Malformed("the host is not signed"));
        }
        let signature = field("Signature").ok_or(SignatureError::Malformed("no Signature"))?;
        let signature =
            hex::decode(signature).map_err(|_| SignatureError::Malformed("the signature is no hex"))?;
        let credential = Credential {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        };
        Ok(Self { credential, signed_headers, signature })
    }
}

impl SignedRequest<'_> {
    /// Verifies the signature with the secret of the key that the credential names.
    ///
    /// # Errors
    /// Fails when the signature is not of that key, does not cover what was sent, or is too old.
    pub fn verify(&self, secret: &str, now: Timestamp) -> Result<Credential, SignatureError> {
        let authorization = Authorization::of(self.headers)?;
        let time = self.header("x-amz-date").ok_or(SignatureError::Malformed("no X-Amz-Date"))?;
        let moment = parse_time(&time).ok_or(SignatureError::Malformed("X-Amz-Date is no time"))?;
        if moment.duration_since(now).abs() > MAX_CLOCK_SKEW {
            return Err(SignatureError::Expired(time));
        }
        if !time.starts_with(&authorization.credential.date) {
            return Err(SignatureError::Malformed("the scope is of another day"));
        }
        let canonical = self.canonical(&authorization.signed_headers)?;
        let Credential { date, region, service, .. } = &authorization.credential;
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let text = format!("{ALGORITHM}\n{time}\n{scope}\n{digest}");
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [date.as_str(), region, service, "aws4_request"] {
            key = hmac(&key, part.as_bytes());
        }
        let expected = hmac(&key, text.as_bytes());
        if bool::from(expected.ct_eq(&authorization.signature)) {
            Ok(authorization.credential)
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    fn canonical(&self, signed_headers: &[String]) -> Result<String, SignatureError> {
        let mut canonical =
            format!("{}\n{}\n{}\n", self.method, canonical_path(self.path), canonical_query(self.query));
        for name in signed_headers {
            let value = self.header(name).ok_or(SignatureError::Malformed("a signed header is missing"))?;
            canonical.push_str(name);
            canonical.push(':');
            canonical.push_str(&value);
            canonical.push('\n');
        }
        canonical.push('\n');
        canonical.push_str(&signed_headers.join(";"));
        canonical.push('\n');
        canonical.push_str(&self.payload_hash()?);
        Ok(canonical)
    }

    /// Returns a header's value with its spaces as the signature counts them; several are joined.
    fn header(&self, name: &str) -> Option<String> {
        let values: Vec<String> = self
            .headers
            .get_all(name)
            .iter()
            .map(|value| {
                let text = String::from_utf8_lossy(value.as_bytes());
                text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    fn payload_hash(&self) -> Result<String, SignatureError> {
        let actual = || match self.payload {
            Payload::Bytes(bytes) => hex::encode(Sha256::digest(bytes)),
            Payload::Digest(digest) => hex::encode(digest),
        };
        match self.header("x-amz-content-sha256") {
            None => Ok(actual()),
            Some(stated) if stated == UNSIGNED => Ok(stated),
            Some(stated) if stated == actual() => Ok(stated),
            Some(_) => Err(SignatureError::Body),
        }
    }
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length (RFC 2104)");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn parse_time(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

/// Encodes a path once more, as every service but S3 wants it.
fn canonical_path(path: &str) -> String {
    if path.is_empty() {
        return "/".to_owned();
    }
    path.split('/')
        .map(|part| utf8_percent_encode(part, UNRESERVED).to_string())
        .collect::<Vec<_>>()
        .join("/")
}

fn canonical_query(query: &str) -> String {
    let encoded = |text: &str| {
        let plain: Vec<u8> = percent_decode_str(text).collect();
        percent_encoding::percent_encode(&plain, UNRESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encoded(name), encoded(value))
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    /// The example of the AWS General Reference, "Examples of how to derive a signing key and calculate a signature".
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn headers(signature: &str) -> HeaderMap {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
        );
        let pairs = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ];
        pairs
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    const SIGNATURE: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

    fn verify(
        headers: &HeaderMap,
        query: &str,
        body: &[u8],
        now: &str,
    ) -> Result<Credential, SignatureError> {
        let request =
            SignedRequest { method: "GET", path: "/", query, headers, payload: Payload::Bytes(body) };
        request.verify(SECRET, now.parse().unwrap())
    }

    #[test]
    fn the_example_of_the_reference_is_true() {
        let credential =
            verify(&headers(SIGNATURE), "Action=ListUsers&Version=2010-05-08", b"", "2015-08-30T12:38:00Z")
                .unwrap();
        assert_eq!((credential.region.as_str(), credential.service.as_str()), ("us-east-1", "iam"));
    }

    #[test]
    fn every_part_of_the_request_is_covered() {
        let query = "Version=2010-05-08&Action=ListUsers";
        let now = "2015-08-30T12:36:00Z";
        let good = headers(SIGNATURE);
        assert!(verify(&good, query, b"", now).is_ok(), "the order of the query does not count");
        assert_eq!(
            verify(&good, "Action=ListRoles&Version=2010-05-08", b"", now),
            Err(SignatureError::Mismatch)
        );
        assert_eq!(verify(&good, query, b"x", now), Err(SignatureError::Mismatch));
        let mut other = good.clone();
        other.insert("host", HeaderValue::from_static("example.com"));
        assert_eq!(verify(&other, query, b"", now), Err(SignatureError::Mismatch));
        let mut other = good.clone();
        other.insert("x-amz-content-sha256", HeaderValue::from_static("00"));
        assert_eq!(verify(&other, query, b"", now), Err(SignatureError::Body));
        let mut other = good.clone();
        other.remove("content-type");
        assert!(matches!(verify(&other, query, b"", now), Err(SignatureError::Malformed(_))));
    }

    #[test]
    fn old_requests_are_refused() {
        let query = "Action=ListUsers&Version=2010-05-08";
        for now in ["2015-08-30T12:30:59Z", "2015-08-30T12:41:01Z"] {
            assert!(
                matches!(verify(&headers(SIGNATURE), query, b"", now), Err(SignatureError::Expired(_))),
                "{now}"
            );
        }
    }

    #[test]
    fn what_is_no_signature_is_told() {
        assert_eq!(Credential::of(&HeaderMap::new()), Err(SignatureError::Missing));
        for value in [
            "Basic x",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", HeaderValue::from_str(value).unwrap());
            assert!(Credential::of(&headers).is_err(), "{value}");
        }
    }
}
