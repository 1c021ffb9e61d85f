//! Every case of the corpus is judged as expected, but for those that are known.

use amint_corpus::{Corpus, Judge, Judgement, Known, Outcome};

#[test]
fn every_case_is_judged_as_expected_but_for_those_that_are_known() {
    let folder = Corpus::folder();
    let corpus = Corpus::load(&folder).unwrap();
    let judge = Judge::new(&corpus);
    let judged: Vec<Judgement> = corpus.cases().map(|case| judge.judge(case).unwrap()).collect();
    assert!(judged.len() >= 180, "only {} cases", judged.len());
    let pending = judged.iter().filter(|judgement| judgement.outcome == Outcome::Pending).count();
    eprintln!("{} cases, {pending} of them for rules that do not exist yet", judged.len());

    let known = Known::load(&folder.join("known.txt")).unwrap();
    let differences: Vec<String> = known.compare(&judged).iter().map(ToString::to_string).collect();
    assert!(
        differences.is_empty(),
        "{}\n\n`cargo run -p amint-corpus --example judge -- --verbose` tells what the rules say",
        differences.join("\n")
    );
}
