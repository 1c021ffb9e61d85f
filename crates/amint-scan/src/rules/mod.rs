//! All rules, by family. A new rule is one file and one line in [`rules`].

mod accounts;
mod files;
mod identity;
mod kernel;
mod network;
mod residues;
mod secrets;
mod services;
mod ssh;

use crate::Rule;

/// Returns all rules, by id.
pub fn rules() -> &'static [&'static dyn Rule] {
    &[
        &accounts::EmptyPasswords,    // ACC-001
        &accounts::PasswordHashes,    // ACC-002
        &accounts::RootLocked,        // ACC-004
        &accounts::OneSuperuser,      // ACC-005
        &accounts::LoginUsers,        // ACC-007
        &accounts::SudoPath,          // ACC-008
        &accounts::DefaultUmask,      // ACC-011
        &accounts::Autologin,         // ACC-012
        &accounts::CloudPasswords,    // ACC-013
        &accounts::DefaultUser,       // ACC-014
        &files::Permissions,          // FS-003
        &files::StableDeviceNames,    // FS-004
        &kernel::Sysctl,              // KRN-001
        &kernel::UnusedModules,       // KRN-002
        &network::PackageSources,     // NET-002
        &network::Proxies,            // NET-004
        &secrets::AwsKeys,            // SEC-001
        &secrets::CredentialFiles,    // SEC-002
        &secrets::PrivateKeys,        // SEC-003
        &secrets::ProviderTokens,     // SEC-004
        &residues::Histories,         // SEC-005
        &residues::Logs,              // SEC-006
        &residues::CloudInitState,    // SEC-007
        &identity::MachineId,         // SEC-008
        &identity::RandomSeeds,       // SEC-013
        &identity::HostName,          // SEC-014
        &identity::Resolver,          // SEC-015
        &residues::PackageCaches,     // SEC-016
        &residues::TemporaryFiles,    // SEC-017
        &identity::Registrations,     // SEC-018
        &ssh::PasswordAuthentication, // SSH-001
        &ssh::KeyboardInteractive,    // SSH-002
        &ssh::RootLogin,              // SSH-003
        &ssh::EmptyPasswords,         // SSH-004
        &ssh::AuthenticationMethods,  // SSH-005
        &ssh::HostKeys,               // SSH-006
        &ssh::HostKeysRegenerated,    // SSH-007
        &ssh::AuthorizedKeys,         // SSH-008
        &ssh::UserKeys,               // SSH-009
        &ssh::Listens,                // SSH-010
        &ssh::Forwarding,             // SSH-012
        &ssh::Starts,                 // SSH-014
        &ssh::Limits,                 // SSH-017
        &ssh::Trust,                  // SSH-018
        &ssh::X11Forwarding,          // SSH-019
        &ssh::KnownHosts,             // SSH-020
        &services::CloudInit,         // SVC-004
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    #[test]
    fn rules_are_sorted_unique_and_asked_by_some_profile() {
        let ids: Vec<&str> = rules().iter().map(|rule| rule.meta().id).collect();
        assert!(ids.is_sorted_by(|left, right| left < right), "{ids:?}");
        for rule in rules() {
            let meta = rule.meta();
            assert!(meta.severities.under_all(&Profile::ALL).is_some(), "{}", meta.id);
            assert!(!meta.requirements.is_empty(), "{}", meta.id);
            for sentence in [meta.rationale, meta.remedy] {
                assert!(sentence.ends_with('.') && sentence.len() > 20, "{}", meta.id);
            }
            assert!(meta.title.len() <= 70 && !meta.title.ends_with('.'), "{}", meta.id);
        }
    }
}
