use std::path::{Path, PathBuf};

use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

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

/// A file below a home, and a text that makes it a secret; any content does when the text is empty.
const BELOW_HOME: [(&str, &str); 32] = [
    (".aws/credentials", ""),
    (".aws/config", "aws_secret_access_key"),
    (".boto", "secret"),
    (".s3cfg", "secret_key"),
    (".passwd-s3fs", ""),
    (".config/rclone/rclone.conf", ""),
    (".config/gcloud/application_default_credentials.json", ""),
    (".config/gcloud/credentials.db", ""),
    (".azure/accessTokens.json", ""),
    (".azure/msal_token_cache.json", ""),
    (".kube/config", ""),
    (".docker/config.json", "\"auth\""),
    (".dockercfg", ""),
    (".config/containers/auth.json", "\"auth\""),
    (".npmrc", "_auth"),
    (".yarnrc.yml", "npmAuthToken"),
    (".pypirc", "password"),
    (".netrc", "password"),
    (".git-credentials", ""),
    (".config/git/credentials", ""),
    (".cargo/credentials", ""),
    (".cargo/credentials.toml", ""),
    (".config/gh/hosts.yml", "oauth_token"),
    (".config/hub", "oauth_token"),
    (".gem/credentials", ""),
    (".terraform.d/credentials.tfrc.json", ""),
    (".terraformrc", "token"),
    (".vault-token", ""),
    (".vault_pass", ""),
    (".pgpass", ""),
    (".my.cnf", "password"),
    (".mylogin.cnf", ""),
];

/// Files at fixed places.
const ELSEWHERE: [(&str, &str); 6] = [
    ("/etc/passwd-s3fs", ""),
    ("/etc/boto.cfg", "secret"),
    ("/etc/vault_pass", ""),
    ("/etc/kubernetes/admin.conf", ""),
    ("/etc/apt/auth.conf", "password"),
    ("/etc/ansible/vault_pass", ""),
];

impl Rule for CredentialFiles {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut candidates: Vec<(PathBuf, &str)> =
            ELSEWHERE.iter().map(|(path, marker)| (PathBuf::from(path), *marker)).collect();
        for home in cx.homes()? {
            candidates.extend(BELOW_HOME.iter().map(|(path, marker)| (home.join(path), *marker)));
            for entry in cx.list(home.join(".gnupg/private-keys-v1.d"))? {
                candidates.push((home.join(".gnupg/private-keys-v1.d").join(entry.name), ""));
            }
        }
        for entry in cx.list("/etc/apt/auth.conf.d")? {
            candidates.push((Path::new("/etc/apt/auth.conf.d").join(entry.name), "password"));
        }
        let mut findings = Vec::new();
        for (path, marker) in candidates {
            if !cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file() && metadata.bytes > 0)
            {
                continue;
            }
            if marker.is_empty() || cx.text(&path)?.unwrap_or_default().contains(marker) {
                findings.push(finding("a program's credentials", &path));
            }
        }
        Ok(findings.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn files_with_credentials_are_found_and_those_without_are_not() {
        let fixture = Fixture::new()
            .file("/root/.aws/config", "[default]\nregion = eu-west-1\n")
            .file("/root/.docker/config.json", "{\"auths\":{\"r\":{\"auth\":\"eDp5\"}}}")
            .file("/home/joe/.docker/config.json", "{\"auths\":{}}")
            .file("/home/joe/.git-credentials", "x")
            .file("/home/joe/.vault-token", "")
            .file("/etc/apt/auth.conf.d/x.conf", "machine m login l password p\n");
        assert_eq!(
            fixture.paths("SEC-002"),
            ["/etc/apt/auth.conf.d/x.conf", "/home/joe/.git-credentials", "/root/.docker/config.json"]
        );
    }
}
