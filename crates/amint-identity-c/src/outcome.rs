//! Verifying, and what comes of it.

use std::ffi::{c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

use amint_identity::imds::{Client, ProofError};
use amint_identity::{Refusal, Verified, verify};

use crate::expectation::Expectation;
use crate::text;

/// The document is genuine and what was expected. Refusals are the codes of [`Refusal::code`], 1 to 99.
pub const VERIFIED: c_int = 0;
/// No metadata service answers: not on EC2.
pub const NOT_ON_EC2: c_int = 100;
/// The answer of the metadata service is lost on its way: the hop limit is too low.
pub const HOP_LIMIT: c_int = 101;
/// The metadata service gives no token: it is switched off.
pub const FORBIDDEN: c_int = 102;
/// The metadata service cannot be read, or is none of EC2's.
pub const UNREADABLE: c_int = 103;
/// An argument is null, no UTF-8 or has the wrong form; or an earlier setting of the expectation failed.
pub const MISUSE: c_int = -1;
/// A defect of this library.
pub const FAILED: c_int = -2;

fn code_of(error: &ProofError) -> c_int {
    match error {
        ProofError::Refused(refusal) => refusal_code(refusal),
        ProofError::NotOnEc2 { .. } => NOT_ON_EC2,
        ProofError::HopLimit { .. } => HOP_LIMIT,
        ProofError::Forbidden => FORBIDDEN,
        ProofError::Endpoint { .. } => MISUSE,
        _ => UNREADABLE,
    }
}

fn refusal_code(refusal: &Refusal) -> c_int {
    c_int::try_from(refusal.code()).unwrap_or(FAILED)
}

fn told(verified: &Verified) -> (c_int, String) {
    (VERIFIED, verified.document.instance_id.clone())
}

/// Runs `work` and writes its text; a panic becomes [`FAILED`].
///
/// # Safety
///
/// As for [`text::write`].
unsafe fn answer(target: *mut c_char, capacity: usize, work: impl FnOnce() -> (c_int, String)) -> c_int {
    let (code, text) =
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| (FAILED, "failed: a defect".to_owned()));
    // SAFETY: the caller promises that `target` may be written.
    unsafe { text::write(&text, target, capacity) };
    code
}

/// Verifies a document; see the header.
///
/// # Safety
///
/// `document` and `signature` point to as many bytes as told, `expectation` comes from
/// [`amint_identity_expect_new`](crate::amint_identity_expect_new) and was not freed, and `message` is null or points to
/// `message_bytes` bytes that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn amint_identity_verify(
    document: *const u8,
    document_bytes: usize,
    signature: *const u8,
    signature_bytes: usize,
    expectation: *const Expectation,
    message: *mut c_char,
    message_bytes: usize,
) -> c_int {
    // SAFETY: the caller's promises are those of the functions called.
    unsafe {
        answer(message, message_bytes, || {
            let document = text::bytes(document, document_bytes);
            let signature = text::bytes(signature, signature_bytes);
            let expect = expectation.as_ref().and_then(Expectation::expect);
            let (Some(document), Some(signature), Some(expect)) = (document, signature, expect) else {
                return (
                    MISUSE,
                    "misuse: an argument is null, or an expectation could not be set".to_owned(),
                );
            };
            match verify(document, signature, expect) {
                Ok(verified) => told(&verified),
                Err(refusal) => (refusal_code(&refusal), format!("{}: {refusal}", refusal.name())),
            }
        })
    }
}

/// Fetches the document of this instance and verifies it; see the header.
///
/// # Safety
///
/// `endpoint` is null or a string that ends with a zero; the others are as for [`amint_identity_verify`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn amint_identity_prove(
    endpoint: *const c_char,
    expectation: *const Expectation,
    message: *mut c_char,
    message_bytes: usize,
) -> c_int {
    // SAFETY: the caller's promises are those of the functions called.
    unsafe {
        answer(message, message_bytes, || {
            let expect = expectation.as_ref().and_then(Expectation::expect);
            let client = match text::read(endpoint) {
                Some(endpoint) => Client::new(endpoint),
                None => Client::from_environment(),
            };
            let is_lost = !endpoint.is_null() && text::read(endpoint).is_none();
            let (Some(expect), false) = (expect, is_lost) else {
                return (
                    MISUSE,
                    "misuse: an argument is null, or an expectation could not be set".to_owned(),
                );
            };
            match client.and_then(|client| client.prove(expect)) {
                Ok(verified) => told(&verified),
                Err(ProofError::Refused(refusal)) => {
                    (refusal_code(&refusal), format!("{}: {refusal}", refusal.name()))
                }
                Err(error) => (code_of(&error), format!("{}: {error}", error.name())),
            }
        })
    }
}
