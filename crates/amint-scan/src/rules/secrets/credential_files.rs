use std::collections::BTreeSet;
use std::path::PathBuf;

use amint_types::Severity;
use amint_types::report::Finding;

use super::{left_out, removal, report_all};
use crate::facts::secrets::FoundSecret;
use crate::rule::finding;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict, glob};

/// No files in which programs keep their credentials.
pub(in crate::rules) struct CredentialFiles;

static META: RuleMeta = RuleMeta {
    id: "SEC-002",
    title: "no credential files of programs are in the image",
    requirements: &["A2", "A11", "MP-G5", "SHARED-7"],
    rationale: "Command-line programs leave what they log in with in well-known files of the home folder, where a \
                build used them and nobody looks again.",
    remedy: "Remove the file, and make what it holds invalid where it was issued.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

/// Files below a home that hold nothing else, in forms that tell nothing of their content.
const BELOW_HOME: [&str; 23] = [
    ".aws/sso/cache/*.json",
    ".azure/accessTokens.json",
    ".azure/msal_token_cache.*",
    ".config/containers/auth.json",
    ".config/gcloud/access_tokens.db",
    ".config/gcloud/application_default_credentials.json",
    ".config/gcloud/credentials.db",
    ".config/gcloud/legacy_credentials/*/adc.json",
    ".config/gh/hosts.yml",
    ".config/hub",
    ".config/op/config",
    ".gnupg/private-keys-v1.d/*",
    ".gnupg/secring.gpg",
    ".local/share/keyrings/*.keyring",
    ".mozilla/firefox/*/logins.json",
    ".mylogin.cnf",
    ".password-store/*.gpg",
    ".terraform.d/credentials.tfrc.json",
    ".config/sops/age/keys.txt",
    ".vault-token",
    ".vault_pass",
    ".vault_pass.txt",
    ".vnc/passwd",
];
/// Files below a home, and a text without which they are harmless.
const WITH_MARKER: [(&str, &str); 17] = [
    (".aws/config", "aws_secret_access_key"),
    (".aws/credentials", "aws_secret_access_key"),
    (".boto", "secret"),
    (".cargo/credentials", "token"),
    (".cargo/credentials.toml", "token"),
    (".config/git/credentials", "@"),
    (".config/rclone/rclone.conf", "="),
    (".docker/config.json", "\"auth\""),
    (".dockercfg", "\"auth\""),
    (".gem/credentials", "api_key"),
    (".git-credentials", "@"),
    (".kube/config", "token"),
    (".my.cnf", "password"),
    (".netrc", "password"),
    (".passwd-s3fs", ":"),
    (".pgpass", ":"),
    (".s3cfg", "secret_key"),
];
/// Files at fixed places.
const ELSEWHERE: [(&str, &str); 6] = [
    ("/etc/ansible/vault_pass*", ""),
    ("/etc/apt/auth.conf", "password"),
    ("/etc/apt/auth.conf.d/*", "password"),
    ("/etc/krb5.keytab", ""),
    ("/etc/passwd-s3fs", ":"),
    ("/etc/vault_pass*", ""),
];
/// Words that stand for a secret that somebody else puts in.
const PLACEHOLDERS: [&str; 8] = ["${", "{{", "changeme", "placeholder", "your-", "your_", "example", "<"];

impl Rule for CredentialFiles {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let secrets = cx.secrets()?;
        let Some(mut findings) = report_all(&secrets, META.id, |_| true) else {
            return Ok(Verdict::NotApplicable(left_out()));
        };
        // What was found in a file is told once, unless it weighs less than the file does.
        let weighs = |found: &&FoundSecret| {
            found.secret.rule == META.id || found.secret.severity == Severity::Critical
        };
        let told: BTreeSet<&str> =
            secrets.secrets.iter().filter(weighs).map(|found| found.path.as_str()).collect();
        for path in known_files(cx)? {
            if !told.contains(&*path.to_string_lossy()) {
                findings.push(finding("a program's credentials", &path));
            }
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        removal(finding)
    }
}

/// Lists the files that are there, hold something, and have what makes them secrets.
fn known_files(cx: &Context<'_>) -> Result<BTreeSet<PathBuf>, CheckError> {
    let mut patterns: Vec<(String, &str)> =
        ELSEWHERE.iter().map(|(pattern, marker)| ((*pattern).to_owned(), *marker)).collect();
    for home in cx.homes()? {
        let below = |path: &str| format!("{}/{path}", home.to_string_lossy().trim_end_matches('/'));
        patterns.extend(BELOW_HOME.iter().map(|path| (below(path), "")));
        patterns.extend(WITH_MARKER.iter().map(|(path, marker)| (below(path), *marker)));
    }
    let mut found = BTreeSet::new();
    for (pattern, marker) in patterns {
        for path in glob::expand(cx, &pattern)? {
            let is_file = cx.metadata_following(&path)?.is_some_and(|what| what.is_file() && what.bytes > 0);
            if is_file && (marker.is_empty() || has_value(&cx.text(&path)?.unwrap_or_default(), marker)) {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

/// Tells whether some line has the marker, is no comment, and does not stand for another value.
fn has_value(text: &str, marker: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        let after = line.split_once(marker).map(|(_, after)| after.to_ascii_lowercase());
        let has_text = after.is_some_and(|after| {
            let value = after.trim_start_matches(['"', '\'', '=', ':', ' ', '\t']);
            !value.trim_matches(['"', '\'', ' ', ',', '}', '{']).is_empty()
                && !PLACEHOLDERS.iter().any(|word| value.contains(word))
        });
        !line.starts_with(['#', ';']) && has_text
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn files_with_credentials_are_found_and_those_without_are_not() {
        let fixture = Fixture::new()
            .file("/root/.aws/config", "[default]\nregion = eu-west-1\n")
            .file("/root/.docker/config.json", "{\"auths\":{\"r\":{\"auth\":\"eDp5azdSeg==\"}}}")
            .file("/root/.config/gcloud/credentials.db", "SQLite")
            .file("/home/joe/.docker/config.json", "{\"auths\":{}}")
            .file("/home/joe/.git-credentials", "https://joe:k7Rz-pq9Wm@git.internal.test\n")
            .file("/home/joe/.netrc", "# machine x login y password z\n")
            .file("/home/joe/.vault-token", "")
            .file("/home/joe/.my.cnf", "[client]\npassword=${MYSQL_PASSWORD}\n")
            .file("/etc/apt/auth.conf.d/x.conf", "machine m login l password k7Rz-pq9Wm\n");
        assert_eq!(
            fixture.paths("SEC-002"),
            [
                "/etc/apt/auth.conf.d/x.conf",
                "/home/joe/.git-credentials",
                "/root/.config/gcloud/credentials.db",
                "/root/.docker/config.json"
            ]
        );
    }

    #[test]
    fn variables_of_units_crontabs_and_environments_are_found() {
        let secret = "k7Rz-pq9Wm-vT2x";
        let fixture = Fixture::new()
            .file("/etc/environment", &format!("APP_TOKEN={secret}\n"))
            .file("/etc/systemd/system/app.service", &format!("[Service]\nEnvironment=API_TOKEN={secret}\n"))
            .file("/srv/app/.env", &format!("APP_SECRET={secret}\n"))
            .file("/srv/app/.env.example", &format!("APP_SECRET={secret}\n"))
            .file(
                "/srv/infra/terraform.tfstate",
                &format!("{{\"x\": {{\"master_password\": \"{secret}\"}}}}\n"),
            );
        assert_eq!(
            fixture.paths("SEC-002"),
            [
                "/etc/environment",
                "/etc/systemd/system/app.service",
                "/srv/app/.env",
                "/srv/infra/terraform.tfstate"
            ]
        );
    }
}
