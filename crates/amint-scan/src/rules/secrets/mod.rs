//! Secrets, by their form and by their place.

mod aws_keys;
mod credential_files;
mod private_keys;
mod provider_tokens;

pub(super) use aws_keys::AwsKeys;
pub(super) use credential_files::CredentialFiles;
pub(super) use private_keys::PrivateKeys;
pub(super) use provider_tokens::ProviderTokens;

use amint_types::report::Finding;

use crate::facts::sweep::Hit;
use crate::rule::{finding, finding_at};

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
