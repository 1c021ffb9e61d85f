//! A region in memory, with faults.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::sync::Notify;

use super::BLOCK;
use crate::cloud::{
    CloudError, CloudErrorClass, CloudImage, CloudSnapshot, Region, SnapshotState, StartSnapshot, Tags,
};
use crate::parameters::ParameterVersion;

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
    pub(super) name: &'static str,
    state: Arc<Mutex<State>>,
    stopped: Notify,
    /// The region that copies come from.
    pub(super) elsewhere: Option<Arc<Mutex<State>>>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) faults: Faults,
    pub(super) calls: u64,
    /// Calls that changed something.
    pub(super) changes: u64,
    pub(super) puts: u64,
    /// Blocks that came, those too that were not answered.
    pub(super) arrived: u64,
    pub(super) next: u64,
    pub(super) random: u64,
    pub(super) snapshots: BTreeMap<String, FakeSnapshot>,
    pub(super) images: BTreeMap<String, CloudImage>,
    pub(super) tokens: HashMap<String, (StartSnapshot, String)>,
    pub(super) copies: HashMap<String, String>,
    /// The accounts that images and snapshots are shared with.
    pub(super) accounts: BTreeMap<String, BTreeSet<String>>,
    /// The values of parameters, oldest first, and their tags.
    pub(super) parameters: BTreeMap<String, (Vec<ParameterVersion>, Tags)>,
}

pub(super) struct FakeSnapshot {
    pub(super) told: CloudSnapshot,
    pub(super) blocks: BTreeMap<u64, Bytes>,
    /// The blocks that were written to this one, rather than to its parent.
    pub(super) written: BTreeMap<u64, [u8; 32]>,
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

    /// Lets a snapshot be one that somebody else made.
    pub(crate) fn disown_snapshot(&self, id: &str) {
        self.state().snapshots.get_mut(id).unwrap().told.tags.remove(crate::wanted::MANAGED_TAG);
    }

    /// Forgets a snapshot, as who deletes it does.
    pub(crate) fn forget_snapshot(&self, id: &str) {
        self.state().snapshots.remove(id);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
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
    pub(super) async fn call<T>(
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

    pub(super) fn share(&mut self, id: &str, accounts: &BTreeSet<String>) {
        self.accounts.entry(id.to_owned()).or_default().extend(accounts.iter().cloned());
        self.changes += 1;
    }

    pub(super) fn id(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}-{:017x}", self.next)
    }
}

pub(super) fn error(operation: &'static str, class: CloudErrorClass, message: &str) -> CloudError {
    let (region, code) = ("eu-west-1".to_owned(), None);
    CloudError { operation, region, class, code, message: message.to_owned(), request_id: None }
}
