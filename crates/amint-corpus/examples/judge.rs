//! Judges every case of the corpus and prints recall and false alarms by group.
//!
//!     cargo run -p amint-corpus --example judge [-- [--verbose] [GROUP…]]

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark that talks to its reader")]

use std::process::ExitCode;
use std::time::Instant;

use amint_corpus::{Corpus, CorpusError, Judge, Judgement, Known, Outcome, Tally, tally};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("judge: {error}: {:?}", std::error::Error::source(&error).map(ToString::to_string));
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), CorpusError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_verbose = arguments.iter().any(|argument| argument == "--verbose");
    let groups: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let folder = Corpus::folder();
    let corpus = Corpus::load(&folder)?;
    let known = Known::load(&folder.join("known.txt"))?;
    let judge = Judge::new(&corpus);
    let started = Instant::now();
    let chosen =
        corpus.cases().filter(|case| groups.is_empty() || groups.iter().any(|group| *group == case.group()));
    let judged = chosen.map(|case| judge.judge(case)).collect::<Result<Vec<Judgement>, _>>()?;
    let elapsed = started.elapsed();
    print_table(&judged);
    println!("\n{} cases in {:.2} s", judged.len(), elapsed.as_secs_f64());
    for judgement in &judged {
        print_difference(judgement, &known, is_verbose);
    }
    Ok(())
}

fn print_table(judged: &[Judgement]) {
    println!(
        "{:<12} {:>7} {:>5} {:>6} {:>7} | {:>6} {:>6} {:>6} {:>7} | {:>7} {:>7}",
        "group",
        "planted",
        "found",
        "missed",
        "recall",
        "decoys",
        "alarms",
        "severe",
        "alarms",
        "crashes",
        "pending"
    );
    let mut groups = tally(judged);
    let mut all = Tally::default();
    for judgement in judged {
        all.add(judgement);
    }
    groups.insert("~ all".to_owned(), all);
    for (group, counts) in &groups {
        println!(
            "{:<12} {:>7} {:>5} {:>6} {:>6.1}% | {:>6} {:>6} {:>6} {:>6.1}% | {:>7} {:>7}",
            group.trim_start_matches("~ "),
            counts.planted,
            counts.found,
            counts.missed,
            counts.recall_percent(),
            counts.decoys,
            counts.alarms,
            counts.severe_alarms,
            counts.alarm_percent(),
            counts.crashes,
            counts.pending,
        );
    }
}

fn print_difference(judgement: &Judgement, known: &Known, is_verbose: bool) {
    let case = &judgement.case;
    if !is_verbose && matches!(judgement.outcome, Outcome::AsExpected | Outcome::Pending) {
        return;
    }
    println!("\n{} {:?} {}: {}", case.name, judgement.outcome, case.rules().join(" "), case.reason());
    if let Some(reason) = known.reason(&case.name) {
        println!("    known: {reason}");
    }
    for alarm in &judgement.alarms {
        println!("    {} {:?} {} {}", alarm.rule, alarm.severity, alarm.path, alarm.message);
    }
}
