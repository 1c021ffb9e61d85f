//! Why a document was refused.

use std::net::IpAddr;

use crate::form::Form;

/// Why a document was refused.
///
/// Each reason has a [`name`](Refusal::name) and a [`code`](Refusal::code) that never change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The document is not the JSON that EC2 writes: damaged, a name that stands twice, a field that is missing.
    #[error("the document cannot be read: {what}")]
    DocumentUnreadable {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The signature is no base64, no PEM, or no message of the shape that EC2 gives it; or bytes follow it.
    #[error("the signature cannot be read: {what}")]
    SignatureUnreadable {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The signature is genuine in its shape, but of a form that the caller does not accept.
    #[error("the signature is of the form {found}, which is not accepted")]
    WrongForm {
        /// The form of the signature.
        found: Form,
    },
    /// The message holds another document than the one given; one newline more is enough.
    #[error("the signed message holds another document, if only by one byte")]
    ContentDiffers,
    /// The message has no signer, or more than one.
    #[error("the message has no signer or several")]
    SignerCount,
    /// The message lacks a signed attribute that must be there.
    #[error("the message lacks {attribute}")]
    AttributeMissing {
        /// The attribute.
        attribute: &'static str,
    },
    /// A signed attribute stands twice or has several values.
    #[error("a signed attribute stands twice or has several values")]
    AttributeRepeated,
    /// A signed attribute contradicts the message.
    #[error("the signed attribute {attribute} contradicts the message")]
    AttributeWrong {
        /// The attribute.
        attribute: &'static str,
    },
    /// The document is not the one whose digest was signed.
    #[error("the document is not the one that was signed")]
    DigestDiffers,
    /// The message uses a digest or a signature algorithm that does not belong to its form or to the key.
    #[error("the message uses an algorithm that EC2 does not use there")]
    AlgorithmRefused,
    /// No certificate of the document's region is known; a newer list of certificates may have one.
    #[error("no certificate of the region `{region}` is known for the accepted forms")]
    NoCertificate {
        /// The region.
        region: String,
    },
    /// The message names a signer whose certificate is not known: somebody else's, or a new one of EC2.
    #[error("the signer with serial number {serial} is not known")]
    SignerUnknown {
        /// The serial number of the signer's certificate, in hexadecimal digits.
        serial: String,
    },
    /// The message is signed with the certificate of another region than the document says.
    #[error("the signer with serial number {serial} belongs to another region than `{region}`")]
    SignerOfOtherRegion {
        /// The serial number of the signer's certificate, in hexadecimal digits.
        serial: String,
        /// The region that the document says.
        region: String,
    },
    /// The signature is not of the key that should have made it.
    #[error("the signature is wrong")]
    SignatureWrong,
    /// The certificate has expired, and the caller wants that to count.
    #[error("the certificate with serial number {serial} has expired")]
    CertificateExpired {
        /// The serial number of the certificate, in hexadecimal digits.
        serial: String,
    },
    /// The document does not list the product codes that are expected.
    #[error("the document's product codes {found:?} are not those of the product, {expected:?}")]
    ProductCode {
        /// The codes of the document.
        found: Vec<String>,
        /// The codes that are expected.
        expected: Vec<String>,
    },
    /// The instance belongs to another account.
    #[error("the account is {found}, not {expected}")]
    Account {
        /// The account of the document.
        found: String,
        /// The account that is expected.
        expected: String,
    },
    /// The instance runs in another region.
    #[error("the region is `{found}`, not `{expected}`")]
    Region {
        /// The region of the document.
        found: String,
        /// The region that is expected.
        expected: String,
    },
    /// The instance was launched from another image.
    #[error("the image is {found}, which is none of {expected:?}")]
    Image {
        /// The image of the document.
        found: String,
        /// The images that are expected.
        expected: Vec<String>,
    },
    /// The document is of another instance.
    #[error("the instance is {found}, not {expected}")]
    Instance {
        /// The instance of the document.
        found: String,
        /// The instance that is expected.
        expected: String,
    },
    /// The document's private address is none of this machine, or none at all.
    #[error("the document's private address {found:?} is not one of this machine or of those expected")]
    PrivateIp {
        /// The address of the document.
        found: Option<IpAddr>,
    },
    /// The document is of another architecture.
    #[error("the architecture is {found:?}, not `{expected}`")]
    Architecture {
        /// The architecture of the document.
        found: Option<String>,
        /// The architecture that is expected.
        expected: String,
    },
    /// The instance was started longer ago than is accepted.
    #[error("the document is {age_seconds} s old; {age_seconds_max} s are accepted")]
    Stale {
        /// The age of the document, in seconds.
        age_seconds: u64,
        /// The age that is accepted, in seconds.
        age_seconds_max: u64,
    },
    /// The document is from the future, by more than clocks differ.
    #[error("the document is from {ahead_seconds} s in the future")]
    FromFuture {
        /// How far, in seconds.
        ahead_seconds: u64,
    },
    /// The metadata service lists other product codes than the signed document.
    #[error("the metadata service lists the product codes {metadata:?}, the signed document {document:?}")]
    ProductCodesDiffer {
        /// The codes of the document.
        document: Vec<String>,
        /// The codes of the metadata service.
        metadata: Vec<String>,
    },
}

/// Name, code and explanation of every reason, in the order of codes.
const REASONS: [(&str, u32, &str); 24] = [
    (
        "document-unreadable",
        1,
        "The document is not the JSON that EC2 writes. Fetch it again, and keep its bytes as they are.",
    ),
    (
        "signature-unreadable",
        2,
        "The signature is no base64 or no message of EC2's shape. Fetch it again; do not shorten it.",
    ),
    (
        "wrong-form",
        3,
        "The signature is of another form than accepted. Fetch `rsa2048`, or accept the form by name.",
    ),
    (
        "content-differs",
        4,
        "The message holds another document than the one given. An added newline is enough: compare the files.",
    ),
    (
        "signer-count",
        5,
        "The message has no signer or several. EC2's have one: it was made by somebody else.",
    ),
    (
        "attribute-missing",
        6,
        "The message lacks a signed attribute. EC2's have them: it was made by somebody else.",
    ),
    ("attribute-repeated", 7, "A signed attribute stands twice. EC2's do not: it was made by somebody else."),
    ("attribute-wrong", 8, "A signed attribute contradicts the message: it was changed."),
    ("digest-differs", 9, "The document was changed after it was signed."),
    (
        "algorithm-refused",
        10,
        "The message uses algorithms that EC2 does not use in that form: it was made by somebody else.",
    ),
    (
        "no-certificate",
        11,
        "No certificate of the document's region is known. Give a newer list of certificates, or update.",
    ),
    (
        "signer-unknown",
        12,
        "The message names a certificate that is not known: a forgery, or a new certificate of EC2.",
    ),
    (
        "signer-of-other-region",
        13,
        "The message is signed by another region than the document says: a forgery.",
    ),
    ("signature-wrong", 14, "The signature is not of the key it claims: a forgery, or changed bytes."),
    (
        "certificate-expired",
        15,
        "The certificate has expired and the caller wants that to count. EC2 goes on using keys after that.",
    ),
    (
        "product-code",
        20,
        "The instance was not launched from the product: its document lacks the product code.",
    ),
    ("account", 21, "The instance belongs to another account than expected."),
    ("region", 22, "The instance runs in another region than expected."),
    (
        "image",
        23,
        "The instance was launched from another image than expected: a copy, or a version not listed.",
    ),
    ("instance", 24, "The document is of another instance: it was copied."),
    (
        "private-ip",
        25,
        "The document's private address is not of this machine: it was copied, or this is a container's network.",
    ),
    ("architecture", 26, "The document is of another architecture than expected."),
    (
        "stale",
        27,
        "The instance started longer ago than accepted. Documents are made anew when an instance starts.",
    ),
    (
        "from-future",
        28,
        "The document is from the future: this machine's clock is wrong, or the document is.",
    ),
];
const PRODUCT_CODES_DIFFER: (&str, u32, &str) = (
    "product-codes-differ",
    29,
    "The metadata service and the signed document list different product codes: one of them is not EC2's.",
);

impl Refusal {
    /// Returns name, code and explanation of every reason, in the order of codes.
    pub fn reasons() -> impl Iterator<Item = (&'static str, u32, &'static str)> {
        REASONS.into_iter().chain([PRODUCT_CODES_DIFFER])
    }

    fn reason(&self) -> (&'static str, u32, &'static str) {
        let code = self.code();
        REASONS.into_iter().find(|(_, known, _)| *known == code).unwrap_or(PRODUCT_CODES_DIFFER)
    }

    /// Returns the reason's number: 1 to 19 where the document is not proven, 20 and more where it is not what the
    /// caller expects.
    pub fn code(&self) -> u32 {
        match self {
            Self::DocumentUnreadable { .. } => 1,
            Self::SignatureUnreadable { .. } => 2,
            Self::WrongForm { .. } => 3,
            Self::ContentDiffers => 4,
            Self::SignerCount => 5,
            Self::AttributeMissing { .. } => 6,
            Self::AttributeRepeated => 7,
            Self::AttributeWrong { .. } => 8,
            Self::DigestDiffers => 9,
            Self::AlgorithmRefused => 10,
            Self::NoCertificate { .. } => 11,
            Self::SignerUnknown { .. } => 12,
            Self::SignerOfOtherRegion { .. } => 13,
            Self::SignatureWrong => 14,
            Self::CertificateExpired { .. } => 15,
            Self::ProductCode { .. } => 20,
            Self::Account { .. } => 21,
            Self::Region { .. } => 22,
            Self::Image { .. } => 23,
            Self::Instance { .. } => 24,
            Self::PrivateIp { .. } => 25,
            Self::Architecture { .. } => 26,
            Self::Stale { .. } => 27,
            Self::FromFuture { .. } => 28,
            Self::ProductCodesDiffer { .. } => 29,
        }
    }

    /// Returns the reason's name, such as `product-code`.
    pub fn name(&self) -> &'static str {
        self.reason().0
    }

    /// Returns what the reason means and what to do, in one or two sentences.
    pub fn explanation(&self) -> &'static str {
        self.reason().2
    }

    /// Tells whether the input could not be read at all, as opposed to read and refused.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::DocumentUnreadable { .. } | Self::SignatureUnreadable { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_name_and_a_code_of_its_own() {
        let reasons: Vec<_> = Refusal::reasons().collect();
        assert!(reasons.windows(2).all(|pair| pair[0].1 < pair[1].1 && pair[0].0 != pair[1].0));
        assert_eq!(Refusal::ContentDiffers.name(), "content-differs");
        let refusal = Refusal::ProductCodesDiffer { document: Vec::new(), metadata: Vec::new() };
        assert_eq!((refusal.name(), refusal.code()), ("product-codes-differ", 29));
        assert_eq!(Refusal::FromFuture { ahead_seconds: 1 }.name(), "from-future");
    }
}
