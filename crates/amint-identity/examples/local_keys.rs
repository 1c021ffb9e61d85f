//! Makes local keys and writes them to standard output: what a test of a product's protection begins with.
#![expect(clippy::print_stdout, reason = "an example that talks to its user")]

use amint_identity::local::{LocalKeys, LocalKeysError};

fn main() -> Result<(), LocalKeysError> {
    print!("{}", LocalKeys::generate()?.to_secret_text());
    Ok(())
}
