//! No bytes make the readers panic, and none but the genuine ones are accepted.

use amint_identity::{Certificates, Document, Expect, Form, verify};
use proptest::prelude::*;

use crate::support::*;

fn mutated(bytes: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6);
    edits.prop_map(move |edits| {
        let mut bytes = bytes.to_vec();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len().max(1));
            match kind {
                0 if at < bytes.len() => bytes[at] = byte,
                1 => bytes.insert(at.min(bytes.len()), byte),
                _ => bytes.truncate(at.max(1)),
            }
        }
        bytes
    })
}

fn message() -> &'static [u8] {
    static MESSAGE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    MESSAGE.get_or_init(|| decode(C_RSA2048))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_messages_are_refused(bytes in mutated(message())) {
        prop_assume!(bytes != message());
        prop_assert!(verify(C_DOCUMENT, &bytes, &Expect::new().forms(Form::ALL)).is_err());
    }

    #[test]
    fn mutated_documents_are_refused(bytes in mutated(C_DOCUMENT)) {
        prop_assume!(bytes != C_DOCUMENT);
        let _ = Document::parse_unverified(&bytes);
        prop_assert!(verify(&bytes, C_RSA2048, &Expect::new()).is_err());
    }

    #[test]
    fn mutated_lists_of_certificates_do_not_panic(bytes in mutated(include_bytes!("../data/a-dsa-us-east-1-2016.cert.pem"))) {
        if let Ok(text) = str::from_utf8(&bytes) {
            let list = format!("[pkcs7 us-east-1]\n{text}");
            if let Ok(certificates) = Certificates::parse(&list) {
                let _ = certificates.iter().count();
                let expect = Expect::new().forms([Form::Pkcs7]).certificates(certificates);
                let _ = verify(A_DOCUMENT, A_PKCS7, &expect);
            }
        }
    }
}
