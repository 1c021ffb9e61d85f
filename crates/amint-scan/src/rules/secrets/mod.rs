//! Secrets, by their form and by their place.

mod aws_keys;
mod credential_files;
mod private_keys;
mod provider_tokens;

use aws_keys::AwsKeys;
use credential_files::CredentialFiles;
use private_keys::PrivateKeys;
use provider_tokens::ProviderTokens;

use amint_types::report::Finding;

use crate::facts::sweep::Hit;
use crate::rule::{finding, finding_at};

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &AwsKeys,         // SEC-001
    &CredentialFiles, // SEC-002
    &PrivateKeys,     // SEC-003
    &ProviderTokens,  // SEC-004
];

/// Tells of one secret; of keys only the place, because their lines say nothing else.
fn report(hit: &Hit, is_line_shown: bool) -> Finding {
    let article = if hit.what.starts_with(['A', 'O']) { "an" } else { "a" };
    let message = format!("{article} {}", hit.what);
    if is_line_shown {
        finding_at(message, &hit.path, hit.line, &hit.text)
    } else {
        let mut finding = finding(message, &hit.path);
        finding.evidence.line = Some(hit.line);
        finding
    }
}
