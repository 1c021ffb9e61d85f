//! What a caller expects, built up setting by setting.

use std::ffi::{c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use amint_identity::{Certificates, Expect, Form};

use crate::outcome::{FAILED, MISUSE};
use crate::text;

/// An expectation; opaque to C.
pub struct Expectation {
    /// `None` once a setting failed: an expectation with a hole must accept nothing.
    expect: Option<Expect>,
    any_codes: Vec<String>,
    images: Vec<String>,
    forms: Vec<Form>,
}

impl Expectation {
    pub(crate) fn expect(&self) -> Option<&Expect> {
        self.expect.as_ref()
    }
}

/// Makes an expectation that accepts the genuine document of any instance; to be freed with
/// [`amint_identity_expect_free`].
#[unsafe(no_mangle)]
pub extern "C" fn amint_identity_expect_new() -> *mut Expectation {
    let new = Expectation {
        expect: Some(Expect::new()),
        any_codes: Vec::new(),
        images: Vec::new(),
        forms: Vec::new(),
    };
    Box::into_raw(Box::new(new))
}

/// Frees an expectation; null is fine.
///
/// # Safety
///
/// `expectation` is null, or comes from [`amint_identity_expect_new`] and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn amint_identity_expect_free(expectation: *mut Expectation) {
    if !expectation.is_null() {
        // SAFETY: the caller promises that it came from a Box and is given back once.
        drop(unsafe { Box::from_raw(expectation) });
    }
}

/// Sets something by name; the names are those of the header.
///
/// # Safety
///
/// `expectation` comes from [`amint_identity_expect_new`] and was not freed; `name` and `value` are null or strings that
/// end with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn amint_identity_expect_set(
    expectation: *mut Expectation,
    name: *const c_char,
    value: *const c_char,
) -> c_int {
    // SAFETY: the caller promises a valid expectation that no other thread uses, and valid strings.
    let (expectation, name, value) = unsafe { (expectation.as_mut(), text::read(name), text::read(value)) };
    let Some(expectation) = expectation else { return MISUSE };
    let Some(expect) = expectation.expect.take() else { return MISUSE };
    let (Some(name), Some(value)) = (name, value) else { return MISUSE };
    let set = catch_unwind(AssertUnwindSafe(|| set(expectation, expect, name, value)));
    match set {
        Ok(Some(expect)) => {
            expectation.expect = Some(expect);
            0
        }
        Ok(None) => MISUSE,
        Err(_) => FAILED,
    }
}

/// Returns the expectation with one more setting; `None` where name or value are not understood.
fn set(lists: &mut Expectation, expect: Expect, name: &str, value: &str) -> Option<Expect> {
    if value.is_empty() {
        return None;
    }
    let expect = match name {
        "product-code" => expect.product_code(value),
        "any-product-code" => {
            lists.any_codes.push(value.to_owned());
            expect.any_product_code(&lists.any_codes)
        }
        "account" => expect.account(value),
        "region" => expect.region(value),
        "image" => {
            lists.images.push(value.to_owned());
            expect.images(&lists.images)
        }
        "instance" => expect.instance(value),
        "private-ip" if value == "own" => expect.private_ip_of_this_machine(),
        "private-ip" => expect.private_ip([value.parse().ok()?]),
        "architecture" => expect.architecture(value),
        "max-age-seconds" => expect.pending_within(Duration::from_secs(value.parse().ok()?)),
        "unexpired" if value == "yes" => expect.refuse_expired_certificate(),
        "form" => {
            lists.forms.push(value.parse().ok()?);
            expect.forms(lists.forms.iter().copied())
        }
        "certificates" => expect.certificates(Certificates::read(Path::new(value)).ok()?),
        "also-trust" => {
            let more = Certificates::read(Path::new(value)).ok()?;
            expect.certificates(Certificates::embedded().clone().and(more))
        }
        _ => return None,
    };
    Some(expect)
}
