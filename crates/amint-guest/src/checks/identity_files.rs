//! Identity documents for the recipe's tests to try: the right certificates, and documents that must be refused.

use std::fmt::Write;
use std::net::Ipv4Addr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use crate::boot::Guest;
use crate::checks::boot_facts::words;
use crate::error::GuestError;
use crate::imds::{IdentityKeys, Metadata, identity_document};
use crate::spec::{BootTestSpec, GuestTest};
use crate::ssh::quoted;

/// What stands in a test's command for the folder.
const PLACEHOLDER: &str = "{identity}";
/// The folder in the guest. The machine and all that is in it is thrown away afterwards.
const FOLDER: &str = "/run/amint-identity";
/// How old the old document is.
const OLD: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Tells whether a command wants the folder.
pub(crate) fn names_identity(command: &str) -> bool {
    command.contains(PLACEHOLDER)
}

/// Puts the folder's path into a command.
pub(crate) fn with_identity(command: &str) -> String {
    command.replace(PLACEHOLDER, FOLDER)
}

/// Puts the folder into the guest when one of `tests` wants it; says why that was not possible.
///
/// `certificates.pem` lists the certificates of the local keys. Each of `other-instance`, `old` and `without-code`
/// is a genuine document (`.json`) with its signature (`.rsa2048`), of this instance except for what its name says.
pub(crate) async fn prepare_identity(
    guest: &Guest,
    spec: &BootTestSpec,
    tests: &[GuestTest],
    metadata: &Metadata,
) -> Result<(), String> {
    let wants =
        |test: &GuestTest| matches!(test, GuestTest::Command { command, .. } if names_identity(command));
    if !tests.iter().any(wants) {
        return Ok(());
    }
    let keys = spec.identity.as_ref().ok_or("there are no keys to sign identity documents with")?;
    let files = files(metadata, keys, Timestamp::now()).map_err(|error| error.to_string())?;
    let mut script = format!("set -eu; umask 022; mkdir -p {FOLDER}; cd {FOLDER}; ");
    for (name, content) in files {
        let _ = write!(script, "echo {} | base64 -d >{name}; ", STANDARD.encode(content));
    }
    let output = guest.run(&format!("sudo -n sh -c {}", quoted(&script))).await?;
    if output.is_success() { Ok(()) } else { Err(format!("the folder cannot be made: {}", words(&output))) }
}

fn files(
    metadata: &Metadata,
    keys: &IdentityKeys,
    now: Timestamp,
) -> Result<Vec<(String, String)>, GuestError> {
    let mut files = vec![("certificates.pem".to_owned(), keys.certificates(&metadata.region, now)?)];
    for (name, metadata) in variants(metadata) {
        let document = identity_document(&metadata);
        let signatures = keys.sign(&document, now)?;
        let [(form, signature), ..] = signatures;
        files.push((format!("{name}.{form}"), signature));
        files.push((format!("{name}.json"), document));
    }
    Ok(files)
}

fn variants(metadata: &Metadata) -> [(&'static str, Metadata); 3] {
    let other = Metadata::for_test(metadata.architecture, metadata.mac.clone(), metadata.pending_time);
    [
        (
            "other-instance",
            Metadata {
                instance_id: other.instance_id,
                local_ipv4: Ipv4Addr::new(10, 0, 0, 99),
                ..metadata.clone()
            },
        ),
        ("old", Metadata { pending_time: metadata.pending_time - OLD, ..metadata.clone() }),
        ("without-code", Metadata { product_codes: Vec::new(), ..metadata.clone() }),
    ]
}

#[cfg(test)]
mod tests {
    use amint_identity::local::LocalKeys;
    use amint_identity::{Certificates, Expect, Refusal, verify};
    use amint_types::Architecture;

    use super::*;

    #[test]
    fn each_document_is_genuine_and_refused_for_what_its_name_says() {
        let keys = IdentityKeys::new(LocalKeys::generate().unwrap());
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let metadata = Metadata {
            product_codes: vec!["abc".to_owned()],
            ..Metadata::for_test(Architecture::X86_64, "02:00:00:00:00:01".to_owned(), now)
        };
        let files = files(&metadata, &keys, now).unwrap();
        let file = |name: &str| &files.iter().find(|(known, _)| known == name).unwrap().1;
        let judge = |name: &str| {
            let expect = Expect::new()
                .certificates(Certificates::parse(file("certificates.pem")).unwrap())
                .product_code("abc")
                .instance(&metadata.instance_id)
                .pending_within(std::time::Duration::from_hours(1))
                .at(std::time::SystemTime::UNIX_EPOCH
                    + std::time::Duration::from_secs(now.as_second().unsigned_abs()));
            let (document, signature) = (file(&format!("{name}.json")), file(&format!("{name}.rsa2048")));
            verify(document.as_bytes(), signature.as_bytes(), &expect).unwrap_err()
        };
        assert!(matches!(judge("other-instance"), Refusal::Instance { .. }));
        assert!(matches!(judge("old"), Refusal::Stale { .. }));
        assert!(matches!(judge("without-code"), Refusal::ProductCode { .. }));
    }

    #[test]
    fn only_commands_that_name_the_folder_want_it() {
        assert!(!names_identity("true"));
        assert!(names_identity("ls {identity}/old.json"));
        assert_eq!(with_identity("ls {identity}/old.json"), "ls /run/amint-identity/old.json");
    }
}
