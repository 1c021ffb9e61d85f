//! Secrets, by their form and by their place.

mod aws_keys;
mod credential_files;
mod free_space;
mod private_keys;
mod provider_tokens;
mod work_folders;

use aws_keys::AwsKeys;
use credential_files::CredentialFiles;
use free_space::FreeSpace;
use private_keys::PrivateKeys;
use provider_tokens::ProviderTokens;
use work_folders::WorkFolders;

use std::path::Path;

use amint_types::report::Finding;

use crate::facts::secrets::{FoundSecret, FoundSecrets};
use crate::rule::finding;
use crate::{RecipeChange, Rule};

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &AwsKeys,         // SEC-001
    &CredentialFiles, // SEC-002
    &PrivateKeys,     // SEC-003
    &ProviderTokens,  // SEC-004
    &FreeSpace,       // SEC-010
    &WorkFolders,     // SEC-011
];

/// How many secrets one rule tells of; an image with more is no less refused.
const FINDINGS_MAX: usize = 1000;
/// Words that begin titles in the middle of a sentence as well.
const COMMON_WORDS: [&str; 16] = [
    "Authorization",
    "Cached",
    "Connection",
    "Encrypted",
    "Extended",
    "File",
    "Key",
    "Keys",
    "Login",
    "Mounted",
    "Passphrase",
    "Password",
    "Private",
    "Registration",
    "Secret",
    "Token",
];

/// Tells of all secrets that break a rule and are wanted; none where nobody looked.
fn report_all(
    found: &FoundSecrets,
    rule: &'static str,
    is_wanted: impl Fn(&FoundSecret) -> bool,
) -> Option<Vec<Finding>> {
    let wanted = || found.of(rule).filter(|one| is_wanted(one)).map(report);
    found.has_files.then(|| wanted().take(FINDINGS_MAX).collect())
}

/// Why a rule has nothing to look at.
fn left_out() -> String {
    "the analyzer `secrets` was left out".to_owned()
}

/// Tells of one secret.
fn report(found: &FoundSecret) -> Finding {
    let secret = &found.secret;
    let mut message = secret.title.to_owned();
    if COMMON_WORDS.iter().any(|word| message.split(' ').next() == Some(word)) {
        message[..1].make_ascii_lowercase();
    }
    let place = if secret.line.is_none() { format!(" at byte {}", secret.offset) } else { String::new() };
    let note = secret.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    message.push_str(&place);
    message.push_str(&note);
    let mut finding = finding(message, Path::new(&found.place()));
    finding.evidence.line = secret.line;
    finding.evidence.excerpt = Some(secret.excerpt.clone());
    finding.severity = Some(secret.severity);
    finding
}

/// Folders whose files belong to packages or to the boot: what is removed there is missed.
const OF_SYSTEM: [&str; 8] =
    ["/bin/", "/boot/", "/lib/", "/lib32/", "/lib64/", "/sbin/", "/usr/", "/var/lib/dpkg/"];

/// Returns the removal of a finding's file; what lies inside an archive takes the archive with it. Files of the system
/// are left to a person.
fn removal(finding: &Finding) -> Option<RecipeChange> {
    let path = finding.evidence.path.split("!/").next().unwrap_or_default();
    let is_of_system =
        OF_SYSTEM.iter().any(|folder| path.starts_with(folder)) && !path.starts_with("/usr/local/");
    (path.len() > 1 && !is_of_system).then(|| RecipeChange::RemovePath(path.to_owned()))
}
