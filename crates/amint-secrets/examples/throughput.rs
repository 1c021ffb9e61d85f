//! Measures the engine on files held in memory, in processor time where the system tells it: `cargo run --release --example throughput -- FILE…`.

use std::time::{Duration, Instant};

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
            let (start, start_cpu) = (Instant::now(), processor_time());
            let mut scanner = Scanner::new("/x", &limits);
            for chunk in bytes.chunks(64 << 10) {
                scanner.push(chunk, &mut |_| findings += 1);
            }
            scanner.finish(&mut |_| findings += 1);
            let spent = processor_time()
                .zip(start_cpu)
                .map_or_else(|| start.elapsed(), |(end, start)| end.saturating_sub(start));
            best = best.min(spent.as_secs_f64());
        }
        let rate = bytes.len() as f64 / best / 1e6;
        println!("{rate:8.0} MB/s  {:8.1} MB  {findings:4} findings  {path}", bytes.len() as f64 / 1e6);
    }
}

/// What this thread spent on a processor, so that other programs do not count.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
