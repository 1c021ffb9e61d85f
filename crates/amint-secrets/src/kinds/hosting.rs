//! Hosts of source code and registries of packages.

use amint_types::Severity::High;

use crate::kind::Kind;

pub(crate) const KINDS: &[Kind] = &[
    Kind::token("github-token", "GitHub personal access token", &[b"ghp_"], "ghp_[A-Za-z0-9]{36}"),
    Kind::token(
        "github-fine-grained-token",
        "GitHub fine-grained token",
        &[b"github_pat_"],
        "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    ),
    Kind::token("github-oauth-token", "GitHub OAuth token", &[b"gho_"], "gho_[A-Za-z0-9]{36}"),
    Kind::token("github-app-token", "GitHub app token", &[b"ghs_", b"ghu_"], "gh[su]_[A-Za-z0-9]{36}"),
    Kind::token("github-refresh-token", "GitHub refresh token", &[b"ghr_"], "ghr_[A-Za-z0-9]{36,76}"),
    Kind::token(
        "gitlab-token",
        "GitLab personal access token",
        &[b"glpat-"],
        r"glpat-[A-Za-z0-9_-]{20,300}(?:\.[A-Za-z0-9_.-]{4,20})?",
    ),
    Kind::token("gitlab-deploy-token", "GitLab deploy token", &[b"gldt-"], "gldt-[A-Za-z0-9_-]{20,64}"),
    Kind::token(
        "gitlab-runner-token",
        "GitLab runner token",
        &[b"glrt-", b"GR1348941"],
        r"(?:glrt-|GR1348941)[A-Za-z0-9_.-]{20,64}",
    ),
    Kind::token(
        "gitlab-job-token",
        "GitLab CI job token",
        &[b"glcbt-"],
        "glcbt-[A-Za-z0-9]{1,5}_[A-Za-z0-9_-]{20}",
    )
    .severity(High),
    Kind::token("gitlab-trigger-token", "GitLab pipeline trigger", &[b"glptt-"], "glptt-[a-f0-9]{40}"),
    Kind::token("gitlab-feed-token", "GitLab feed token", &[b"glft-"], "glft-[A-Za-z0-9_-]{20}")
        .severity(High),
    Kind::token("gitlab-agent-token", "GitLab agent token", &[b"glagent-"], "glagent-[A-Za-z0-9_-]{50,80}"),
    Kind::token("gitlab-oauth-secret", "GitLab OAuth secret", &[b"gloas-"], "gloas-[A-Za-z0-9_-]{64}"),
    Kind::token("gitlab-scim-token", "GitLab SCIM token", &[b"glsoat-"], "glsoat-[A-Za-z0-9_-]{20}"),
    Kind::token("gitlab-mail-token", "GitLab incoming mail token", &[b"glimt-"], "glimt-[A-Za-z0-9_-]{25}")
        .severity(High),
    Kind::token("bitbucket-app-password", "Bitbucket app password", &[b"ATBB"], "ATBB[A-Za-z0-9]{32}")
        .entropy(3.8),
    Kind::token(
        "bitbucket-server-token",
        "Bitbucket access token",
        &[b"BBDC-"],
        "BBDC-[A-Za-z0-9+/@_-]{40,60}",
    )
    .entropy(3.8),
    Kind::token("atlassian-token", "Atlassian API token", &[b"ATATT3"], "ATATT3[A-Za-z0-9_=-]{180,220}")
        .entropy(4.0),
    Kind::token(
        "atlassian-admin-key",
        "Atlassian organisation key",
        &[b"ATCTT3"],
        "ATCTT3[A-Za-z0-9_=-]{180,220}",
    )
    .entropy(4.0),
    Kind::token(
        "sourcegraph-token",
        "Sourcegraph token",
        &[b"sgp_"],
        "sgp_(?:[a-fA-F0-9]{16}_|local_)?[a-fA-F0-9]{40}",
    ),
    Kind::assigned("gitea-token", "Gitea or Forgejo token", &[b"gitea", b"forgejo"], "[a-f0-9]{40}"),
    Kind::token("npm-token", "npm access token", &[b"npm_"], "npm_[A-Za-z0-9]{36}").entropy(3.5),
    Kind::token("pypi-token", "PyPI upload token", &[b"pypi-AgE"], "pypi-AgE[A-Za-z0-9_-]{70,500}")
        .entropy(4.0),
    Kind::token("rubygems-token", "RubyGems API key", &[b"rubygems_"], "rubygems_[a-f0-9]{48}"),
    Kind::token("crates-io-token", "crates.io token", &[b"cio"], "cio[A-Za-z0-9]{32}").entropy(4.0),
    Kind::token("nuget-key", "NuGet API key", &[b"oy2"], "oy2[a-z0-9]{43}").entropy(3.8),
    Kind::token(
        "docker-hub-token",
        "Docker Hub access token",
        &[b"dckr_pat_", b"dckr_oat_"],
        "dckr_[po]at_[A-Za-z0-9_-]{27,32}",
    ),
    Kind::token("jfrog-key", "JFrog API key", &[b"AKCp"], "AKCp[A-Za-z0-9]{69}").entropy(4.0),
    Kind::token("jfrog-reference-token", "JFrog reference token", &[b"cmVmdGtu"], "cmVmdGtu[A-Za-z0-9]{56}")
        .entropy(3.8),
    Kind::token("clojars-token", "Clojars deploy token", &[b"CLOJARS_"], "CLOJARS_[A-Za-z0-9]{60}"),
    Kind::assigned("packagist-token", "Packagist API token", &[b"packagist"], "[A-Za-z0-9]{20,70}")
        .entropy(3.5),
];
