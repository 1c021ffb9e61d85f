//! An endpoint of its own for each test, and the SDK's clients of it.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use amint_cloud::{AccessKey, Clock, Endpoint, EndpointOptions, World, WorldOptions};
use amint_store::{PutRequest, Store};
use amint_types::{Architecture, BLOCK_BYTES, BlockSource, Cancel};
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use tempfile::TempDir;

use crate::witness::Witness;

pub(crate) const REGION: &str = "us-east-1";
pub(crate) const AWAY: &str = "eu-west-1";
pub(crate) const ACCOUNT: &str = amint_cloud::ACCOUNT_ID;
pub(crate) const OTHER_ACCOUNT: &str = "111122223333";
pub(crate) const DAY: u64 = 86_400;
/// How long a waiter really waits before it asks again: for machines, whose time is their own.
const POLL: Duration = Duration::from_millis(10);

/// The time of the endpoint and of its clients: the machine's, and what the test and waiters added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Time(Arc<AtomicU64>);

impl Time {
    pub(crate) fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl TimeSource for Time {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl AsyncSleep for Time {
    /// Waiters of the SDK ask again soon, and find that much time has passed.
    fn sleep(&self, duration: Duration) -> Sleep {
        self.0.fetch_add(u64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
        Sleep::new(tokio::time::sleep(POLL))
    }
}

/// A disk whose blocks are filled with a number each; 0 is a block that is not there.
struct Disk(Vec<u8>);

impl BlockSource for Disk {
    fn disk_bytes(&self) -> u64 {
        self.0.len() as u64 * BLOCK_BYTES
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> std::io::Result<Option<usize>> {
        let number = self.0[usize::try_from(index).unwrap()];
        if number == 0 {
            return Ok(None);
        }
        let length = usize::try_from(BLOCK_BYTES).unwrap();
        buffer[..length].fill(number);
        Ok(Some(length))
    }
}

pub(crate) struct Bench {
    _folder: TempDir,
    pub(crate) time: Time,
    pub(crate) witness: Witness,
    key: AccessKey,
    config: SdkConfig,
}

impl Bench {
    /// Starts an endpoint with one image, whose time the test moves.
    pub(crate) fn new() -> Self {
        Self::with(|_| WorldOptions { page_default: Some(2), ..WorldOptions::default() })
    }

    /// As [`new`](Self::new), with further options, for which there is a folder.
    pub(crate) fn with(options: impl FnOnce(&TempDir) -> WorldOptions) -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let request = PutRequest {
            name: "web".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            architecture: Architecture::X86_64,
            created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            documents: Vec::new(),
        };
        store.put(&request, &Disk(vec![1, 0, 3, 4]), &|_, _| {}, &Cancel::new()).unwrap();
        let time = Time::default();
        let ticking = time.clone();
        let clock = Clock::with(1, move || ticking.now().try_into().unwrap());
        let world = World::open(store, WorldOptions { clock, ..options(&folder) }).unwrap();
        let key = AccessKey::generate().unwrap();
        let options = EndpointOptions { key: key.clone(), is_open: false };
        let served = Endpoint::new(world, options);
        let url = crate::common::serve(served);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(url)
            .region(Region::new(REGION))
            .credentials_provider(credentials(key.id(), key.secret(), None))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .time_source(SharedTimeSource::new(time.clone()))
            .sleep_impl(SharedAsyncSleep::new(time.clone()))
            // What HTTP tells is the machine's time.
            .disable_clock_skew_correction(true)
            // By that sleep, whatever has a limit would be over at once.
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(RetryConfig::disabled())
            .build();
        Self { _folder: folder, time, witness: Witness::default(), key, config }
    }

    /// Lets clients try three times what fails for now.
    pub(crate) fn trying(self) -> Self {
        let config =
            self.config.to_builder().retry_config(RetryConfig::standard().with_max_attempts(3)).build();
        Self { config, ..self }
    }

    /// Lets clients sign with other keys.
    pub(crate) fn signing(self, id: &str, secret: &str) -> Self {
        let config = self.by(id, secret, None);
        Self { config, ..self }
    }

    /// Returns the clients of another region.
    pub(crate) fn in_region(&self, region: &'static str) -> SdkConfig {
        self.config.to_builder().region(Region::new(region)).build()
    }

    /// Returns the clients of whoever has a key.
    pub(crate) fn by(&self, id: &str, secret: &str, token: Option<&str>) -> SdkConfig {
        self.config.to_builder().credentials_provider(credentials(id, secret, token)).build()
    }

    /// Returns the clients of another account.
    pub(crate) fn of_account(&self, account: &str) -> SdkConfig {
        let key = self.key.of_account(account).unwrap();
        self.by(key.id(), key.secret(), None)
    }

    pub(crate) fn key_id(&self) -> &str {
        self.key.id()
    }

    pub(crate) fn ec2(&self) -> aws_sdk_ec2::Client {
        self.ec2_of(&self.config)
    }

    pub(crate) fn ec2_of(&self, config: &SdkConfig) -> aws_sdk_ec2::Client {
        let builder = aws_sdk_ec2::config::Builder::from(config).interceptor(self.witness.clone());
        aws_sdk_ec2::Client::from_conf(builder.build())
    }

    pub(crate) fn sts_of(&self, config: &SdkConfig) -> aws_sdk_sts::Client {
        let builder = aws_sdk_sts::config::Builder::from(config).interceptor(self.witness.clone());
        aws_sdk_sts::Client::from_conf(builder.build())
    }

    /// Runs a scenario, and looks whether all that it lists was answered.
    pub(crate) fn run(&self, operations: &[&str], scenario: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(scenario);
        self.witness.assert_succeeded(operations);
    }
}

macro_rules! clients {
    ($($name:ident: $service:ident),*) => {
        impl Bench {
            $(pub(crate) fn $name(&self) -> $service::Client {
                let builder = $service::config::Builder::from(&self.config).interceptor(self.witness.clone());
                $service::Client::from_conf(builder.build())
            })*
        }
    };
}

clients!(
    autoscaling: aws_sdk_autoscaling,
    catalog: aws_sdk_marketplacecatalog,
    cloudtrail: aws_sdk_cloudtrail,
    ebs: aws_sdk_ebs,
    iam: aws_sdk_iam,
    kms: aws_sdk_kms,
    organizations: aws_sdk_organizations,
    quotas: aws_sdk_servicequotas,
    rbin: aws_sdk_rbin,
    ssm: aws_sdk_ssm,
    sts: aws_sdk_sts
);

fn credentials(id: &str, secret: &str, token: Option<&str>) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new(id, secret, token.map(str::to_owned), None, "test"))
}

/// Does what has to be refused, and returns the code, as the SDK reads both code and request id.
pub(crate) fn refused<T: Debug, E>(result: Result<T, SdkError<E, HttpResponse>>) -> String
where
    E: ProvideErrorMetadata + RequestId + Debug,
{
    let error = result.unwrap_err();
    assert!(error.request_id().is_some_and(|id| !id.is_empty()), "no request id: {error:?}");
    assert!(error.message().is_some_and(|words| !words.is_empty()), "no message: {error:?}");
    error.code().unwrap_or_else(|| panic!("no code: {error:?}")).to_owned()
}
