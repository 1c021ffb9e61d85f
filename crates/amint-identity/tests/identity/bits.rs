//! Every single bit counts.

use amint_identity::{Expect, Form, verify};

use crate::support::*;

/// Flips each bit of `bytes` in turn, and expects a refusal each time.
fn refuses_every_flip(bytes: &[u8], accepts: impl Fn(&[u8]) -> bool) {
    assert!(accepts(bytes));
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            assert!(!accepts(&bytes), "bit {bit} of byte {at} does not count");
            bytes[at] ^= 1 << bit;
        }
    }
}

#[test]
fn every_bit_of_the_documents_counts() {
    refuses_every_flip(C_DOCUMENT, |document| verify(document, C_RSA2048, &Expect::new()).is_ok());
    let expect = Expect::new().forms([Form::Pkcs7]);
    refuses_every_flip(A_DOCUMENT, |document| verify(document, A_PKCS7, &expect).is_ok());
    let (signature, expect) = (sign(Form::Signature, LOCAL_DOCUMENT), local());
    refuses_every_flip(LOCAL_DOCUMENT, |document| verify(document, &signature, &expect).is_ok());
}

#[test]
fn every_bit_of_the_signatures_text_counts() {
    refuses_every_flip(C_RSA2048, |signature| verify(C_DOCUMENT, signature, &Expect::new()).is_ok());
    let expect = Expect::new().forms([Form::Pkcs7]);
    refuses_every_flip(A_PKCS7, |signature| verify(A_DOCUMENT, signature, &expect).is_ok());
    let (signature, expect) = (sign(Form::Signature, LOCAL_DOCUMENT), local());
    refuses_every_flip(&signature, |signature| verify(LOCAL_DOCUMENT, signature, &expect).is_ok());
}

#[test]
fn every_bit_of_the_plain_messages_counts() {
    refuses_every_flip(&decode(C_RSA2048), |message| verify(C_DOCUMENT, message, &Expect::new()).is_ok());
    let expect = Expect::new().forms([Form::Pkcs7]);
    refuses_every_flip(&decode(A_PKCS7), |message| verify(A_DOCUMENT, message, &expect).is_ok());
}

#[test]
fn every_bit_of_the_document_counts_when_the_message_is_changed_alike() {
    for (document, message, form) in
        [(C_DOCUMENT, decode(C_RSA2048), Form::Rsa2048), (A_DOCUMENT, decode(A_PKCS7), Form::Pkcs7)]
    {
        let expect = Expect::new().forms([form]);
        let at = message.windows(document.len()).position(|window| window == document).unwrap();
        refuses_every_flip(document, |document| {
            let mut message = message.clone();
            message[at..at + document.len()].copy_from_slice(document);
            verify(document, &message, &expect).is_ok()
        });
    }
}
