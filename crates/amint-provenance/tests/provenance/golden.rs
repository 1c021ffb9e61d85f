//! The statement's JSON, which other programs read: it changes only on purpose.

use amint_provenance::{Statement, provenance};

use super::support::input;

/// Build type 1.
const GOLDEN: &str = include_str!("../golden/statement-1.json");

#[test]
fn statement_has_the_golden_form() {
    let statement = provenance(&input());
    // The golden file has line breaks, for people to read.
    assert_eq!(serde_json::to_string_pretty(&statement).unwrap() + "\n", GOLDEN);
    assert_eq!(statement.to_json(), serde_json::to_vec(&statement).unwrap());
}

#[test]
fn order_of_the_input_does_not_matter() {
    let mut other = input();
    other.packages.reverse();
    other.inputs.reverse();
    other.packages.push(other.packages[0].clone());
    assert_eq!(provenance(&other).to_json(), provenance(&input()).to_json());
}

#[test]
fn golden_statement_reads() {
    let statement = Statement::from_json(GOLDEN.as_bytes()).unwrap();
    assert_eq!(statement, provenance(&input()));
}
