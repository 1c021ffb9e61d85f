//! Resolves packages over index files: `resolve [--recommends] [--essential] PACKAGES-FILE… -- NAME…`.
//!
//! Prints what `apt-get install` would install on an empty system, with times and memory on the side.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::fs::File;
use std::io::BufReader;
use std::time::Instant;

use amint_debian::resolve::{Request, Wanted, resolve};
use amint_debian::universe::{OriginInfo, Universe};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (files, names) = match arguments.iter().position(|argument| argument == "--") {
        Some(place) => (&arguments[..place], &arguments[place + 1..]),
        None => (&arguments[..], &[][..]),
    };
    let has = |flag: &str| files.iter().any(|file| file == flag);
    let start = Instant::now();
    let mut universe = Universe::new();
    for file in files.iter().filter(|file| !file.starts_with("--")) {
        let is_backports = file.contains("backports");
        let origin = OriginInfo {
            id: file.clone(),
            not_automatic: is_backports,
            but_automatic_upgrades: is_backports,
            ..OriginInfo::default()
        };
        universe.add_index(origin, BufReader::with_capacity(1 << 20, File::open(file)?))?;
    }
    let parsed = start.elapsed();
    let wanted: Vec<Wanted> = names.iter().map(|name| Wanted::from_text(name)).collect();
    let start = Instant::now();
    let request = Request {
        install: &wanted,
        with_essential: has("--essential"),
        recommends: has("--recommends"),
        ..Request::new(&universe, "amd64")
    };
    let result = resolve(&request);
    let resolved = start.elapsed();
    match &result {
        Ok(solution) => {
            for chosen in &solution.packages {
                println!("{} {} ({})", chosen.record.name, chosen.record.version, chosen.reason);
            }
            eprintln!("{} packages", solution.packages.len());
        }
        Err(error) => {
            use amint_types::Hint;
            println!("error: {error}");
            for line in error.details() {
                println!("  {line}");
            }
            if let Some(hint) = error.hint() {
                println!("hint: {hint}");
            }
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    eprintln!(
        "{} known; read in {parsed:.1?}, resolved in {resolved:.1?}; {peak}",
        universe.packages().len()
    );
    Ok(())
}
