//! No rule panics, whatever happened to a file.

use std::time::{Duration, Instant};

use amint_corpus::{Corpus, alarms};

/// The longest that all rules may take over one small tree, in a test build on a busy machine.
const SCAN_MAX: Duration = Duration::from_secs(20);

#[test]
fn no_rule_panics_or_hangs_on_damaged_files() {
    let corpus = Corpus::load(&Corpus::folder()).unwrap();
    // More seeds by hand: AMINT_CORPUS_SEEDS=20.
    let seeds = std::env::var("AMINT_CORPUS_SEEDS").map_or(1, |count| count.parse().unwrap());
    let mut wrong = Vec::new();
    for seed in 0..seeds {
        for case in corpus.cases() {
            let tree = corpus.damaged_tree(&case, &format!("seed {seed}")).unwrap();
            let started = Instant::now();
            let is_done = alarms(&tree, &case.request()).is_some();
            if !is_done || started.elapsed() > SCAN_MAX {
                wrong.push(format!(
                    "{} with seed {seed}: done {is_done}, {:?}",
                    case.name,
                    started.elapsed()
                ));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
