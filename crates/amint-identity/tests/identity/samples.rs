//! The two real documents, and documents signed locally.

use amint_identity::{Expect, Form, Origin, Refusal, verify};

use crate::support::*;

#[test]
fn verifies_the_real_document_of_2021() {
    for signature in [C_RSA2048.to_vec(), C_PEM.to_vec(), decode(C_RSA2048)] {
        let verified = verify(C_DOCUMENT, &signature, &Expect::new()).unwrap();
        assert_eq!(verified.form, Form::Rsa2048);
        assert_eq!(verified.certificate.serial, "B64BDE5AD00924CC");
        assert_eq!(verified.certificate.regions, ["us-west-2"]);
        assert_eq!(verified.certificate.key, ("rsa", 2048));
        assert_eq!(verified.certificate.origin, Origin::Embedded);
        assert_eq!(verified.document.account_id, "278576220453");
        assert!(!verified.is_certificate_expired);
    }
}

#[test]
fn verifies_the_real_document_of_2016_where_its_form_is_accepted() {
    assert_eq!(verify(A_DOCUMENT, A_PKCS7, &Expect::new()), Err(Refusal::WrongForm { found: Form::Pkcs7 }));
    let verified = verify(A_DOCUMENT, A_PKCS7, &Expect::new().forms([Form::Pkcs7])).unwrap();
    assert_eq!(verified.certificate.serial, "96BA48D9E55E1A67");
    assert_eq!(verified.certificate.key, ("dsa", 1024));
    assert!(verified.certificate.regions.contains(&"us-east-1".to_owned()));
}

#[test]
fn verifies_local_signatures_of_all_forms_and_only_where_told_to() {
    for form in Form::ALL {
        let signature = sign(form, LOCAL_DOCUMENT);
        let verified = verify(LOCAL_DOCUMENT, &signature, &local().forms([form])).unwrap();
        assert_eq!((verified.form, verified.certificate.origin), (form, Origin::Given));
        let refusal = verify(LOCAL_DOCUMENT, &signature, &Expect::new().forms(Form::ALL)).unwrap_err();
        assert!(matches!(refusal, Refusal::SignerUnknown { .. } | Refusal::SignatureWrong), "{refusal:?}");
    }
}

#[test]
fn forms_that_are_not_accepted_are_refused() {
    for form in Form::ALL {
        let others = Form::ALL.into_iter().filter(|other| *other != form);
        let refusal =
            verify(LOCAL_DOCUMENT, &sign(form, LOCAL_DOCUMENT), &local().forms(others)).unwrap_err();
        assert_eq!(refusal, Refusal::WrongForm { found: form });
    }
}

#[test]
fn keys_that_were_written_are_read_again() {
    let keys = keys();
    assert_eq!(keys.to_secret_text(), LOCAL_KEYS);
    assert_eq!(format!("{keys:?}"), "LocalKeys(***)");
}
