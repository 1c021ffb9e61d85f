use std::path::PathBuf;

use amint_store::ImageRecord;

use super::*;
use crate::cloud::Tags;
use crate::collect::{find_litter, remove_litter};
use crate::copies::Copies;
use crate::observe::observe;
use crate::plan::plan;
use crate::read_back::read_back;
use crate::regions::{Batch, apply_all, plan_all};
use crate::testing::{Fake, Faults, put, stored};

struct Bench {
    folder: tempfile::TempDir,
    store: Store,
    record: ImageRecord,
}

impl Bench {
    fn new(content: &[u8]) -> Self {
        let (folder, store, record) = stored(content);
        Self { folder, store, record }
    }

    fn list(&self) -> PathBuf {
        self.folder.path().join("publish")
    }

    fn wanted(&self) -> Wanted {
        Wanted::of(&self.record, &Tags::new())
    }

    async fn publish(&self, region: &Fake) -> Result<Applied, ApplyError> {
        let (wanted, cancel) = (self.wanted(), Cancel::new());
        let manifest = self.store.manifest(self.record.digest).unwrap();
        let observed = observe(region, &wanted, &cancel).await?;
        let known = |digest| self.store.manifest(digest).ok();
        let plan = plan(&wanted, &observed, &manifest, &known);
        let image = Arc::new(self.store.reader(&self.record).unwrap());
        let (store, folder) = (&self.store, self.list());
        let publication = Publication {
            wanted: &wanted,
            plan: &plan,
            image,
            buffers: Buffers::default(),
            store,
            folder: &folder,
            source_image_id: None,
        };
        apply(region, publication, &|_, _| {}, &cancel).await
    }

    /// Asserts that the region holds one image with one snapshot, which has the very blocks.
    async fn assert_published(&self, region: &Fake, applied: &Applied) {
        assert_eq!(
            region.ids(),
            (vec![applied.snapshot_id.clone()], vec![applied.image_id.clone()]),
            "nothing is left over"
        );
        let manifest = self.store.manifest(self.record.digest).unwrap();
        let found =
            read_back(region, &applied.snapshot_id, &manifest, &|_, _| {}, &Cancel::new()).await.unwrap();
        assert!(found.is_same(), "{found:?}");
        assert!(!self.list().exists() || std::fs::read_dir(self.list()).unwrap().next().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_publish_changes_nothing_and_a_third_version_sends_what_differs() {
    let mut bench = Bench::new(&[7, 0, 9, 4]);
    let region = Fake::new(Faults::default());
    let first = bench.publish(&region).await.unwrap();
    assert_eq!((first.blocks_sent, first.is_changed), (3, true));
    bench.assert_published(&region, &first).await;
    let before = region.changes();
    let second = bench.publish(&region).await.unwrap();
    assert_eq!((second.is_changed, second.image_id), (false, first.image_id));
    assert_eq!(region.changes(), before);
    bench.record = put(&bench.store, "1.1.0", &[7, 1, 0, 4]);
    let third = bench.publish(&region).await.unwrap();
    assert_eq!(third.blocks_sent, 2, "one block is new, one became zero");
    let manifest = bench.store.manifest(bench.record.digest).unwrap();
    let found = read_back(&region, &third.snapshot_id, &manifest, &|_, _| {}, &Cancel::new()).await.unwrap();
    assert!(found.is_same(), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_somebody_else_made_is_not_used_whatever_its_tags_promise() {
    let bench = Bench::new(&[7, 0, 9]);
    let region = Fake::new(Faults::default());
    let first = bench.publish(&region).await.unwrap();
    region.forget_image(&first.image_id);
    let again = bench.publish(&region).await.unwrap();
    assert_eq!(
        (again.blocks_sent, &again.snapshot_id),
        (0, &first.snapshot_id),
        "of our own the blocks are there"
    );
    region.forget_image(&again.image_id);
    region.disown_snapshot(&first.snapshot_id);
    let plans = plan_of(&bench, std::slice::from_ref(&region)).await;
    assert!(matches!(plans[0].action, Action::Upload(_)), "{plans:?}");
}

async fn plan_of(bench: &Bench, regions: &[Fake]) -> Vec<Plan> {
    let manifest = bench.store.manifest(bench.record.digest).unwrap();
    let (wanted, cancel) = (bench.wanted(), Cancel::new());
    plan_all(regions, &wanted, &manifest, &|_| None, Copies::Never, &cancel).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn tag_policy_and_quota_are_looked_at_before_anything_is_made_and_not_needed() {
    let bench = Bench::new(&[7]);
    let policy = r#"{"tags": {"team": {"tag_key": "team", "report_required_tag_for": ["ec2:image"]}}}"#;
    let regions = [
        Fake::new(Faults { tag_policy: Some(policy), ..Faults::default() }),
        Fake::new(Faults { tag_policy: Some(policy), image_quota: Some(0), ..Faults::default() }),
    ];
    let plans = plan_of(&bench, &regions).await;
    let messages: Vec<&str> =
        plans.iter().flat_map(Plan::problems).map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        messages,
        ["the tag policy wants the tag `team`", "the account has 0 images in eu-west-1, and may have 0"]
    );
    // Who may not look is told so, and publishes.
    let region = Fake::new(Faults { tag_policy: Some("denied"), ..Faults::default() });
    let plans = plan_of(&bench, std::slice::from_ref(&region)).await;
    assert!(plans[0].problems().is_empty());
    assert!(plans[0].notes[0].starts_with("the tag policy could not be looked at: "), "{plans:?}");
    bench.publish(&region).await.unwrap();
    // What is there already is not held to it, and nobody asks.
    region.afflict(Faults { tag_policy: Some(policy), image_quota: Some(0), ..Faults::default() });
    let plans = plan_of(&bench, std::slice::from_ref(&region)).await;
    assert!(plans[0].is_nothing(), "{plans:?}");
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_the_end_is_right_and_nothing_is_left_over() {
    for seed in 1..=150 {
        let bench = Bench::new(&[7, 0, 9, 4, 5]);
        let region = Fake::new(Faults { seed, ..Faults::default() });
        let applied = bench.publish(&region).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        region.heal();
        bench.assert_published(&region, &applied).await;
    }
}

#[tokio::test(start_paused = true)]
async fn broken_off_at_any_call_the_next_run_goes_on_and_sends_no_confirmed_block_twice() {
    let whole = Fake::new(Faults::default());
    Bench::new(&[7, 0, 9, 4, 5]).publish(&whole).await.unwrap();
    for stop in 1..=whole.calls() {
        let bench = Bench::new(&[7, 0, 9, 4, 5]);
        let region = Fake::new(Faults { stop_at: Some(stop), ..Faults::default() });
        tokio::select! {
            result = bench.publish(&region) => panic!("{stop} is beyond the end: {result:?}"),
            () = region.stopped() => {}
        }
        region.heal();
        let applied = bench.publish(&region).await.unwrap_or_else(|error| panic!("call {stop}: {error}"));
        bench.assert_published(&region, &applied).await;
        // Only what was on its way when everything stopped may come twice.
        assert!(region.puts() <= 4 + 4, "call {stop}: {} blocks came", region.puts());
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_the_service_gave_up_is_begun_anew() {
    let bench = Bench::new(&[7, 9]);
    let region = Fake::new(Faults { stop_at: Some(7), ..Faults::default() });
    tokio::select! {
        result = bench.publish(&region) => panic!("{result:?}"),
        () = region.stopped() => {}
    }
    region.heal();
    let (snapshots, _) = region.ids();
    region.give_up(&snapshots[0]);
    let applied = bench.publish(&region).await.unwrap();
    assert_ne!(applied.snapshot_id, snapshots[0]);
    assert_eq!(region.ids(), (vec![applied.snapshot_id], vec![applied.image_id]), "nothing is left over");
}

#[tokio::test(start_paused = true)]
async fn an_image_that_came_out_otherwise_is_removed() {
    let bench = Bench::new(&[7]);
    let region = Fake::new(Faults { is_billing_lost: true, ..Faults::default() });
    let error = bench.publish(&region).await.unwrap_err();
    assert!(error.to_string().contains("PlatformDetails is not set"), "{error}");
    assert_eq!(region.ids(), (vec![], vec![]));
}

#[tokio::test(start_paused = true)]
async fn an_encrypted_snapshot_gets_every_block_of_its_volume() {
    let bench = Bench::new(&[7, 0]);
    let region = Fake::new(Faults { is_encrypted: true, ..Faults::default() });
    let applied = bench.publish(&region).await.unwrap();
    assert_eq!(applied.blocks_sent, 2048);
}

#[tokio::test(start_paused = true)]
async fn a_spoilt_block_is_found() {
    let bench = Bench::new(&[7, 0, 9]);
    let region = Fake::new(Faults::default());
    let applied = bench.publish(&region).await.unwrap();
    region.spoil(&applied.snapshot_id, 2);
    let manifest = bench.store.manifest(bench.record.digest).unwrap();
    let found =
        read_back(&region, &applied.snapshot_id, &manifest, &|_, _| {}, &Cancel::new()).await.unwrap();
    assert_eq!((found.blocks, found.different, found.first_different), (2, 1, vec![2]));
}

const OTHERS: [&str; 2] = ["111122223333", "444455556666"];

impl Bench {
    fn batch<'a>(
        &'a self,
        wanted: &'a Wanted,
        regions: &'a [Fake],
        plans: &'a [Plan],
        folder: &'a Path,
    ) -> Batch<'a, Fake> {
        Batch { regions, plans, wanted, record: &self.record, store: &self.store, folder }
    }

    async fn publish_all(
        &self,
        wanted: &Wanted,
        regions: &[Fake],
        copies: Copies,
    ) -> (Vec<Plan>, Vec<Result<Applied, ApplyError>>) {
        let cancel = Cancel::new();
        let manifest = self.store.manifest(self.record.digest).unwrap();
        let known = |digest| self.store.manifest(digest).ok();
        let plans = plan_all(regions, wanted, &manifest, &known, copies, &cancel).await.unwrap();
        let folder = self.list();
        let batch = self.batch(wanted, regions, &plans, &folder);
        let results = apply_all(&batch, &|_, _| {}, &cancel).await;
        (plans, results)
    }
}

#[tokio::test(start_paused = true)]
async fn shared_and_dated_whatever_fails_and_set_once_only() {
    for seed in 0..40 {
        let bench = Bench::new(&[7, 9]);
        let region = Fake::new(Faults { seed, ..Faults::default() });
        let mut wanted = bench.wanted();
        wanted.settings.accounts = OTHERS.map(str::to_owned).into();
        wanted.settings.deprecate_at = Some("2027-01-02T03:04:00Z".parse().unwrap());
        let regions = [region];
        let (_, mut results) = bench.publish_all(&wanted, &regions, Copies::Auto).await;
        let applied = results.remove(0).unwrap();
        for id in [&applied.image_id, &applied.snapshot_id] {
            assert_eq!(regions[0].accounts(id), wanted.settings.accounts);
        }
        regions[0].heal();
        let before = regions[0].changes();
        let (plans, results) = bench.publish_all(&wanted, &regions, Copies::Auto).await;
        assert!(plans[0].is_nothing(), "{plans:?}");
        assert!(!results[0].as_ref().unwrap().is_changed);
        assert_eq!(regions[0].changes(), before);
        wanted.settings.accounts.insert("777788889999".to_owned());
        let (plans, _) = bench.publish_all(&wanted, &regions, Copies::Auto).await;
        let accounts = ["777788889999".to_owned()].into();
        assert_eq!(plans[0].settings[0], Setting::ShareImage { accounts });
        assert_eq!(regions[0].accounts(&applied.image_id).len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn one_region_gets_the_blocks_and_the_other_a_copy_with_the_same_bytes() {
    for seed in 0..40 {
        let bench = Bench::new(&[7, 0, 9]);
        let first = Fake::new(Faults { seed, ..Faults::default() });
        let second = Fake::beside(&first, Faults { seed: seed / 2, ..Faults::default() });
        let (wanted, regions) = (bench.wanted(), [first, second]);
        let (plans, results) = bench.publish_all(&wanted, &regions, Copies::Always).await;
        assert!(matches!(plans[1].action, Action::Copy(_)), "{plans:?}");
        for (region, applied) in regions.iter().zip(&results) {
            region.heal();
            bench.assert_published(region, applied.as_ref().unwrap()).await;
        }
        assert_eq!(regions[1].puts(), 0);
        let before = regions[1].changes();
        bench.publish_all(&wanted, &regions, Copies::Always).await;
        assert_eq!(regions[1].changes(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_that_fails_keeps_none_of_the_others() {
    let bench = Bench::new(&[7]);
    let first = Fake::new(Faults { is_billing_lost: true, ..Faults::default() });
    let regions = [first, Fake::new(Faults::default())];
    let (_, results) = bench.publish_all(&bench.wanted(), &regions, Copies::Never).await;
    assert!(results[0].is_err());
    bench.assert_published(&regions[1], results[1].as_ref().unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn what_no_image_uses_is_litter_once_it_is_old() {
    let bench = Bench::new(&[7]);
    let region = Fake::new(Faults::default());
    let applied = bench.publish(&region).await.unwrap();
    let (cancel, late) = (Cancel::new(), "2026-01-01T00:00:00Z".parse().unwrap());
    let find = async |before| find_litter(&region, before, &cancel).await.unwrap();
    assert_eq!(find(late).await, []);
    region.forget_image(&applied.image_id);
    // Fakes begin all snapshots at the beginning of time.
    assert_eq!(find(jiff::Timestamp::UNIX_EPOCH).await, []);
    let litter = find(late).await;
    assert_eq!(litter.len(), 1);
    assert_eq!(remove_litter(&region, &litter, &bench.store, &cancel).await.unwrap(), 1);
    assert_eq!(region.ids(), (vec![], vec![]));
}

#[tokio::test(start_paused = true)]
async fn who_stops_it_is_heard_at_once() {
    let bench = Bench::new(&[7]);
    let region = Fake::new(Faults::default());
    let cancel = Cancel::new();
    cancel.cancel();
    let result = observe(&region, &bench.wanted(), &cancel).await;
    assert!(matches!(result, Err(ApplyError::Cancelled(_))));
}
