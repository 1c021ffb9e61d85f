//! Judges a folder with an unpacked system as a hardened image of the second level, one line per rule and finding.
//!
//!     cargo run -p amint-corpus --example tree -- FOLDER
//!
//! Fields are divided by tabs: rule, state, severity, path, line, message.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark that talks to its reader")]

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use amint_corpus::request;
use amint_disk::tree::DirTree;
use amint_scan::{Profile, scan};
use amint_types::NullSink;
use amint_types::report::RuleOutcome;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: tree FOLDER");
        return ExitCode::from(2);
    };
    match run(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tree: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let tree = DirTree::open(folder)?;
    let profiles =
        vec![Profile::Marketplace, Profile::SharedLinux, Profile::Hardened, Profile::HardenedLevel2];
    let report = scan(&tree, &request(profiles, "ec2-user".to_owned(), &[]), &NullSink)?;
    for result in report.rules {
        let head = format!("{}\t{}\t{}", result.rule, result.outcome.as_str(), result.severity);
        match result.outcome {
            RuleOutcome::Fail { findings } => {
                for finding in findings {
                    let line = finding.evidence.line.map(|line| line.to_string()).unwrap_or_default();
                    println!("{head}\t{}\t{line}\t{}", finding.evidence.path, finding.message);
                }
            }
            RuleOutcome::NotApplicable { reason } | RuleOutcome::NotEvaluated { reason } => {
                println!("{head}\t\t\t{reason}");
            }
            _ => println!("{head}\t\t\t"),
        }
    }
    Ok(())
}
