//! Credentials, region, endpoint and the way there: where every tool of AWS looks for them.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use std::{env, fmt, fs, io};

use amint_publish::calls::Purpose;
use amint_publish::marketplace::REGION;
use aws_config::identity::IdentityCache;
use aws_config::{BehaviorVersion, ConfigLoader, Region as RegionName, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::gate::Gate;
use crate::marketplace::AwsCatalog;
use crate::region::AwsRegion;

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long a request may take, with the largest body that there is (512 KiB) over a slow line.
const REQUEST_MAX: Duration = Duration::from_mins(1);

/// What sessions of roles are called in records of calls.
const SESSION: &str = "amint-publish";

/// There is no way to AWS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The file with certificates cannot be read (`AWS_CA_BUNDLE`).
    #[error("failed to read the certificates of AWS_CA_BUNDLE, `{path}`")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Nobody answers at an endpoint of this machine.
    #[error("nobody answers at the endpoint {endpoint}")]
    NobodyThere {
        /// The endpoint.
        endpoint: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// An endpoint whose keys are at hand.
#[derive(Clone)]
pub struct Endpoint {
    /// `http://127.0.0.1:4577`.
    pub url: String,
    /// The region to begin in.
    pub region: String,
    /// Which pair of keys requests are signed with.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Endpoint")
            .field("url", &self.url)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// A way to AWS: credentials, settings, connections.
#[derive(Clone, Debug)]
pub struct Connection {
    config: SdkConfig,
    gate: Gate,
}

impl Connection {
    /// Finds credentials, region and endpoint: variables, configuration files with profiles, SSO, processes, containers,
    /// instance metadata. Nothing is asked of AWS yet.
    ///
    /// # Errors
    /// Fails when `AWS_CA_BUNDLE` names a file that cannot be read, or an endpoint of this machine does not answer.
    pub async fn open(purpose: Purpose) -> Result<Self, ConnectError> {
        Self::load(purpose, aws_config::defaults(BehaviorVersion::latest())).await
    }

    /// Goes to an endpoint with a pair of keys, whatever the environment says: to amint's own endpoint in tests.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn to(purpose: Purpose, endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let keys = Credentials::builder()
            .access_key_id(&endpoint.access_key_id)
            .secret_access_key(&endpoint.secret_access_key)
            .provider_name("amint")
            .build();
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(&endpoint.url)
            .region(RegionName::new(endpoint.region.clone()))
            .credentials_provider(keys);
        Self::load(purpose, loader).await
    }

    async fn load(purpose: Purpose, loader: ConfigLoader) -> Result<Self, ConnectError> {
        let client = http_client()?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_MAX)
            .operation_attempt_timeout(REQUEST_MAX)
            .build();
        let config = loader
            .http_client(client)
            .sleep_impl(TokioSleep::new())
            // Whether a request may be sent again depends on what it does: the engines know.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .load()
            .await;
        check_endpoint(config.endpoint_url())?;
        Ok(Self { config, gate: Gate::new(purpose) })
    }

    /// Goes into another account by a role. The role is assumed when something is asked there, and again before its
    /// credentials end.
    #[must_use]
    pub fn assume(&self, role: &str) -> Self {
        let region = self.region().unwrap_or_else(|| REGION.to_owned());
        let provider = Assumed { sts: self.in_region(&region).sts, role: role.to_owned() };
        let config = self
            .config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(provider))
            .identity_cache(IdentityCache::lazy().build())
            .build();
        Self { config, gate: self.gate.clone() }
    }

    /// Returns the region that the environment or the profile names.
    pub fn region(&self) -> Option<String> {
        self.config.region().map(ToString::to_string)
    }

    /// Returns the endpoint, where it is not AWS's own.
    pub fn endpoint(&self) -> Option<&str> {
        self.config.endpoint_url()
    }

    /// Returns a region.
    pub fn in_region(&self, name: &str) -> AwsRegion {
        let config = self.config.to_builder().region(RegionName::new(name.to_owned())).build();
        AwsRegion {
            name: name.to_owned(),
            ebs: aws_sdk_ebs::Client::from_conf(
                aws_sdk_ebs::config::Builder::from(&config).interceptor(self.gate.clone()).build(),
            ),
            ec2: aws_sdk_ec2::Client::from_conf(
                aws_sdk_ec2::config::Builder::from(&config).interceptor(self.gate.clone()).build(),
            ),
            kms: aws_sdk_kms::Client::from_conf(
                aws_sdk_kms::config::Builder::from(&config).interceptor(self.gate.clone()).build(),
            ),
            organizations: aws_sdk_organizations::Client::from_conf(
                aws_sdk_organizations::config::Builder::from(&config).interceptor(self.gate.clone()).build(),
            ),
            quotas: aws_sdk_servicequotas::Client::from_conf(
                aws_sdk_servicequotas::config::Builder::from(&config).interceptor(self.gate.clone()).build(),
            ),
            ssm: aws_sdk_ssm::Client::from_conf(
                aws_sdk_ssm::config::Builder::from(&config).interceptor(self.gate.clone()).build(),
            ),
            sts: aws_sdk_sts::Client::from_conf(
                aws_sdk_sts::config::Builder::from(&config).interceptor(self.gate.clone()).build(),
            ),
        }
    }

    /// Returns AWS Marketplace's catalog.
    pub fn catalog(&self) -> AwsCatalog {
        let config = self.config.to_builder().region(RegionName::from_static(REGION)).build();
        AwsCatalog {
            catalog: aws_sdk_marketplacecatalog::Client::from_conf(
                aws_sdk_marketplacecatalog::config::Builder::from(&config)
                    .interceptor(self.gate.clone())
                    .build(),
            ),
            iam: aws_sdk_iam::Client::from_conf(
                aws_sdk_iam::config::Builder::from(&config).interceptor(self.gate.clone()).build(),
            ),
        }
    }

    /// Returns how often each request was sent, in all regions.
    pub fn sent(&self) -> BTreeMap<&'static str, u64> {
        self.gate.sent()
    }
}

/// The credentials of a role.
#[derive(Debug)]
struct Assumed {
    sts: aws_sdk_sts::Client,
    role: String,
}

impl Assumed {
    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let request = self.sts.assume_role().role_arn(&self.role).role_session_name(SESSION);
        let answer = request.send().await.map_err(CredentialsError::provider_error)?;
        let given = answer.credentials.ok_or_else(|| CredentialsError::unhandled("no credentials came"))?;
        let expires = SystemTime::try_from(*given.expiration()).ok();
        let (id, secret) = (given.access_key_id(), given.secret_access_key());
        Ok(Credentials::new(id, secret, Some(given.session_token().to_owned()), expires, "amint"))
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

/// Makes the one client that all services and regions share: its connections are used again.
fn http_client() -> Result<SharedHttpClient, ConnectError> {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_MAX).build();
    let builder: ConnectorBuilder = Connector::builder();
    let connector = builder
        .sleep_impl(TokioSleep::new())
        .connector_settings(settings)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::rustls(CryptoMode::Ring))
        .tls_context(tls_context()?)
        .build();
    let connector = SharedHttpConnector::new(connector);
    Ok(http_client_fn(move |_, _| connector.clone()))
}

/// Trusts what the system trusts, or the certificates of `AWS_CA_BUNDLE` instead, as other tools of AWS do.
fn tls_context() -> Result<TlsContext, ConnectError> {
    let mut store = TrustStore::default();
    if let Some(path) = env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()).map(PathBuf::from) {
        let pem = fs::read(&path).map_err(|source| ConnectError::Certificates { path, source })?;
        store = TrustStore::empty().with_pem_certificate(pem);
    }
    let builder = TlsContext::builder().with_trust_store(store);
    Ok(builder.build().expect("a context without further names cannot fail"))
}

/// Looks whether an endpoint of this machine answers: it does at once, or not at all.
fn check_endpoint(endpoint: Option<&str>) -> Result<(), ConnectError> {
    let Some(endpoint) = endpoint else { return Ok(()) };
    let authority = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let Ok(address) = authority.parse::<SocketAddr>() else { return Ok(()) };
    if !address.ip().is_loopback() {
        return Ok(());
    }
    match TcpStream::connect_timeout(&address, CONNECT_MAX) {
        Ok(_) => Ok(()),
        Err(source) => Err(ConnectError::NobodyThere { endpoint: endpoint.to_owned(), source }),
    }
}
