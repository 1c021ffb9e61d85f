//! The key set.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use dsa::signature::hazmat::PrehashSigner;
use rsa::rand_core::{OsRng, RngCore};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BigUint, RsaPrivateKey};

use super::der;
use crate::armour::encode;
use crate::ber;
use crate::certificates::Certificates;
use crate::cms::{
    ALGORITHM_PROTECTION, CONTENT_TYPE, CONTEXT_0, CONTEXT_1, DATA, MESSAGE_DIGEST, SIGNED_DATA, SIGNING_TIME,
};
use crate::form::Form;
use crate::key::{DigestKind, PublicKey, oid};
use crate::time::to_utc_time;

/// 2.5.4.10, the name of an organisation.
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
const UTF8_STRING: u8 = 0x0c;
const NULL: [u8; 2] = [0x05, 0x00];
/// Certificates begin a day ago, as clocks differ, and last as EC2's do.
const DAY: Duration = Duration::from_hours(24);
const VALID_DAYS: u32 = 20 * 365;

/// Why local keys could not be made, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalKeysError {
    /// A key could not be made; the system has no randomness.
    #[error("a key cannot be made")]
    Make,
    /// The text is not what [`LocalKeys::to_secret_text`] wrote.
    #[error("the text holds no local keys")]
    Text,
    /// A document could not be signed, or a certificate not written.
    #[error("a local key cannot sign")]
    Sign,
}

/// A private key for each form.
///
/// ```
/// use std::time::SystemTime;
/// use amint_identity::local::LocalKeys;
/// use amint_identity::{Certificates, Expect, Form, verify};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = include_str!("../../tests/data/local-keys.txt");
/// # let document = include_str!("../../tests/data/local.document.json");
/// let keys = LocalKeys::from_secret_text(secret)?; // or LocalKeys::generate()
/// let signature = keys.sign(Form::Rsa2048, document.as_bytes(), SystemTime::now())?;
/// let certificates = Certificates::parse(&keys.certificates(&["eu-west-1"], SystemTime::now())?)?;
/// let expect = Expect::new().product_code("abc").certificates(certificates);
/// verify(document.as_bytes(), signature.as_bytes(), &expect)?;
/// // Without being told, nothing trusts such a key.
/// assert!(verify(document.as_bytes(), signature.as_bytes(), &Expect::new()).is_err());
/// # Ok(())
/// # }
/// ```
pub struct LocalKeys {
    rsa2048: RsaPrivateKey,
    rsa1024: RsaPrivateKey,
    dsa: dsa::SigningKey,
    /// Serial numbers of the certificates, in the order of [`Form::ALL`].
    serials: [u64; 3],
}

impl std::fmt::Debug for LocalKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LocalKeys(***)")
    }
}

/// Returns p, q and g of EC2's own DSA key: they are public, and making new ones takes long.
fn dsa_parameters() -> Option<dsa::Components> {
    Certificates::embedded().entries().iter().find_map(|entry| match entry.certificate.key() {
        Ok(PublicKey::Dsa(key)) => Some(key.components().clone()),
        _ => None,
    })
}

fn dsa_key(secret: BigUint) -> Option<dsa::SigningKey> {
    let parameters = dsa_parameters()?;
    let public = parameters.g().modpow(&secret, parameters.p());
    let key = dsa::VerifyingKey::from_components(parameters, public).ok()?;
    dsa::SigningKey::from_components(key, secret).ok()
}

impl LocalKeys {
    /// Makes new keys; takes a second or so.
    pub fn generate() -> Result<Self, LocalKeysError> {
        let rsa = |bits| RsaPrivateKey::new(&mut OsRng, bits).map_err(|_| LocalKeysError::Make);
        let (rsa2048, rsa1024) = (rsa(2048)?, rsa(1024)?);
        // 64 bits more than q has, so that the remainder is even enough (FIPS 186-4, B.1.1).
        let mut random = [0; 28];
        OsRng.try_fill_bytes(&mut random).map_err(|_| LocalKeysError::Make)?;
        let q = dsa_parameters().ok_or(LocalKeysError::Make)?.q().clone();
        let one = BigUint::from(1_u8);
        let secret = BigUint::from_bytes_be(&random) % (q - &one) + &one;
        let dsa = dsa_key(secret).ok_or(LocalKeysError::Make)?;
        // The first bit is left out, so that the number is positive, and the second set, so that it has 8 bytes.
        let serials = std::array::from_fn(|_| (OsRng.next_u64() >> 1) | (1 << 62));
        Ok(Self { rsa2048, rsa1024, dsa, serials })
    }

    /// Writes the private keys, to be kept in a file that nobody else can read.
    pub fn to_secret_text(&self) -> String {
        let mut text = "# amint-identity local keys, version 1: private, for tests\n".to_owned();
        for (name, key) in [("rsa2048", &self.rsa2048), ("rsa1024", &self.rsa1024)] {
            let numbers = [key.n(), key.e(), key.d()].into_iter().chain(key.primes());
            let _ = write!(text, "{name}");
            for number in numbers {
                let _ = write!(text, " {number:x}");
            }
            text.push('\n');
        }
        let _ = writeln!(text, "dsa {:x}", self.dsa.x());
        let [first, second, third] = self.serials;
        let _ = writeln!(text, "serials {first:x} {second:x} {third:x}");
        text
    }

    /// Reads what [`to_secret_text`](Self::to_secret_text) wrote.
    pub fn from_secret_text(text: &str) -> Result<Self, LocalKeysError> {
        let numbers = |name: &str| -> Result<Vec<BigUint>, LocalKeysError> {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            let words = line.ok_or(LocalKeysError::Text)?.split(' ');
            let parse = |word: &str| {
                if word.len() > 1024 { None } else { BigUint::parse_bytes(word.as_bytes(), 16) }
            };
            words.map(|word| parse(word).ok_or(LocalKeysError::Text)).collect()
        };
        let rsa = |name| {
            let mut numbers = numbers(name)?.into_iter();
            let mut next = || numbers.next().ok_or(LocalKeysError::Text);
            let (n, e, d) = (next()?, next()?, next()?);
            RsaPrivateKey::from_components(n, e, d, numbers.collect()).map_err(|_| LocalKeysError::Text)
        };
        let dsa = numbers("dsa")?.pop().and_then(dsa_key).ok_or(LocalKeysError::Text)?;
        let serials: Vec<u64> = numbers("serials")?
            .iter()
            .map(|serial| u64::from_str_radix(&serial.to_str_radix(16), 16).unwrap_or_default())
            .collect();
        let serials = serials.try_into().map_err(|_| LocalKeysError::Text)?;
        Ok(Self { rsa2048: rsa("rsa2048")?, rsa1024: rsa("rsa1024")?, dsa, serials })
    }

    /// Writes the certificates of the keys, for `regions`, as a list that [`Certificates::parse`] reads.
    pub fn certificates(&self, regions: &[&str], now: SystemTime) -> Result<String, LocalKeysError> {
        let mut list =
            "# Certificates of local keys, for tests: whoever trusts them trusts no EC2.\n".to_owned();
        for form in Form::ALL {
            let certificate = encode(&self.certificate(form, now)?);
            let regions = regions.join(" ");
            let _ = write!(
                list,
                "[{form} {regions}]\n-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"
            );
        }
        Ok(list)
    }

    /// Signs a document in one form: base64 in lines, as the metadata service gives it.
    pub fn sign(&self, form: Form, document: &[u8], now: SystemTime) -> Result<String, LocalKeysError> {
        let bytes = match form {
            Form::Signature => self.signature(form, document)?,
            Form::Rsa2048 | Form::Pkcs7 => self.message(form, document, now)?,
        };
        Ok(encode(&bytes))
    }

    fn signature(&self, form: Form, bytes: &[u8]) -> Result<Vec<u8>, LocalKeysError> {
        let rsa = |key: &RsaPrivateKey| {
            let kind = DigestKind::Sha256;
            key.sign(kind.padding(), &kind.of(bytes)).map_err(|_| LocalKeysError::Sign)
        };
        match form {
            Form::Rsa2048 => rsa(&self.rsa2048),
            Form::Signature => rsa(&self.rsa1024),
            Form::Pkcs7 => {
                let signature: dsa::Signature =
                    self.dsa.sign_prehash(&DigestKind::Sha1.of(bytes)).map_err(|_| LocalKeysError::Sign)?;
                let numbers = [signature.r(), signature.s()].map(|number| der::number(&number.to_bytes_be()));
                Ok(der::all(ber::SEQUENCE, &numbers))
            }
        }
    }

    fn serial(&self, form: Form) -> Vec<u8> {
        let [rsa2048, pkcs7, signature] = self.serials;
        let serial = match form {
            Form::Rsa2048 => rsa2048,
            Form::Pkcs7 => pkcs7,
            Form::Signature => signature,
        };
        der::number(&serial.to_be_bytes())
    }

    fn name() -> Vec<u8> {
        let name = der::value(UTF8_STRING, b"amint local test key");
        let attribute = der::all(ber::SEQUENCE, &[der::value(ber::OBJECT_IDENTIFIER, ORGANISATION), name]);
        der::all(ber::SEQUENCE, &[der::value(ber::SET, &attribute)])
    }

    /// Writes the certificate of a form's key, signed with the key itself (RFC 5280, 4.1).
    fn certificate(&self, form: Form, now: SystemTime) -> Result<Vec<u8>, LocalKeysError> {
        let time = |time: Option<SystemTime>| {
            let text = time.and_then(to_utc_time).ok_or(LocalKeysError::Sign)?;
            Ok(der::value(ber::UTC_TIME, text.as_bytes()))
        };
        let validity = [time(now.checked_sub(DAY))?, time(now.checked_add(DAY * VALID_DAYS))?];
        let algorithm = match form {
            Form::Pkcs7 => der::algorithm(oid::DSA_WITH_SHA1, false),
            Form::Rsa2048 | Form::Signature => der::algorithm(oid::RSA_WITH_SHA256, true),
        };
        let fields = der::all(
            ber::SEQUENCE,
            &[
                der::value(CONTEXT_0, &[ber::INTEGER, 1, 2]),
                self.serial(form),
                algorithm.clone(),
                Self::name(),
                der::all(ber::SEQUENCE, &validity),
                Self::name(),
                self.key_info(form),
            ],
        );
        let signature = [vec![0], self.signature(form, &fields)?].concat();
        Ok(der::all(ber::SEQUENCE, &[fields, algorithm, der::value(ber::BIT_STRING, &signature)]))
    }

    fn key_info(&self, form: Form) -> Vec<u8> {
        let number = |number: &BigUint| der::number(&number.to_bytes_be());
        let (algorithm, key) = match form {
            Form::Pkcs7 => {
                let (key, parameters) = (self.dsa.verifying_key(), self.dsa.verifying_key().components());
                let parameters = [parameters.p(), parameters.q(), parameters.g()].map(number);
                let algorithm =
                    [der::value(ber::OBJECT_IDENTIFIER, oid::DSA), der::all(ber::SEQUENCE, &parameters)];
                (der::all(ber::SEQUENCE, &algorithm), number(key.y()))
            }
            Form::Rsa2048 | Form::Signature => {
                let key = if form == Form::Rsa2048 { &self.rsa2048 } else { &self.rsa1024 };
                let key = der::all(ber::SEQUENCE, &[number(key.n()), number(key.e())]);
                (der::algorithm(oid::RSA, true), key)
            }
        };
        let bits = [vec![0], key].concat();
        der::all(ber::SEQUENCE, &[algorithm, der::value(ber::BIT_STRING, &bits)])
    }

    /// Writes the signed attributes (RFC 5652, 11), in the order of their bytes.
    fn attributes(form: Form, document: &[u8], now: SystemTime) -> Result<Vec<u8>, LocalKeysError> {
        let attribute = |name: &[u8], value: Vec<u8>| {
            let name = der::value(ber::OBJECT_IDENTIFIER, name);
            der::all(ber::SEQUENCE, &[name, der::value(ber::SET, &value)])
        };
        let digest = if form == Form::Rsa2048 { DigestKind::Sha256 } else { DigestKind::Sha1 };
        let time = to_utc_time(now).ok_or(LocalKeysError::Sign)?;
        let mut attributes = vec![
            attribute(CONTENT_TYPE, der::value(ber::OBJECT_IDENTIFIER, DATA)),
            attribute(SIGNING_TIME, der::value(ber::UTC_TIME, time.as_bytes())),
        ];
        if form == Form::Rsa2048 {
            let signature = [der::value(ber::OBJECT_IDENTIFIER, oid::RSA_WITH_SHA256), NULL.to_vec()];
            let parts = [der::algorithm(oid::SHA256, true), der::all(CONTEXT_1, &signature)];
            attributes.push(attribute(ALGORITHM_PROTECTION, der::all(ber::SEQUENCE, &parts)));
        }
        attributes.push(attribute(MESSAGE_DIGEST, der::value(ber::OCTET_STRING, &digest.of(document))));
        Ok(attributes.concat())
    }

    /// Writes a message in EC2's shape (RFC 5652, 5): indefinite lengths outside, DER within the signer's part.
    fn message(&self, form: Form, document: &[u8], now: SystemTime) -> Result<Vec<u8>, LocalKeysError> {
        let (digest, signature_algorithm) = match form {
            Form::Rsa2048 => (oid::SHA256, der::algorithm(oid::RSA_WITH_SHA256, true)),
            Form::Pkcs7 | Form::Signature => (oid::SHA1, der::algorithm(oid::DSA_WITH_SHA1, false)),
        };
        let attributes = Self::attributes(form, document, now)?;
        let signature = self.signature(form, &der::value(ber::SET, &attributes))?;
        let version = vec![ber::INTEGER, 1, 1];
        let signer = [
            version.clone(),
            der::all(ber::SEQUENCE, &[Self::name(), self.serial(form)]),
            der::algorithm(digest, true),
            der::value(CONTEXT_0, &attributes),
            signature_algorithm,
            der::value(ber::OCTET_STRING, &signature),
        ];
        let content = der::indefinite(ber::OCTET_STRING_IN_PARTS, &[der::value(ber::OCTET_STRING, document)]);
        let encapsulated = [der::value(ber::OBJECT_IDENTIFIER, DATA), der::indefinite(CONTEXT_0, &[content])];
        let data = [
            version,
            der::value(ber::SET, &der::algorithm(digest, true)),
            der::indefinite(ber::SEQUENCE, &encapsulated),
            der::value(ber::SET, &der::all(ber::SEQUENCE, &signer)),
        ];
        let data = der::indefinite(CONTEXT_0, &[der::indefinite(ber::SEQUENCE, &data)]);
        Ok(der::indefinite(ber::SEQUENCE, &[der::value(ber::OBJECT_IDENTIFIER, SIGNED_DATA), data]))
    }
}
