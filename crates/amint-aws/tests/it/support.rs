//! An endpoint, a store, and images in it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use amint_aws::{AwsRegion, Connection, Endpoint};
use amint_cloud::{AccessKey, ChaosOptions, Clock, EndpointOptions, World, WorldOptions};
use amint_publish::calls::{CALLS, Effect, Purpose};
use amint_publish::{Applied, ApplyError, Batch, Copies, Plan, Wanted, apply_all, plan_all};
use amint_store::{ImageRecord, PutRequest, Store};
use amint_types::{Architecture, BLOCK_BYTES, BlockSource, Cancel};
use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use tempfile::TempDir;

const SECRET: &str = "no secret at all, but forty characters..";

/// A disk whose blocks are told by a number each; 0 is a block that is not there. The last one is short.
pub(crate) struct Disk(pub(crate) Vec<u64>);

impl BlockSource for Disk {
    fn disk_bytes(&self) -> u64 {
        self.0.len() as u64 * BLOCK_BYTES - BLOCK_BYTES / 2
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let number = self.0[usize::try_from(index).unwrap()];
        if number == 0 {
            return Ok(None);
        }
        let length = usize::try_from((self.disk_bytes() - index * BLOCK_BYTES).min(BLOCK_BYTES)).unwrap();
        for (place, chunk) in (0_u64..).zip(buffer[..length].chunks_mut(8)) {
            chunk.copy_from_slice(&(number << 32 | place).to_le_bytes()[..chunk.len()]);
        }
        Ok(Some(length))
    }
}

/// Blocks as a file system has them: some, and holes.
pub(crate) fn content(blocks: u64) -> Vec<u64> {
    (1..=blocks).map(|number| if number % 7 == 0 { 0 } else { number }).collect()
}

pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) store: Store,
    endpoint: Endpoint,
}

impl Bench {
    /// Starts an endpoint of its own, with a store of its own: it knows nothing of the images that come.
    pub(crate) fn new() -> Self {
        Self::with_chaos("")
    }

    /// As [`new`](Self::new), on a bad day.
    pub(crate) fn with_chaos(chaos: &str) -> Self {
        let chaos: ChaosOptions = chaos.parse().unwrap();
        let folder = TempDir::new().unwrap();
        let world = World::open(
            Store::open(&folder.path().join("cloud")).unwrap(),
            // Small pages, and no long waits.
            WorldOptions { page_default: Some(2), clock: Clock::new(600), chaos, ..WorldOptions::default() },
        );
        let key = AccessKey::from_secret_text(&format!("AKIAEXAMPLE {}", SECRET.replace(' ', "+"))).unwrap();
        let options = EndpointOptions { key, is_open: false };
        let served = amint_cloud::Endpoint::new(world.unwrap(), options);
        let url = crate::common::serve(served);
        let endpoint = Endpoint {
            url,
            region: "us-east-1".to_owned(),
            access_key_id: "AKIAEXAMPLE".to_owned(),
            secret_access_key: SECRET.replace(' ', "+"),
        };
        let store = Store::open(&folder.path().join("home")).unwrap();
        Self { folder, store, endpoint }
    }

    pub(crate) fn put(&self, version: &str, disk: Vec<u64>) -> ImageRecord {
        let request = PutRequest {
            name: "web".parse().unwrap(),
            version: version.parse().unwrap(),
            architecture: Architecture::X86_64,
            created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            documents: Vec::new(),
        };
        self.store.put(&request, &Disk(disk), &|_, _| {}, &Cancel::new()).unwrap().record
    }

    pub(crate) async fn connect(&self, purpose: Purpose) -> Connection {
        Connection::to(purpose, &self.endpoint).await.unwrap()
    }

    pub(crate) async fn connect_with(&self, secret: &str) -> Connection {
        let endpoint = Endpoint { secret_access_key: secret.to_owned(), ..self.endpoint.clone() };
        Connection::to(Purpose::Publish, &endpoint).await.unwrap()
    }

    /// Returns what the SDK's own clients need, for what amint itself never asks.
    pub(crate) fn sdk_config(&self) -> aws_types::SdkConfig {
        let Endpoint { url, region, access_key_id, secret_access_key } = &self.endpoint;
        let keys = Credentials::new(access_key_id, secret_access_key, None, None, "test");
        aws_types::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_types::region::Region::new(region.clone()))
            .endpoint_url(url)
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("publish")
    }

    /// Publishes by a connection of its own, and returns what it sent.
    pub(crate) async fn publish(
        &self,
        record: &ImageRecord,
        wanted: &Wanted,
        regions: &[&str],
        copies: Copies,
    ) -> Run {
        self.try_publish(record, wanted, regions, copies).await.unwrap()
    }

    /// As [`publish`](Self::publish), where planning may fail.
    pub(crate) async fn try_publish(
        &self,
        record: &ImageRecord,
        wanted: &Wanted,
        regions: &[&str],
        copies: Copies,
    ) -> Result<Run, ApplyError> {
        let connection = self.connect(Purpose::Publish).await;
        let regions: Vec<AwsRegion> = regions.iter().map(|name| connection.in_region(name)).collect();
        let (cancel, folder) = (Cancel::new(), self.folder());
        let manifest = self.store.manifest(record.digest).unwrap();
        let known = |digest| self.store.manifest(digest).ok();
        let plans = plan_all(&regions, wanted, &manifest, &known, copies, &cancel).await?;
        let batch =
            Batch { regions: &regions, plans: &plans, wanted, record, store: &self.store, folder: &folder };
        let results = apply_all(&batch, &|_, _| {}, &cancel).await;
        Ok(Run { plans, results, sent: connection.sent() })
    }
}

pub(crate) struct Run {
    pub(crate) plans: Vec<Plan>,
    pub(crate) results: Vec<Result<Applied, ApplyError>>,
    pub(crate) sent: BTreeMap<&'static str, u64>,
}

impl Run {
    pub(crate) fn applied(&self, index: usize) -> &Applied {
        self.results[index].as_ref().unwrap()
    }

    /// Returns the requests that change something.
    pub(crate) fn changes(&self) -> BTreeSet<&'static str> {
        let changing = CALLS.iter().filter(|call| call.effect == Effect::Changes).map(|call| call.action);
        changing.filter(|action| self.sent.contains_key(action)).collect()
    }
}
