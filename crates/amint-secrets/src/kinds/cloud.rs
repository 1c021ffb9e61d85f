//! Clouds.

use amint_types::Severity::{High, Info};

use crate::kind::Kind;
use crate::structure::aws;

const UUID: &str = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";

pub(crate) const KINDS: &[Kind] = &[
    Kind::code("aws-access-key-id", "AWS access key id", &[b"AKIA", b"ABIA", b"ACCA"], aws::key_id)
        .rule("SEC-001")
        .entropy(2.5)
        .examples(&["AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE", "EXAMPLE"]),
    Kind::code("aws-temporary-key-id", "AWS access key id of a session", &[b"ASIA"], aws::key_id)
        .rule("SEC-001")
        .severity(High)
        .entropy(2.5)
        .examples(&["EXAMPLE"]),
    Kind::code("aws-unique-id", "AWS id of a user, role or group (no secret)", &[b"AROA", b"AIDA", b"AGPA", b"ANPA", b"AIPA"], aws::unique_id)
        .rule("SEC-001")
        .severity(Info)
        .entropy(2.5)
        .examples(&["EXAMPLE"]),
    Kind::token(
        "aws-secret-access-key",
        "AWS secret access key",
        &[b"aws_secret", b"aws-secret", b"awssecret", b"secret_access_key", b"secretaccesskey", b"secret_key", b"secretkey", b"aws_sec"],
        r#"(?i:aws[_-]?)?(?i:sec(?:ret)?)[A-Za-z_-]{0,20}["'\]]{0,2}\s{0,4}(?:=>|:=|[=:,])\s{0,4}["'`]?([A-Za-z0-9/+]{40})"#,
    )
    .rule("SEC-001")
    .entropy(4.2)
    .examples(&["wJalrXUtnFEMI", "je7MtGbClwBF", "EXAMPLEKEY"]),
    Kind::token("aws-session-token", "AWS session token", &[b"FwoG", b"IQoJ", b"FQoG"], "(?:FwoG|IQoJ|FQoG)[A-Za-z0-9/+]{96,2000}={0,2}")
        .rule("SEC-001")
        .severity(High)
        .longest(2200)
        .entropy(4.5)
        .examples(&["EXAMPLE"]),
    Kind::token("aws-mws-token", "Amazon Marketplace Web Service token", &[b"amzn.mws."], "amzn\\.mws\\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    Kind::token("aws-bedrock-key", "Amazon Bedrock API key", &[b"ABSK"], "ABSK[A-Za-z0-9+/]{109,269}={0,2}").entropy(4.0),
    Kind::token("google-api-key", "Google API key", &[b"AIza"], "AIza[A-Za-z0-9_-]{35}").severity(High).entropy(3.5),
    Kind::token("google-access-token", "Google OAuth access token", &[b"ya29."], r"ya29\.[A-Za-z0-9_-]{30,500}").severity(High),
    Kind::token("google-client-secret", "Google OAuth client secret", &[b"GOCSPX-"], "GOCSPX-[A-Za-z0-9_-]{28}"),
    Kind::token("google-refresh-token", "Google OAuth refresh token", &[b"1//0"], "1//0[A-Za-z0-9_-]{40,200}").entropy(4.0),
    Kind::token("google-storage-hmac", "Google Cloud Storage HMAC id", &[b"GOOG1E"], "GOOG1E[A-Z0-9]{55}").severity(High),
    Kind::token("azure-storage-key", "Azure storage account key", &[b"AccountKey="], "(?i:AccountKey)=([A-Za-z0-9+/]{86}==)")
        .entropy(4.5)
        .examples(&["Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"]),
    Kind::token("azure-shared-access-key", "Azure shared access key", &[b"SharedAccessKey="], "(?i:SharedAccessKey)=([A-Za-z0-9+/]{43}=)").entropy(4.0),
    Kind::token("azure-shared-signature", "Azure shared access signature", &[b"&sig="], "&sig=([A-Za-z0-9%+/]{40,70}(?:=|%3[Dd]))").severity(High).entropy(4.0),
    Kind::token("azure-client-secret", "Azure application secret", &[b"7Q~", b"8Q~"], "[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}").lead(3).entropy(4.0),
    Kind::token("azure-identifiable-key", "Azure service key", &[b"+ASt", b"AzSe", b"AzFu", b"+ABa", b"+AMC", b"ACDb", b"+ARm", b"AIoT", b"+AEh"],
        r"[A-Za-z0-9/+]{42,76}(?:\+ASt|AzSe|AzFu|\+ABa|\+AMC|ACDb|\+ARm|AIoT|\+AEh)[A-D][A-Za-z0-9+/]{5}(?:==?)?").lead(76).entropy(4.5),
    Kind::token("azure-registry-key", "Azure container registry password", &[b"+ACR"], r"[A-Za-z0-9/+]{42}\+ACR[A-D][A-Za-z0-9+/]{5}").lead(42).entropy(4.3),
    Kind::token("azure-devops-token", "Azure DevOps personal access token", &[b"AZDO"], "[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}").lead(76).entropy(4.3),
    Kind::token("digitalocean-token", "DigitalOcean personal token", &[b"dop_v1_"], "dop_v1_[a-f0-9]{64}"),
    Kind::token("digitalocean-oauth-token", "DigitalOcean OAuth token", &[b"doo_v1_", b"dor_v1_"], "do[or]_v1_[a-f0-9]{64}"),
    Kind::assigned("digitalocean-spaces-key", "DigitalOcean Spaces secret", &[b"spaces_secret", b"spaces_key"], "[A-Za-z0-9/+]{43}").entropy(4.0),
    Kind::token("alibaba-access-key-id", "Alibaba Cloud access key id", &[b"LTAI"], "LTAI[A-Za-z0-9]{12,24}").severity(High).entropy(3.4),
    Kind::assigned("alibaba-secret", "Alibaba Cloud access key secret", &[b"aliyun", b"alibaba", b"alicloud", b"accesskeysecret", b"access_key_secret"], "[A-Za-z0-9]{30}").entropy(3.8),
    Kind::token("tencent-secret-id", "Tencent Cloud secret id", &[b"AKID"], "AKID[A-Za-z0-9]{32}").severity(High).entropy(3.8),
    Kind::assigned("ibm-cloud-key", "IBM Cloud API key", &[b"ibmcloud", b"ibm_cloud", b"bluemix", b"ic_api_key"], "[A-Za-z0-9_-]{44}").entropy(4.0),
    Kind::token("yandex-api-key", "Yandex Cloud API key", &[b"AQVN"], "AQVN[A-Za-z0-9_-]{35,38}").entropy(4.0),
    Kind::token("yandex-iam-token", "Yandex Cloud IAM token", &[b"t1.9eu"], r"t1\.9eu[A-Za-z0-9_-]{20,200}\.[A-Za-z0-9_-]{86}").severity(High),
    Kind::token("yandex-static-secret", "Yandex Cloud static access key", &[b"YCAJ"], "YCAJ[A-Za-z0-9_-]{21}").severity(High).entropy(3.5),
    Kind::assigned("hetzner-token", "Hetzner Cloud token", &[b"hcloud", b"hetzner"], "[A-Za-z0-9]{64}").entropy(4.3),
    Kind::assigned("linode-token", "Linode token", &[b"linode"], "[a-f0-9]{64}"),
    Kind::assigned("vultr-key", "Vultr API key", &[b"vultr"], "[A-Z0-9]{36}").entropy(3.5),
    Kind::assigned("scaleway-key", "Scaleway secret key", &[b"scw_secret", b"scaleway"], UUID),
    Kind::assigned("ovh-secret", "OVH application secret", &[b"ovh_"], "[A-Za-z0-9]{32}").entropy(3.8),
    Kind::assigned("exoscale-secret", "Exoscale secret", &[b"exoscale"], "[A-Za-z0-9_-]{43}").entropy(4.0),
    Kind::assigned("openstack-password", "OpenStack password", &[b"OS_PASSWORD", b"OS_APPLICATION_CREDENTIAL_SECRET"], r#"[^\s"'`]{8,100}"#).chosen(),
    Kind::assigned("backblaze-key", "Backblaze B2 application key", &[b"b2_app", b"b2_account", b"b2_key", b"backblaze"], "K00[0-9][A-Za-z0-9/+]{27}").entropy(3.8),
    Kind::assigned("wasabi-secret", "Wasabi secret", &[b"wasabi"], "[A-Za-z0-9/+]{40}").entropy(4.2),
];
