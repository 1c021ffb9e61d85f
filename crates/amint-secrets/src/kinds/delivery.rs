//! Building, deploying, infrastructure as code, vaults of secrets, watching.

use amint_types::Severity::{High, Medium};

use crate::kind::Kind;

const UUID: &str = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";

pub(crate) const KINDS: &[Kind] = &[
    Kind::token("vault-token", "Vault service token", &[b"hvs."], r"hvs\.[A-Za-z0-9_-]{24,300}").entropy(3.5),
    Kind::token(
        "vault-batch-token",
        "Vault batch token",
        &[b"hvb.", b"hvr."],
        r"hv[br]\.[A-Za-z0-9_-]{90,300}",
    )
    .severity(High)
    .entropy(4.0),
    Kind::assigned(
        "vault-old-token",
        "Vault token of old form",
        &[b"vault_token", b"vault-token", b"x-vault-token"],
        r"[sb]\.[A-Za-z0-9]{24}",
    )
    .entropy(3.6),
    Kind::token(
        "terraform-cloud-token",
        "HCP Terraform token",
        &[b".atlasv1."],
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}",
    )
    .lead(14)
    .entropy(4.0),
    Kind::assigned(
        "consul-token",
        "Consul token",
        &[b"consul_http_token", b"consul_token", b"x-consul-token"],
        UUID,
    ),
    Kind::assigned("nomad-token", "Nomad token", &[b"nomad_token", b"x-nomad-token"], UUID),
    Kind::token("pulumi-token", "Pulumi access token", &[b"pul-"], "pul-[a-f0-9]{40}"),
    Kind::token(
        "doppler-token",
        "Doppler token",
        &[b"dp.pt.", b"dp.st.", b"dp.ct.", b"dp.scim.", b"dp.sa.", b"dp.audit."],
        r"dp\.(?:pt|st|ct|scim|sa|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}",
    ),
    Kind::token(
        "onepassword-service-token",
        "1Password service account token",
        &[b"ops_eyJ"],
        "ops_eyJ[A-Za-z0-9+/_-]{250,1000}={0,3}",
    )
    .longest(1100)
    .entropy(4.0),
    Kind::token(
        "onepassword-secret-key",
        "1Password secret key",
        &[b"A3-"],
        "A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
    )
    .entropy(3.6),
    Kind::token("infracost-key", "Infracost key", &[b"ico-"], "ico-[A-Za-z0-9]{32}")
        .severity(High)
        .entropy(3.8),
    Kind::token(
        "docker-swarm-token",
        "Docker swarm join token",
        &[b"SWMTKN-1-"],
        "SWMTKN-1-[a-z0-9]{50}-[a-z0-9]{25}",
    ),
    Kind::token("docker-swarm-key", "Docker swarm unlock key", &[b"SWMKEY-1-"], "SWMKEY-1-[A-Za-z0-9+/]{43}"),
    Kind::token("openshift-token", "OpenShift token", &[b"sha256~"], "sha256~[A-Za-z0-9_-]{43}").entropy(4.0),
    Kind::token(
        "rancher-token",
        "Rancher token",
        &[b"token-", b"kubeconfig-u"],
        "(?:token-[a-z0-9]{5}|kubeconfig-u[a-z0-9-]{5,20}):[a-z0-9]{54}",
    )
    .entropy(3.8),
    Kind::token(
        "kubernetes-bootstrap-token",
        "Kubernetes bootstrap token",
        &[b"--token"],
        r"--token[ =]([a-z0-9]{6}\.[a-z0-9]{16})",
    )
    .severity(High)
    .examples(&["abcdef.0123456789abcdef"]),
    Kind::token(
        "k3s-token",
        "K3s server token",
        &[b"K10"],
        "K10[a-f0-9]{64}::(?:server|node|[a-z0-9]{6}):[A-Za-z0-9]{16,64}",
    ),
    Kind::token(
        "tailscale-key",
        "Tailscale key",
        &[b"tskey-"],
        "tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{10,20}(?:CNTRL)?-[A-Za-z0-9]{20,40}",
    ),
    Kind::assigned("zerotier-token", "ZeroTier token", &[b"zerotier"], "[A-Za-z0-9]{32}").entropy(3.8),
    Kind::assigned(
        "ngrok-token",
        "ngrok token",
        &[b"ngrok", b"authtoken"],
        "[12][A-Za-z0-9]{26,29}_[A-Za-z0-9]{20,24}",
    )
    .entropy(4.0),
    Kind::token(
        "cloudflare-origin-key",
        "Cloudflare origin CA key",
        &[b"v1.0-"],
        r"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}",
    ),
    Kind::assigned(
        "cloudflare-token",
        "Cloudflare API token",
        &[b"cloudflare", b"cf_api", b"cf_token", b"cf_key"],
        "(?:[a-f0-9]{37}|[A-Za-z0-9_-]{40})",
    )
    .entropy(3.3),
    Kind::token(
        "cloudflare-tunnel-token",
        "Cloudflare tunnel token",
        &[b"eyJhIjoi"],
        "eyJhIjoi[A-Za-z0-9+/_-]{120,300}={0,2}",
    )
    .entropy(4.0),
    Kind::assigned("fastly-token", "Fastly token", &[b"fastly"], "[A-Za-z0-9_-]{32}").entropy(3.8),
    Kind::token(
        "heroku-token",
        "Heroku token",
        &[b"HRKU-"],
        "HRKU-(?:AA[A-Za-z0-9_-]{58}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    ),
    Kind::assigned("heroku-old-key", "Heroku API key", &[b"heroku"], UUID),
    Kind::token("netlify-token", "Netlify token", &[b"nfp_", b"nfc_"], "nf[pc]_[A-Za-z0-9_]{36,40}")
        .entropy(3.8),
    Kind::token(
        "vercel-token",
        "Vercel token",
        &[b"vcp_", b"vci_", b"vca_", b"vcr_"],
        "vc[picar]_[A-Za-z0-9]{56}",
    )
    .entropy(4.0),
    Kind::assigned("vercel-old-token", "Vercel token of old form", &[b"vercel"], "[A-Za-z0-9]{24}")
        .entropy(3.6),
    Kind::token("render-key", "Render API key", &[b"rnd_"], "rnd_[A-Za-z0-9]{28,32}").entropy(3.8),
    Kind::assigned("railway-token", "Railway token", &[b"railway"], UUID),
    Kind::token(
        "fly-token",
        "Fly.io token",
        &[b"FlyV1 ", b"fo1_"],
        r"(?:FlyV1 fm[12][ar]?_[A-Za-z0-9+/=,_-]{100,900}|fo1_[A-Za-z0-9_-]{43})",
    )
    .entropy(3.8),
    Kind::token(
        "supabase-token",
        "Supabase token",
        &[b"sbp_", b"sb_secret_"],
        "(?:sbp_(?:oauth_|v0_)?[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{31,36})",
    ),
    Kind::token(
        "planetscale-token",
        "PlanetScale token or password",
        &[b"pscale_"],
        "pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}",
    ),
    Kind::token("neon-key", "Neon API key", &[b"napi_"], "napi_[a-z0-9]{64}").entropy(3.8),
    Kind::token("databricks-token", "Databricks token", &[b"dapi"], "dapi[a-f0-9]{32}(?:-[0-9])?"),
    Kind::token("databricks-oauth-secret", "Databricks OAuth secret", &[b"dose"], "dose[a-f0-9]{32}"),
    Kind::token(
        "mongodb-atlas-secret",
        "MongoDB Atlas service account secret",
        &[b"mdb_sa_sk_"],
        "mdb_sa_sk_[A-Za-z0-9_-]{40}",
    ),
    Kind::token(
        "circleci-token",
        "CircleCI token",
        &[b"CCIPAT_", b"CCIPRJ_"],
        "CCIP(?:AT|RJ)_[A-Za-z0-9]{22}_[a-f0-9]{40}",
    ),
    Kind::token(
        "buildkite-token",
        "Buildkite token",
        &[b"bkua_", b"bkaj_", b"bkct_"],
        "bk(?:ua|aj|ct)_[A-Za-z0-9]{40,50}",
    ),
    Kind::assigned("travis-token", "Travis CI token", &[b"travis"], "[A-Za-z0-9_-]{22}").entropy(3.6),
    Kind::assigned("jenkins-token", "Jenkins API token", &[b"jenkins"], "11[a-f0-9]{32}"),
    Kind::assigned("drone-token", "Drone token", &[b"drone"], "[A-Za-z0-9]{32}").entropy(3.6),
    Kind::assigned("codecov-token", "Codecov token", &[b"codecov"], UUID).severity(Medium),
    Kind::assigned("snyk-token", "Snyk token", &[b"snyk"], UUID),
    Kind::token("sonarqube-token", "SonarQube token", &[b"squ_", b"sqp_", b"sqa_"], "sq[upa]_[a-f0-9]{40}"),
    Kind::token("grafana-cloud-token", "Grafana Cloud token", &[b"glc_"], "glc_[A-Za-z0-9+/]{32,400}={0,3}")
        .entropy(4.0),
    Kind::token(
        "grafana-service-token",
        "Grafana service account token",
        &[b"glsa_"],
        "glsa_[A-Za-z0-9]{32}_[a-fA-F0-9]{8}",
    ),
    Kind::token("grafana-key", "Grafana API key", &[b"eyJrIjoi"], "eyJrIjoi[A-Za-z0-9]{70,400}={0,3}")
        .entropy(4.0),
    Kind::token("newrelic-user-key", "New Relic user key", &[b"NRAK-"], "NRAK-[A-Z0-9]{27}"),
    Kind::token(
        "newrelic-insert-key",
        "New Relic insert key",
        &[b"NRII-", b"NRIQ-"],
        "NRI[IQ]-[A-Za-z0-9_-]{32}",
    )
    .severity(High),
    Kind::token("newrelic-license-key", "New Relic licence key", &[b"NRAL"], "[a-f0-9]{36}NRAL")
        .lead(36)
        .severity(High),
    Kind::assigned(
        "datadog-key",
        "Datadog key",
        &[b"datadog", b"dd_api", b"dd_app"],
        "(?:[a-f0-9]{40}|[a-f0-9]{32})",
    ),
    Kind::token(
        "sentry-token",
        "Sentry token",
        &[b"sntrys_", b"sntryu_"],
        "sntry(?:s_eyJ[A-Za-z0-9+/_=-]{100,400}|u_[a-f0-9]{64})",
    ),
    Kind::token(
        "honeycomb-key",
        "Honeycomb key",
        &[b"hcaik_", b"hcxik_", b"hcamk_"],
        "hc[ax][im]k_[a-z0-9]{58}",
    )
    .severity(High),
    Kind::token(
        "dynatrace-token",
        "Dynatrace token",
        &[b"dt0"],
        r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
    ),
    Kind::assigned("splunk-token", "Splunk token", &[b"splunk", b"hec_token"], UUID),
    Kind::assigned(
        "elastic-key",
        "Elastic API key",
        &[b"elastic", b"es_api_key"],
        "[A-Za-z0-9+/_-]{58,62}={0,2}",
    )
    .entropy(4.0),
    Kind::assigned(
        "pagerduty-key",
        "PagerDuty key",
        &[b"pagerduty", b"pd_api"],
        r"(?:[a-f0-9]{32}|u\+[A-Za-z0-9_+-]{18}|[A-Za-z0-9_+-]{20})",
    )
    .entropy(3.3),
    Kind::assigned("opsgenie-key", "Opsgenie key", &[b"opsgenie"], UUID),
    Kind::assigned("rollbar-token", "Rollbar token", &[b"rollbar"], "[a-f0-9]{32}").severity(Medium),
    Kind::assigned(
        "launchdarkly-key",
        "LaunchDarkly key",
        &[b"launchdarkly", b"ld_sdk", b"ld_api"],
        "(?:sdk|api|mob)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    Kind::token("prefect-key", "Prefect key", &[b"pnu_", b"pnb_"], "pn[ub]_[A-Za-z0-9]{36}").entropy(3.8),
    Kind::token("octopus-key", "Octopus Deploy key", &[b"API-"], "API-[A-Z0-9]{26,32}")
        .severity(High)
        .entropy(3.6),
    Kind::token(
        "harness-token",
        "Harness token",
        &[b"pat.", b"sat."],
        r"[ps]at\.[A-Za-z0-9_-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}",
    )
    .entropy(3.8),
    Kind::token(
        "defined-networking-key",
        "Defined Networking API key",
        &[b"dnkey-"],
        "dnkey-[A-Za-z0-9=_-]{26}-[A-Za-z0-9=_-]{52}",
    ),
];
