//! Measures how long one verification takes: `measure DOCUMENT SIGNATURE FORM [ROUNDS]` prints microseconds.
#![expect(clippy::print_stdout, reason = "an example that talks to its user")]

use std::error::Error;
use std::time::Instant;

use amint_identity::{Expect, Form, verify};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [document, signature, form, rest @ ..] = arguments.as_slice() else {
        return Err("usage: measure DOCUMENT SIGNATURE FORM [ROUNDS]".into());
    };
    let (document, signature) = (std::fs::read(document)?, std::fs::read(signature)?);
    let expect = Expect::new().forms([form.parse::<Form>()?]);
    let rounds: u32 = rest.first().map_or(Ok(1000), |rounds| rounds.parse())?;
    let start = Instant::now();
    verify(&document, &signature, &expect)?;
    let first = start.elapsed();
    let start = Instant::now();
    for _ in 0..rounds {
        verify(&document, &signature, &expect)?;
    }
    let each = start.elapsed() / rounds.max(1);
    println!(
        "{form}: first {} us (certificates are read), then {} us each",
        first.as_micros(),
        each.as_micros()
    );
    Ok(())
}
