//! What a product may expect of a genuine document.

use std::time::Duration;

use amint_identity::{Expect, Form, Refusal, verify};

use crate::support::*;

fn check(expect: &Expect) -> Result<(), Refusal> {
    verify(LOCAL_DOCUMENT, &sign(Form::Rsa2048, LOCAL_DOCUMENT), expect).map(|_| ())
}

const CODE: &str = "4uq8ze3nldxj14h5ab12cd34e";

#[test]
fn all_that_the_document_says_may_be_expected() {
    let expect = local()
        .product_code("abc")
        .product_code(CODE)
        .any_product_code(["zzz", "abc"])
        .account("123456789012")
        .region("eu-west-1")
        .images(["ami-1", "ami-0abcdef0123456789"])
        .instance("i-0123456789abcdef0")
        .private_ip(["192.0.2.15".parse().unwrap()])
        .architecture("x86_64")
        .pending_within(Duration::from_secs(1));
    check(&expect).unwrap();
}

#[test]
fn each_difference_has_a_reason_of_its_own() {
    let none: [&str; 0] = [];
    let cases = [
        (local().product_code("zzz"), "product-code"),
        (local().all_product_codes(["abc", "zzz"]), "product-code"),
        (local().any_product_code(["x", "ab"]), "product-code"),
        (local().any_product_code(none), "product-code"),
        (local().product_code(""), "product-code"),
        (local().account("123456789013"), "account"),
        (local().region("eu-west-2"), "region"),
        (local().images(["ami-1"]), "image"),
        (local().images(none), "image"),
        (local().instance("i-1"), "instance"),
        (local().private_ip(["192.0.2.16".parse().unwrap()]), "private-ip"),
        (local().private_ip_of_this_machine(), "private-ip"),
        (local().architecture("arm64"), "architecture"),
    ];
    for (expect, name) in cases {
        assert_eq!(check(&expect).unwrap_err().name(), name);
    }
}

#[test]
fn a_document_without_codes_is_refused_where_one_is_expected() {
    let refusal = verify(C_DOCUMENT, C_RSA2048, &Expect::new().product_code("abc")).unwrap_err();
    assert_eq!(refusal, Refusal::ProductCode { found: Vec::new(), expected: vec!["abc".to_owned()] });
}

#[test]
fn age_counts_only_where_told_to() {
    let later = |seconds| local().at(pending() + Duration::from_secs(seconds));
    let minute = Duration::from_mins(1);
    check(&later(10_000_000)).unwrap();
    check(&later(60).pending_within(minute)).unwrap();
    let stale = Refusal::Stale { age_seconds: 61, age_seconds_max: 60 };
    assert_eq!(check(&later(61).pending_within(minute)), Err(stale));
    let earlier = |seconds| local().at(pending() - Duration::from_secs(seconds)).pending_within(minute);
    check(&earlier(300)).unwrap();
    assert_eq!(check(&earlier(301)), Err(Refusal::FromFuture { ahead_seconds: 301 }));
}

#[test]
fn expiry_of_a_certificate_is_told_and_counts_only_where_told_to() {
    let expect = local().at(pending() + Duration::from_hours(21 * 365 * 24));
    let verified = verify(LOCAL_DOCUMENT, &sign(Form::Pkcs7, LOCAL_DOCUMENT), &expect).unwrap();
    assert!(verified.is_certificate_expired);
    assert_eq!(check(&expect.refuse_expired_certificate()).unwrap_err().name(), "certificate-expired");
    assert!(check(&local().refuse_expired_certificate()).is_ok());
}

#[test]
fn what_is_expected_is_compared_after_the_signature() {
    let text = str::from_utf8(LOCAL_DOCUMENT).unwrap().replace("abc", "xyz");
    let forged =
        verify(text.as_bytes(), &sign(Form::Signature, LOCAL_DOCUMENT), &local().product_code("xyz"));
    assert_eq!(forged, Err(Refusal::SignatureWrong));
}
