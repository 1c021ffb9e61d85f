//! A region in memory, with faults.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use amint_store::{ImageRecord, Manifest, PutRequest, Store, manifest_of};
use amint_types::{Architecture, BLOCK_BYTES, BlockSource, Cancel, Digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::FutureExt;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use crate::cloud::{
    BlockData, CloudError, CloudErrorClass, CloudImage, CloudSnapshot, CompleteSnapshot, CopyImage, Listed,
    Protection, Region, RegisterImage, SnapshotState, StartSnapshot, StartedSnapshot, Tags,
};
use crate::keys::CloudKey;
use crate::parameters::{Parameter, ParameterVersion, Parameters, PutParameter};
use crate::wanted::Wanted;

const BLOCK: usize = 512 << 10;

/// A disk of which each block is filled with one byte.
pub(crate) struct Disk<'a>(pub(crate) &'a [u8]);

impl BlockSource for Disk<'_> {
    fn disk_bytes(&self) -> u64 {
        self.0.len() as u64 * BLOCK_BYTES
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let fill = self.0[usize::try_from(index).unwrap()];
        if fill == 0 {
            return Ok(None);
        }
        buffer[..BLOCK].fill(fill);
        Ok(Some(BLOCK))
    }
}

pub(crate) fn manifest(content: &[u8]) -> Manifest {
    manifest_of(&Disk(content), &Cancel::new()).unwrap()
}

pub(crate) fn digest_of(content: &[u8]) -> Digest {
    manifest(content).digest()
}

/// Stores an image, and returns the store that holds it.
pub(crate) fn stored(content: &[u8]) -> (tempfile::TempDir, Store, ImageRecord) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let record = put(&store, "1.0.0", content);
    (folder, store, record)
}

/// Stores a version of the image.
pub(crate) fn put(store: &Store, version: &str, content: &[u8]) -> ImageRecord {
    let request = PutRequest {
        name: "web".parse().unwrap(),
        version: version.parse().unwrap(),
        architecture: Architecture::X86_64,
        created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        documents: Vec::new(),
    };
    store.put(&request, &Disk(content), &|_, _| {}, &Cancel::new()).unwrap().record
}

pub(crate) fn record(content: &[u8]) -> ImageRecord {
    stored(content).2
}

pub(crate) fn wanted(content: &[u8]) -> Wanted {
    Wanted::of(&record(content), &Tags::new())
}

/// Returns the image that a right registration makes.
pub(crate) fn image_of(wanted: &Wanted, id: &str, snapshot_id: &str) -> CloudImage {
    made(id, &wanted.registration(snapshot_id))
}

fn made(id: &str, request: &RegisterImage) -> CloudImage {
    CloudImage {
        id: id.to_owned(),
        name: request.name.clone(),
        state: "available".to_owned(),
        architecture: request.architecture.to_owned(),
        virtualization: "hvm".to_owned(),
        boot_mode: Some(request.boot_mode.to_owned()),
        has_ena: true,
        imds_support: Some("v2.0".to_owned()),
        platform_details: Some("Linux/UNIX".to_owned()),
        root_device: Some(request.root_device.to_owned()),
        snapshot_id: Some(request.snapshot_id.clone()),
        snapshot_ids: [request.snapshot_id.clone()].into(),
        deprecated_at: None,
        protection: None,
        watermarks: BTreeSet::new(),
        volume_gib: Some(request.volume_gib),
        volume_type: Some(request.volume_type.to_owned()),
        is_deleted_on_termination: true,
        is_encrypted: false,
        owner: None,
        is_public: false,
        root_device_type: Some("ebs".to_owned()),
        has_instance_types: false,
        created: Some(Timestamp::UNIX_EPOCH),
        product_codes: Vec::new(),
        tags: request.tags.clone(),
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Where the random numbers begin; 0 means that nothing goes wrong at random.
    pub(crate) seed: u64,
    /// At which call something happens, counted from 1.
    pub(crate) stop_at: Option<u64>,
    /// What happens at that call.
    pub(crate) stop: Stop,
    /// Whether images come out without their billing.
    pub(crate) is_billing_lost: bool,
    /// Whether new snapshots are encrypted.
    pub(crate) is_encrypted: bool,
    /// Whether no parameter may be set.
    pub(crate) is_put_denied: bool,
    /// Which block that comes is never answered, counted from 1.
    pub(crate) stall_at: Option<u64>,
    /// The tag policy of the account.
    pub(crate) tag_policy: Option<&'static str>,
    /// How many images the account may have.
    pub(crate) image_quota: Option<u64>,
}

/// What happens at one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stop {
    /// From it on nothing answers; odd calls do what they were asked first.
    #[default]
    Alternate,
    /// From it on nothing is done, and nothing answers.
    Before,
    /// It does what it was asked, and from then on nothing answers.
    After,
    /// It does what it was asked, and its answer alone is lost.
    Lose,
}

/// A region in memory.
pub(crate) struct Fake {
    name: &'static str,
    state: Arc<Mutex<State>>,
    stopped: Notify,
    /// The region that copies come from.
    elsewhere: Option<Arc<Mutex<State>>>,
}

#[derive(Default)]
struct State {
    faults: Faults,
    calls: u64,
    /// Calls that changed something.
    changes: u64,
    puts: u64,
    /// Blocks that came, those too that were not answered.
    arrived: u64,
    next: u64,
    random: u64,
    snapshots: BTreeMap<String, FakeSnapshot>,
    images: BTreeMap<String, CloudImage>,
    tokens: HashMap<String, (StartSnapshot, String)>,
    copies: HashMap<String, String>,
    /// The accounts that images and snapshots are shared with.
    accounts: BTreeMap<String, BTreeSet<String>>,
    /// The values of parameters, oldest first, and their tags.
    parameters: BTreeMap<String, (Vec<ParameterVersion>, Tags)>,
}

struct FakeSnapshot {
    told: CloudSnapshot,
    blocks: BTreeMap<u64, Bytes>,
    /// The blocks that were written to this one, rather than to its parent.
    written: BTreeMap<u64, [u8; 32]>,
}

impl Fake {
    pub(crate) fn new(faults: Faults) -> Self {
        let state = State { faults, random: faults.seed, ..State::default() };
        Self {
            name: "eu-west-1",
            state: Arc::new(Mutex::new(state)),
            stopped: Notify::new(),
            elsewhere: None,
        }
    }

    /// Makes another region, which copies come to.
    pub(crate) fn beside(elsewhere: &Self, faults: Faults) -> Self {
        Self { name: "us-east-1", elsewhere: Some(Arc::clone(&elsewhere.state)), ..Self::new(faults) }
    }

    /// Returns the accounts that an image or a snapshot is shared with.
    pub(crate) fn accounts(&self, id: &str) -> BTreeSet<String> {
        self.state().accounts.get(id).cloned().unwrap_or_default()
    }

    /// Lets an image be there.
    pub(crate) fn put_image(&self, image: CloudImage) {
        self.state().images.insert(image.id.clone(), image);
    }

    /// Returns names and values of all parameters.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let state = self.state();
        let newest = |values: &[ParameterVersion]| values.last().unwrap().value.clone();
        state.parameters.iter().map(|(name, (values, _))| (name.clone(), newest(values))).collect()
    }

    /// Lets a parameter be there that somebody else made.
    pub(crate) fn put_foreign_parameter(&self, name: &str, value: &str) {
        let first = ParameterVersion { version: 1, value: value.to_owned(), description: "mine".to_owned() };
        self.state().parameters.insert(name.to_owned(), (vec![first], Tags::new()));
    }

    /// Lets a parameter be there that amint made.
    pub(crate) fn put_own_parameter(&self, name: &str, value: &str) {
        self.put_foreign_parameter(name, value);
        let mut state = self.state();
        let tags = &mut state.parameters.get_mut(name).unwrap().1;
        tags.insert(crate::wanted::MANAGED_TAG.to_owned(), "true".to_owned());
    }

    /// Forgets an image, as who deregisters it does.
    pub(crate) fn forget_image(&self, id: &str) {
        self.state().images.remove(id);
    }

    /// Forgets a snapshot, as who deletes it does.
    pub(crate) fn forget_snapshot(&self, id: &str) {
        self.state().snapshots.remove(id);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when a call is never answered.
    pub(crate) async fn stopped(&self) {
        self.stopped.notified().await;
    }

    /// Lets something go wrong from now on: calls are counted anew.
    pub(crate) fn afflict(&self, faults: Faults) {
        // A call that was stopped before is nothing to be told of any more.
        let _ = self.stopped.notified().now_or_never();
        let mut state = self.state();
        (state.faults, state.calls) = (faults, 0);
    }

    /// Returns the image of a name.
    pub(crate) fn image_named(&self, name: &str) -> Option<CloudImage> {
        self.state().images.values().find(|image| image.name == name).cloned()
    }

    /// Returns the snapshots that no image has.
    pub(crate) fn unused(&self) -> Vec<String> {
        let state = self.state();
        let is_used = |id: &String| state.images.values().any(|image| image.snapshot_ids.contains(id));
        state.snapshots.keys().filter(|id| !is_used(id)).cloned().collect()
    }

    /// Lets everything work from now on.
    pub(crate) fn heal(&self) {
        self.state().faults = Faults::default();
    }

    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    pub(crate) fn changes(&self) -> u64 {
        self.state().changes
    }

    /// Returns how many blocks came.
    pub(crate) fn puts(&self) -> u64 {
        self.state().puts
    }

    /// Returns the ids of all snapshots and images.
    pub(crate) fn ids(&self) -> (Vec<String>, Vec<String>) {
        let state = self.state();
        (state.snapshots.keys().cloned().collect(), state.images.keys().cloned().collect())
    }

    /// Gives a snapshot up, as the service does when no block comes.
    pub(crate) fn give_up(&self, id: &str) {
        self.state().snapshots.get_mut(id).unwrap().told.state = SnapshotState::Unusable;
    }

    /// Begins a snapshot.
    pub(crate) async fn start_for_test(&self) -> String {
        let request = StartSnapshot {
            volume_gib: 1,
            parent_id: None,
            key: None,
            description: String::new(),
            client_token: "token".to_owned(),
            tags: Tags::new(),
            timeout_minutes: 60,
        };
        self.start_snapshot(&request).await.unwrap().id
    }

    /// Spoils a block.
    pub(crate) fn spoil(&self, id: &str, index: u64) {
        let mut state = self.state();
        state.snapshots.get_mut(id).unwrap().blocks.insert(index, Bytes::from(vec![255; BLOCK]));
    }

    /// Does something, or goes wrong before or after it.
    async fn call<T>(
        &self,
        operation: &'static str,
        act: impl FnOnce(&mut State) -> Result<T, CloudError> + Send,
    ) -> Result<T, CloudError> {
        let fail = |class, message: &str| error(operation, class, message);
        let (fate, answer) = {
            let mut state = self.state();
            state.calls += 1;
            let fate = state.fate();
            match fate {
                Fate::Throttle => return Err(fail(CloudErrorClass::Throttled, "slow down")),
                Fate::Break => return Err(fail(CloudErrorClass::Transient, "connection reset")),
                Fate::StopBefore => (fate, None),
                Fate::Answer | Fate::Lose | Fate::StopAfter => (fate, Some(act(&mut state))),
            }
        };
        match (fate, answer) {
            (Fate::Answer, Some(answer)) => answer,
            (Fate::Lose, _) => Err(fail(CloudErrorClass::Transient, "the answer was lost")),
            _ => {
                self.stopped.notify_one();
                std::future::pending().await
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Fate {
    Answer,
    Throttle,
    Break,
    Lose,
    StopBefore,
    StopAfter,
}

impl State {
    fn fate(&mut self) -> Fate {
        if let Some(at) = self.faults.stop_at.filter(|at| self.calls >= *at) {
            let is_it = self.calls == at;
            match self.faults.stop {
                Stop::Alternate if self.calls % 2 == 1 => return Fate::StopAfter,
                Stop::Alternate | Stop::Before => return Fate::StopBefore,
                Stop::After => return if is_it { Fate::StopAfter } else { Fate::StopBefore },
                Stop::Lose if is_it => return Fate::Lose,
                Stop::Lose => {}
            }
        }
        if self.faults.seed == 0 {
            return Fate::Answer;
        }
        // xorshift64 (Marsaglia, "Xorshift RNGs").
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        match self.random % 10 {
            0 => Fate::Throttle,
            1 => Fate::Break,
            2 => Fate::Lose,
            _ => Fate::Answer,
        }
    }

    fn share(&mut self, id: &str, accounts: &BTreeSet<String>) {
        self.accounts.entry(id.to_owned()).or_default().extend(accounts.iter().cloned());
        self.changes += 1;
    }

    fn id(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}-{:017x}", self.next)
    }
}

fn error(operation: &'static str, class: CloudErrorClass, message: &str) -> CloudError {
    let (region, code) = ("eu-west-1".to_owned(), None);
    CloudError { operation, region, class, code, message: message.to_owned(), request_id: None }
}

impl Region for Fake {
    fn name(&self) -> &str {
        self.name
    }

    async fn account(&self) -> Result<String, CloudError> {
        self.call("sts:GetCallerIdentity", |_| Ok("123456789012".to_owned())).await
    }

    async fn is_encrypted_by_default(&self) -> Result<bool, CloudError> {
        self.call("ec2:GetEbsEncryptionByDefault", |state| Ok(state.faults.is_encrypted)).await
    }

    async fn images_named(&self, name: &str) -> Result<Vec<CloudImage>, CloudError> {
        self.call("ec2:DescribeImages", |state| {
            Ok(state.images.values().filter(|image| image.name == name).cloned().collect())
        })
        .await
    }

    async fn image(&self, id: &str) -> Result<Option<CloudImage>, CloudError> {
        self.call("ec2:DescribeImages", |state| Ok(state.images.get(id).cloned())).await
    }

    async fn snapshots_tagged(&self, key: &str, value: &str) -> Result<Vec<CloudSnapshot>, CloudError> {
        self.call("ec2:DescribeSnapshots", |state| {
            let all = state.snapshots.values().map(|snapshot| &snapshot.told);
            Ok(all.filter(|told| told.tags.get(key).is_some_and(|found| found == value)).cloned().collect())
        })
        .await
    }

    async fn snapshot(&self, id: &str) -> Result<Option<CloudSnapshot>, CloudError> {
        self.call("ec2:DescribeSnapshots", |state| {
            Ok(state.snapshots.get(id).map(|snapshot| snapshot.told.clone()))
        })
        .await
    }

    async fn start_snapshot(&self, request: &StartSnapshot) -> Result<StartedSnapshot, CloudError> {
        self.call("ebs:StartSnapshot", |state| {
            let started = |id: &str| StartedSnapshot {
                id: id.to_owned(),
                block_bytes: BLOCK_BYTES,
                state: SnapshotState::Pending,
            };
            if let Some((known, id)) = state.tokens.get(&request.client_token) {
                assert_eq!(known, request, "one token, two requests");
                return Ok(started(id));
            }
            let id = state.id("snap");
            let blocks = match &request.parent_id {
                Some(parent) => state.snapshots[parent].blocks.clone(),
                None => BTreeMap::new(),
            };
            let of_parent = request.parent_id.as_ref().and_then(|id| state.snapshots[id].told.key.clone());
            let key = request.key.clone().or(of_parent);
            let told = CloudSnapshot {
                id: id.clone(),
                state: SnapshotState::Pending,
                volume_gib: request.volume_gib,
                is_encrypted: state.faults.is_encrypted || key.is_some(),
                key,
                started: Timestamp::UNIX_EPOCH,
                tags: request.tags.clone(),
            };
            state.changes += 1;
            state.snapshots.insert(id.clone(), FakeSnapshot { told, blocks, written: BTreeMap::new() });
            state.tokens.insert(request.client_token.clone(), (request.clone(), id.clone()));
            Ok(started(&id))
        })
        .await
    }

    async fn put_block(&self, snapshot_id: &str, index: u64, block: &BlockData) -> Result<(), CloudError> {
        let is_stalled = {
            let mut state = self.state();
            state.arrived += 1;
            state.faults.stall_at == Some(state.arrived)
        };
        if is_stalled {
            return std::future::pending().await;
        }
        self.call("ebs:PutSnapshotBlock", |state| {
            let Some(snapshot) = state.snapshots.get_mut(snapshot_id) else {
                return Err(error("ebs:PutSnapshotBlock", CloudErrorClass::NotFound, "no such snapshot"));
            };
            assert_eq!(snapshot.told.state, SnapshotState::Pending, "a block after the end");
            let digest: [u8; 32] = Sha256::digest(&block.bytes).into();
            assert_eq!(
                (block.bytes.len(), block.checksum.as_str()),
                (BLOCK, STANDARD.encode(digest).as_str())
            );
            // A copy: the memory of blocks on their way is wanted back.
            snapshot.blocks.insert(index, Bytes::copy_from_slice(&block.bytes));
            snapshot.written.insert(index, digest);
            state.puts += 1;
            state.changes += 1;
            Ok(())
        })
        .await
    }

    async fn complete_snapshot(&self, request: &CompleteSnapshot) -> Result<(), CloudError> {
        self.call("ebs:CompleteSnapshot", |state| {
            let Some(snapshot) = state.snapshots.get_mut(&request.id) else {
                return Err(error("ebs:CompleteSnapshot", CloudErrorClass::NotFound, "no such snapshot"));
            };
            if snapshot.told.state != SnapshotState::Pending {
                let message = "the snapshot takes no more blocks";
                return Err(error("ebs:CompleteSnapshot", CloudErrorClass::Invalid, message));
            }
            let mut hasher = Sha256::new();
            for digest in snapshot.written.values() {
                hasher.update(digest);
            }
            let is_told = request.blocks == snapshot.written.len() as u64;
            if !is_told || request.checksum != STANDARD.encode(hasher.finalize()) {
                let message = "the blocks are not those that were sent";
                return Err(error("ebs:CompleteSnapshot", CloudErrorClass::Invalid, message));
            }
            snapshot.told.state = SnapshotState::Completed;
            state.changes += 1;
            Ok(())
        })
        .await
    }

    async fn list_blocks(&self, snapshot_id: &str, page: Option<&str>) -> Result<Listed, CloudError> {
        self.call("ebs:ListSnapshotBlocks", |state| {
            let start: u64 = page.map_or(0, |page| page.parse().unwrap());
            let mut rest = state.snapshots[snapshot_id].blocks.range(start..);
            let blocks = rest.by_ref().take(2).map(|(index, _)| (*index, format!("token {index}"))).collect();
            Ok(Listed {
                blocks,
                block_bytes: BLOCK_BYTES,
                next: rest.next().map(|(index, _)| index.to_string()),
            })
        })
        .await
    }

    async fn get_block(&self, snapshot_id: &str, index: u64, token: &str) -> Result<Bytes, CloudError> {
        assert_eq!(token, format!("token {index}"));
        self.call("ebs:GetSnapshotBlock", |state| Ok(state.snapshots[snapshot_id].blocks[&index].clone()))
            .await
    }

    async fn delete_snapshot(&self, id: &str) -> Result<(), CloudError> {
        self.call("ec2:DeleteSnapshot", |state| {
            state.changes += 1;
            match state.snapshots.remove(id) {
                Some(_) => Ok(()),
                None => Err(error("ec2:DeleteSnapshot", CloudErrorClass::NotFound, "no such snapshot")),
            }
        })
        .await
    }

    async fn register_image(&self, request: &RegisterImage) -> Result<String, CloudError> {
        self.call("ec2:RegisterImage", |state| {
            if state.images.values().any(|image| image.name == request.name) {
                return Err(error("ec2:RegisterImage", CloudErrorClass::Conflict, "the name is taken"));
            }
            let snapshot = &state.snapshots[&request.snapshot_id];
            assert_eq!(snapshot.told.state, SnapshotState::Completed);
            let id = state.id("ami");
            let mut image = made(&id, request);
            if state.faults.is_billing_lost {
                image.platform_details = None;
            }
            state.images.insert(id.clone(), image);
            state.changes += 1;
            Ok(id)
        })
        .await
    }

    async fn deregister_image(&self, id: &str) -> Result<(), CloudError> {
        self.call("ec2:DeregisterImage", |state| {
            state.changes += 1;
            match state.images.remove(id) {
                Some(_) => Ok(()),
                None => Err(error("ec2:DeregisterImage", CloudErrorClass::NotFound, "no such image")),
            }
        })
        .await
    }

    async fn copy_image(&self, request: &CopyImage) -> Result<String, CloudError> {
        let blocks = self.elsewhere.as_ref().map(|other| {
            let state = other.lock().unwrap();
            let source = state.images.get(&request.source_image_id).cloned().unwrap();
            let snapshot = &state.snapshots[source.snapshot_id.as_deref().unwrap()];
            (source, snapshot.told.clone(), snapshot.blocks.clone())
        });
        self.call("ec2:CopyImage", |state| {
            if let Some(id) = state.copies.get(&request.client_token) {
                return Ok(id.clone());
            }
            let (source, told, blocks) = blocks.unwrap();
            let (id, snapshot_id) = (state.id("ami"), state.id("snap"));
            let told = CloudSnapshot { id: snapshot_id.clone(), tags: request.tags.clone(), ..told };
            let image = CloudImage {
                id: id.clone(),
                name: request.name.clone(),
                snapshot_id: Some(snapshot_id.clone()),
                snapshot_ids: [snapshot_id.clone()].into(),
                tags: request.tags.clone(),
                ..source
            };
            state.snapshots.insert(snapshot_id, FakeSnapshot { told, blocks, written: BTreeMap::new() });
            state.images.insert(id.clone(), image);
            state.copies.insert(request.client_token.clone(), id.clone());
            state.changes += 1;
            Ok(id)
        })
        .await
    }

    async fn images_using(&self, snapshot_ids: &[String]) -> Result<Vec<CloudImage>, CloudError> {
        self.call("ec2:DescribeImages", |state| {
            let uses = |image: &&CloudImage| snapshot_ids.iter().any(|id| image.snapshot_ids.contains(id));
            Ok(state.images.values().filter(uses).cloned().collect())
        })
        .await
    }

    async fn image_accounts(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        self.call("ec2:DescribeImageAttribute", |state| {
            Ok(state.accounts.get(id).cloned().unwrap_or_default())
        })
        .await
    }

    async fn snapshot_accounts(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        self.call("ec2:DescribeSnapshotAttribute", |state| {
            Ok(state.accounts.get(id).cloned().unwrap_or_default())
        })
        .await
    }

    async fn share_image(&self, id: &str, accounts: &BTreeSet<String>) -> Result<(), CloudError> {
        self.call("ec2:ModifyImageAttribute", |state| {
            assert!(state.images.contains_key(id));
            state.share(id, accounts);
            Ok(())
        })
        .await
    }

    async fn share_snapshot(&self, id: &str, accounts: &BTreeSet<String>) -> Result<(), CloudError> {
        self.call("ec2:ModifySnapshotAttribute", |state| {
            assert!(state.snapshots.contains_key(id));
            state.share(id, accounts);
            Ok(())
        })
        .await
    }

    async fn image_organizations(&self, id: &str) -> Result<BTreeSet<String>, CloudError> {
        let key = format!("{id} organizations");
        let find = |state: &mut State| Ok(state.accounts.get(&key).cloned().unwrap_or_default());
        self.call("ec2:DescribeImageAttribute", find).await
    }

    async fn share_image_with_organizations(
        &self,
        id: &str,
        arns: &BTreeSet<String>,
    ) -> Result<(), CloudError> {
        self.call("ec2:ModifyImageAttribute", |state| {
            state.share(&format!("{id} organizations"), arns);
            Ok(())
        })
        .await
    }

    async fn key(&self, id: &str) -> Result<Option<CloudKey>, CloudError> {
        let is_of_aws = id == "alias/aws/ebs";
        let key = CloudKey {
            arn: format!("arn:aws:kms:eu-west-1:123456789012:key/{id}"),
            state: "Enabled".to_owned(),
            is_for_volumes: true,
            is_of_aws,
            accounts: Some(["123456789012".to_owned()].into()),
        };
        self.call("kms:DescribeKey", |_| Ok(Some(key).filter(|_| id != "alias/none"))).await
    }

    async fn deprecate_image(&self, id: &str, at: Timestamp) -> Result<(), CloudError> {
        self.call("ec2:EnableImageDeprecation", |state| {
            state.images.get_mut(id).unwrap().deprecated_at = Some(at);
            state.changes += 1;
            Ok(())
        })
        .await
    }

    async fn protect_image(&self, id: &str, protection: Protection) -> Result<(), CloudError> {
        self.call("ec2:EnableImageDeregistrationProtection", |state| {
            state.images.get_mut(id).unwrap().protection = Some(protection);
            state.changes += 1;
            Ok(())
        })
        .await
    }

    async fn watermark_image(&self, id: &str, name: &str) -> Result<(), CloudError> {
        self.call("ec2:AttachImageWatermark", |state| {
            state.images.get_mut(id).unwrap().watermarks.insert(format!("123456789012:{name}"));
            state.changes += 1;
            Ok(())
        })
        .await
    }

    async fn tag_policy(&self) -> Result<Option<String>, CloudError> {
        let tell = |state: &mut State| match state.faults.tag_policy {
            Some("denied") => {
                Err(error("organizations:DescribeEffectivePolicy", CloudErrorClass::Denied, "no"))
            }
            policy => Ok(policy.map(str::to_owned)),
        };
        self.call("organizations:DescribeEffectivePolicy", tell).await
    }

    async fn image_quota(&self) -> Result<u64, CloudError> {
        self.call("servicequotas:GetServiceQuota", |state| Ok(state.faults.image_quota.unwrap_or(50_000)))
            .await
    }

    async fn image_count(&self) -> Result<u64, CloudError> {
        self.call("ec2:DescribeImages", |state| Ok(state.images.len() as u64)).await
    }
}

impl Parameters for Fake {
    async fn images_tagged(&self, key: &str, value: &str) -> Result<Vec<CloudImage>, CloudError> {
        let has = |image: &&CloudImage| image.tags.get(key).is_some_and(|found| found == value);
        self.call("ec2:DescribeImages", |state| Ok(state.images.values().filter(has).cloned().collect()))
            .await
    }

    async fn parameter(&self, name: &str) -> Result<Option<Parameter>, CloudError> {
        let newest = |values: &Vec<ParameterVersion>| {
            values.last().map(|last| Parameter { value: last.value.clone(), version: last.version })
        };
        let find = |state: &mut State| Ok(state.parameters.get(name).and_then(|(values, _)| newest(values)));
        self.call("ssm:GetParameter", find).await
    }

    async fn parameter_history(&self, name: &str) -> Result<Vec<ParameterVersion>, CloudError> {
        let find =
            |state: &mut State| Ok(state.parameters.get(name).map(|one| one.0.clone()).unwrap_or_default());
        self.call("ssm:GetParameterHistory", find).await
    }

    async fn parameter_tags(&self, name: &str) -> Result<Tags, CloudError> {
        let find =
            |state: &mut State| Ok(state.parameters.get(name).map(|one| one.1.clone()).unwrap_or_default());
        self.call("ssm:ListTagsForResource", find).await
    }

    async fn put_parameter(&self, request: &PutParameter) -> Result<u64, CloudError> {
        let operation = "ssm:PutParameter";
        self.call(operation, |state| {
            if state.faults.is_put_denied {
                return Err(error(operation, CloudErrorClass::Denied, "no"));
            }
            let is_there = state.parameters.contains_key(&request.name);
            if request.tags.is_some() && is_there {
                return Err(error(operation, CloudErrorClass::Conflict, "the parameter is there"));
            }
            state.changes += 1;
            let (values, tags) = state.parameters.entry(request.name.clone()).or_default();
            tags.extend(request.tags.clone().unwrap_or_default());
            let version = values.last().map_or(1, |last| last.version + 1);
            let (value, description) = (request.value.clone(), request.description.clone());
            values.push(ParameterVersion { version, value, description });
            Ok(version)
        })
        .await
    }

    async fn delete_parameter(&self, name: &str) -> Result<(), CloudError> {
        let operation = "ssm:DeleteParameter";
        self.call(operation, |state| {
            let gone = state.parameters.remove(name).map(drop);
            state.changes += 1;
            gone.ok_or_else(|| error(operation, CloudErrorClass::NotFound, "no such parameter"))
        })
        .await
    }
}
