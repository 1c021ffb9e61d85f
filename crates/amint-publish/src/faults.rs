//! Everything that changes a cloud, stopped at each of its calls in turn, and with each answer lost in turn.
//!
//! What the same command does afterwards is what counts: it ends in the right state, with nothing left over, and once more
//! it changes nothing. A crash is a future that is dropped; store and list of sent blocks are read from disk again.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;

use amint_store::{ImageRecord, Store};
use amint_types::Cancel;
use jiff::Timestamp;

use crate::apply::Applied;
use crate::cloud::Protection;
use crate::collect::{find_litter, remove_litter};
use crate::copies::Copies;
use crate::plan::Plan;
use crate::read_back::{find_published, read_back};
use crate::regions::{Batch, apply_all, plan_all};
use crate::testing::{Fake, Faults, Stop, put, stored};
use crate::wanted::Wanted;

const OLD: &[u8] = &[7, 0, 9, 4, 5];
const NEW: &[u8] = &[7, 1, 0, 4, 6];
/// What goes wrong at a call.
const STOPS: [Stop; 3] = [Stop::Before, Stop::After, Stop::Lose];

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    Fresh,
    NextVersion,
    CopyToSecondRegion,
    SharedAndDeprecated,
}

struct World {
    scenario: Scenario,
    folder: tempfile::TempDir,
    record: ImageRecord,
    regions: Vec<Fake>,
}

impl World {
    async fn new(scenario: Scenario) -> Self {
        let (folder, store, record) = stored(OLD);
        let mut regions = vec![Fake::new(Faults::default())];
        if scenario == Scenario::CopyToSecondRegion {
            regions.push(Fake::beside(&regions[0], Faults::default()));
        }
        let mut world = Self { scenario, folder, record, regions };
        if scenario == Scenario::NextVersion {
            world.publish().await;
            world.record = put(&store, "1.1.0", NEW);
        }
        world.afflict(0, Faults::default());
        world
    }

    fn afflict(&self, region: usize, faults: Faults) {
        for (index, one) in self.regions.iter().enumerate() {
            one.afflict(if index == region { faults } else { Faults::default() });
        }
    }

    fn heal(&self) {
        self.afflict(0, Faults::default());
    }

    fn lists(&self) -> PathBuf {
        self.folder.path().join("publish")
    }

    fn store(&self) -> Store {
        Store::open(&self.folder.path().join("store")).unwrap()
    }

    fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::of(&self.record, &crate::cloud::Tags::new());
        if self.scenario == Scenario::SharedAndDeprecated {
            wanted.settings.accounts = ["111122223333".to_owned(), "444455556666".to_owned()].into();
            wanted.settings.deprecate_at = Some("2027-01-02T03:04:00Z".parse().unwrap());
            wanted.settings.watermarks = ["golden".to_owned()].into();
            wanted.settings.protection = Some(Protection::WithCooldown);
        }
        wanted
    }

    /// Does what the command does, from the store on disk.
    async fn publish(&self) -> (Vec<Plan>, Vec<Applied>) {
        let (store, wanted, folder, cancel) = (self.store(), self.wanted(), self.lists(), Cancel::new());
        let manifest = store.manifest(self.record.digest).unwrap();
        let known = |digest| store.manifest(digest).ok();
        let looked = plan_all(&self.regions, &wanted, &manifest, &known, Copies::Always, &cancel).await;
        let plans = looked.unwrap();
        let (regions, record) = (&self.regions[..], &self.record);
        let batch = Batch { regions, plans: &plans, wanted: &wanted, record, store: &store, folder: &folder };
        let results = apply_all(&batch, &|_, _| {}, &cancel).await;
        (plans.clone(), results.into_iter().map(Result::unwrap).collect())
    }

    /// Publishes until nothing answers any more.
    async fn publish_until_stopped(&self) {
        let stopped = self.regions.iter().map(|region| Box::pin(region.stopped()));
        tokio::select! {
            _ = self.publish() => panic!("the run was not stopped"),
            _ = futures_util::future::select_all(stopped) => {}
        }
    }

    /// Cuts the last entry of each list of sent blocks, as a crash within a write does.
    fn tear_lists(&self) {
        for file in fs::read_dir(self.lists()).into_iter().flatten() {
            let file = OpenOptions::new().write(true).open(file.unwrap().path()).unwrap();
            file.set_len(file.metadata().unwrap().len().saturating_sub(3)).unwrap();
        }
    }

    /// Removes what is left over, and asserts that this was what no image uses, and nothing else.
    async fn collect(&self) {
        let (store, cancel) = (self.store(), Cancel::new());
        let later: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
        for region in &self.regions {
            let (unused, (all, images)) = (region.unused(), region.ids());
            let litter = find_litter(region, later, &cancel).await.unwrap();
            let found: Vec<String> = litter.iter().map(|one| one.snapshot_id.clone()).collect();
            assert_eq!(found, unused);
            assert_eq!(remove_litter(region, &litter, &store, &cancel).await.unwrap(), litter.len() as u64);
            let rest: Vec<String> = all.into_iter().filter(|id| !unused.contains(id)).collect();
            assert_eq!(region.ids(), (rest, images));
        }
    }

    /// Asserts that all is as it should be, that nothing is left over, and that once more nothing is changed.
    async fn assert_right(&self) {
        let (wanted, manifest) = (self.wanted(), self.store().manifest(self.record.digest).unwrap());
        let versions = if self.scenario == Scenario::NextVersion { 2 } else { 1 };
        for region in &self.regions {
            let (snapshots, images) = region.ids();
            assert_eq!((snapshots.len(), images.len()), (versions, versions));
            assert_eq!(region.unused(), Vec::<String>::new());
            let image = region.image_named(&wanted.name).unwrap();
            let snapshot_id = image.snapshot_id.unwrap();
            let read = read_back(region, &snapshot_id, &manifest, &|_, _| {}, &Cancel::new()).await;
            assert!(read.as_ref().unwrap().is_same(), "{read:?}");
            for id in [&image.id, &snapshot_id] {
                assert_eq!(region.accounts(id), wanted.settings.accounts);
            }
            assert_eq!(image.deprecated_at, wanted.settings.deprecate_at);
        }
        assert_eq!(fs::read_dir(self.lists()).unwrap().count(), 0, "a list of sent blocks is left");
        let changes = |world: &Self| world.regions.iter().map(Fake::changes).collect::<Vec<_>>();
        let before = changes(self);
        let (plans, _) = self.publish().await;
        assert!(plans.iter().all(Plan::is_nothing), "{plans:?}");
        assert_eq!(changes(self), before);
    }
}

/// Returns every region with every call that a run of the scenario makes there.
async fn calls(scenario: Scenario) -> Vec<(usize, u64)> {
    let world = World::new(scenario).await;
    world.publish().await;
    let regions = world.regions.iter().enumerate();
    regions.flat_map(|(index, region)| (1..=region.calls()).map(move |call| (index, call))).collect()
}

async fn afflicted(scenario: Scenario, (region, call): (usize, u64), stop: Stop) -> World {
    let world = World::new(scenario).await;
    world.afflict(region, Faults { stop_at: Some(call), stop, ..Faults::default() });
    if stop == Stop::Lose {
        world.publish().await;
    } else {
        world.publish_until_stopped().await;
    }
    world.heal();
    world
}

/// Stops a run of the scenario at each of its calls, or loses each answer, and lets the same command end it.
async fn ends_right(scenario: Scenario) {
    for place in calls(scenario).await {
        for stop in STOPS {
            eprintln!("region and call {place:?}, {stop:?}");
            let world = afflicted(scenario, place, stop).await;
            if stop != Stop::Lose {
                world.publish().await;
            }
            world.assert_right().await;
        }
    }
}

/// Stops a run of the scenario at each of its calls, and lets nobody take it up but `gc`.
async fn is_collected(scenario: Scenario) {
    for place in calls(scenario).await {
        for stop in [Stop::Before, Stop::After] {
            eprintln!("region and call {place:?}, {stop:?}");
            let world = afflicted(scenario, place, stop).await;
            world.collect().await;
            // Whoever publishes after all begins anew, though the token names a snapshot that is gone.
            world.publish().await;
            world.assert_right().await;
        }
    }
}

/// Scenarios are tests of their own: they run beside each other.
macro_rules! at_every_call {
    ($($ends:ident $collected:ident $scenario:ident;)*) => { $(
        #[tokio::test(start_paused = true)]
        async fn $ends() {
            ends_right(Scenario::$scenario).await;
        }

        #[tokio::test(start_paused = true)]
        async fn $collected() {
            is_collected(Scenario::$scenario).await;
        }
    )* };
}

at_every_call! {
    a_fresh_upload_ends_right_wherever_it_stopped
    of_a_fresh_upload_gc_removes_what_it_left_and_nothing_else Fresh;
    a_next_version_ends_right_wherever_it_stopped
    of_a_next_version_gc_removes_what_it_left_and_nothing_else NextVersion;
    a_copy_to_a_second_region_ends_right_wherever_it_stopped
    of_a_copy_gc_removes_what_it_left_and_nothing_else CopyToSecondRegion;
    sharing_and_deprecation_end_right_wherever_they_stopped
    of_a_shared_image_gc_removes_what_it_left_and_nothing_else SharedAndDeprecated;
}

#[tokio::test(start_paused = true)]
async fn a_list_of_sent_blocks_that_is_cut_anywhere_costs_one_block_at_most() {
    for place in calls(Scenario::Fresh).await {
        let world = afflicted(Scenario::Fresh, place, Stop::After).await;
        let listed = |world: &World| -> u64 {
            let files = fs::read_dir(world.lists()).into_iter().flatten();
            files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
        };
        let (whole, before) = (listed(&world), world.regions[0].puts());
        world.tear_lists();
        assert_eq!(listed(&world), whole.saturating_sub(3), "the list is cut");
        world.publish().await;
        let confirmed = (whole / 8).saturating_sub(1);
        assert!(world.regions[0].puts() - before <= 4 - confirmed.min(4), "{place:?}");
        world.assert_right().await;
    }
}

/// Runs something with each of its calls going wrong in each way: it is done once to count them, then from the beginning
/// for each.
async fn at_each_call<T>(world: &World, act: impl AsyncFn() -> T, assert: impl Fn(Option<T>)) {
    world.heal();
    assert(Some(act().await));
    for call in 1..=world.regions[0].calls() {
        for stop in STOPS {
            world.afflict(0, Faults { stop_at: Some(call), stop, ..Faults::default() });
            let ended = tokio::select! {
                ended = act() => Some(ended),
                () = world.regions[0].stopped() => None,
            };
            assert_eq!(ended.is_some(), stop == Stop::Lose, "call {call}, {stop:?}");
            assert(ended);
            world.heal();
            assert(Some(act().await));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_proof_is_the_same_whatever_is_lost_and_changes_nothing() {
    let world = World::new(Scenario::Fresh).await;
    let image_id = world.publish().await.1[0].image_id.clone();
    let (region, cancel) = (&world.regions[0], Cancel::new());
    let manifest = world.store().manifest(world.record.digest).unwrap();
    let before = region.changes();
    let prove = async || {
        let published = find_published(region, &image_id, &cancel).await.unwrap().unwrap();
        read_back(region, &published.snapshot_id, &manifest, &|_, _| {}, &cancel).await.unwrap()
    };
    at_each_call(&world, prove, |proof| {
        assert!(proof.is_none_or(|proof| proof.is_same() && proof.blocks == 4));
        assert_eq!(region.changes(), before);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn gc_itself_may_be_stopped_and_removes_no_more_for_it() {
    let litter = || async {
        let mut world = World::new(Scenario::Fresh).await;
        let kept = world.record.clone();
        for (version, content) in [("0.1.0", &[1, 2]), ("0.2.0", &[3, 4])] {
            world.record = put(&world.store(), version, content);
            let applied = world.publish().await.1.remove(0);
            world.regions[0].forget_image(&applied.image_id);
        }
        world.record = kept;
        world.publish().await;
        world.heal();
        assert_eq!(world.regions[0].unused().len(), 2);
        world
    };
    let collect = async |world: &World| {
        let (region, store, cancel) = (&world.regions[0], world.store(), Cancel::new());
        let found = find_litter(region, "2100-01-01T00:00:00Z".parse().unwrap(), &cancel).await.unwrap();
        remove_litter(region, &found, &store, &cancel).await.unwrap()
    };
    let whole = litter().await;
    assert_eq!(collect(&whole).await, 2);
    for call in 1..=whole.regions[0].calls() {
        for stop in STOPS {
            let world = litter().await;
            world.afflict(0, Faults { stop_at: Some(call), stop, ..Faults::default() });
            tokio::select! {
                _ = collect(&world) => assert_eq!(stop, Stop::Lose),
                () = world.regions[0].stopped() => assert_ne!(stop, Stop::Lose),
            }
            world.heal();
            collect(&world).await;
            world.assert_right().await;
        }
    }
}

/// Stops a fresh upload at its first block, and says in the list of sent blocks what was never sent.
async fn with_list(bytes: &[u8]) -> World {
    // Of the calls of a fresh upload the tenth is the first block.
    let world = afflicted(Scenario::Fresh, (0, 10), Stop::Before).await;
    let list = fs::read_dir(world.lists()).unwrap().next().unwrap().unwrap().path();
    fs::write(list, bytes).unwrap();
    world
}

/// After a loss of power the end of a file may be zeros that nobody wrote: they do not tell of the first block.
#[tokio::test(start_paused = true)]
async fn zeros_in_a_list_of_sent_blocks_tell_of_no_block() {
    let world = with_list(&[0; 24]).await;
    assert_eq!(world.publish().await.1[0].blocks_sent, 4);
    world.assert_right().await;
}

#[tokio::test(start_paused = true)]
async fn a_list_of_sent_blocks_that_is_wrong_is_given_up_when_the_service_knows_better() {
    let world = with_list(&[2, 0, 0, 0, !2, 0xff, 0xff, 0xff]).await;
    assert_eq!(world.publish().await.1.len(), 1);
    assert_eq!(world.regions[0].puts(), 3 + 4, "all are sent again");
    world.assert_right().await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_removed_is_made_anew() {
    for scenario in [Scenario::Fresh, Scenario::CopyToSecondRegion] {
        let world = World::new(scenario).await;
        let first = world.publish().await.1;
        let last = world.regions.len() - 1;
        world.regions[last].forget_image(&first[last].image_id);
        world.regions[last].forget_snapshot(&first[last].snapshot_id);
        let second = world.publish().await.1;
        assert_ne!(second[last].image_id, first[last].image_id);
        world.assert_right().await;
    }
}
