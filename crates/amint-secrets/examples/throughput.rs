//! Measures the engine on files held in memory: `cargo run --release --example throughput -- FILE…`.

use std::time::Instant;

use amint_secrets::{Limits, Scanner};

const ROUNDS: u32 = 5;

#[expect(clippy::print_stdout, reason = "an example prints")]
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn main() {
    let limits = Limits::default();
    for path in std::env::args().skip(1) {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let mut best = f64::MAX;
        let mut findings = 0;
        for _ in 0..ROUNDS {
            findings = 0;
            let start = Instant::now();
            let mut scanner = Scanner::new("/x", &limits);
            for chunk in bytes.chunks(64 << 10) {
                scanner.push(chunk, &mut |_| findings += 1);
            }
            scanner.finish(&mut |_| findings += 1);
            best = best.min(start.elapsed().as_secs_f64());
        }
        let rate = bytes.len() as f64 / best / 1e6;
        println!("{rate:8.0} MB/s  {:8.1} MB  {findings:4} findings  {path}", bytes.len() as f64 / 1e6);
    }
}
