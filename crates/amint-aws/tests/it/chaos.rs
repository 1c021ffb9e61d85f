//! Bad days of AWS: throttling, failures, lost answers, late descriptions and slow answers, over real HTTP.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use amint_publish::calls::Purpose;
use amint_publish::{Copies, Region, Tags, Wanted, find_litter, find_published, read_back};
use amint_types::Cancel;
use jiff::Timestamp;
use tokio::runtime::Builder;

use crate::support::{Bench, content};

const HOME: &str = "us-east-1";
const AWAY: &str = "eu-west-1";
/// How many days there are unless `AMINT_SEEDS` says otherwise, and how many pass side by side.
const SEEDS: u64 = 60;
const BESIDE: usize = 100;
/// How often somebody gives the same command again when it gave up.
const RUNS_MAX: u32 = 5;

#[test]
fn on_every_bad_day_the_end_is_right_and_nothing_is_left_over() {
    // `AMINT_SEEDS=300`, or one of them alone by `AMINT_SEED=214`.
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let one = number("AMINT_SEED");
    let seeds = one.or(number("AMINT_SEEDS")).unwrap_or(SEEDS);
    let next = AtomicU64::new(one.unwrap_or(1));
    std::thread::scope(|scope| {
        for _ in 0..BESIDE {
            scope.spawn(|| {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > seeds {
                        break;
                    }
                    runtime.block_on(day(seed));
                }
            });
        }
    });
}

/// Publishes two versions to two regions on a bad day, and looks at what there is then.
async fn day(seed: u64) {
    let chaos = format!("throttle=8%,errors=8%,consistency=10m,latency=0ms..20ms,seed={seed}");
    let bench = Bench::with_chaos(&chaos);
    let mut blocks = content(12);
    for version in ["1.0.0", "1.1.0"] {
        blocks[3] += 100;
        let record = bench.put(version, blocks.clone());
        let mut wanted = Wanted::of(&record, &Tags::new());
        wanted.settings.accounts.insert("111122223333".to_owned());
        let copies = if seed.is_multiple_of(2) { Copies::Always } else { Copies::Never };
        let mut runs = 0;
        let done = loop {
            let run = bench.try_publish(&record, &wanted, &[HOME, AWAY], copies).await;
            runs += 1;
            match run {
                Ok(run) if run.results.iter().all(Result::is_ok) => break run,
                Ok(run) => assert!(runs < RUNS_MAX, "seed {seed}: {:?}", run.results),
                Err(error) => assert!(runs < RUNS_MAX, "seed {seed}: {error}"),
            }
        };
        for (index, region) in [HOME, AWAY].into_iter().enumerate() {
            let (connection, cancel) = (bench.connect(Purpose::Verify).await, Cancel::new());
            let place = connection.in_region(region);
            let applied = done.applied(index);
            // The first look of a command gives up soon, and the day is bad for this one too.
            let published = loop {
                if let Ok(found) = find_published(&place, &applied.image_id, &cancel).await {
                    break found.unwrap();
                }
            };
            assert_eq!(published.differences, Vec::<String>::new(), "seed {seed}");
            let manifest = bench.store.manifest(record.digest).unwrap();
            let found =
                read_back(&place, &applied.snapshot_id, &manifest, &|_, _| {}, &cancel).await.unwrap();
            assert!(found.is_same() && found.blocks > 0, "seed {seed}: {found:?}");
        }
    }
    let (connection, cancel) = (bench.connect(Purpose::Collect).await, Cancel::new());
    for region in [HOME, AWAY] {
        let place = connection.in_region(region);
        // What was made last is told late.
        let mut litter = usize::MAX;
        for _ in 0..40 {
            let found = find_litter(&place, Timestamp::MAX, &cancel).await;
            litter = found.map_or(litter, |found| found.len());
            if litter == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        assert_eq!(litter, 0, "seed {seed}: snapshots without an image in {region}");
        let mut counts = Vec::new();
        for name in ["web-1.0.0", "web-1.1.0"] {
            let images = loop {
                // Only here does a refused request mean nothing but the day.
                if let Ok(images) = place.images_named(name).await {
                    break images;
                }
            };
            counts.push(images.len());
        }
        assert_eq!(counts, [1, 1], "seed {seed}: images in {region}");
    }
}
