//! Times the indexes of trixie, trixie-updates and trixie-security: with an empty cache, and again with a full one.
//!
//! `cargo run --release -p amint-archive --example fetch_bench MIRROR SECURITY_MIRROR KEYRING [PACKAGES]`, where PACKAGES
//! is how many packages of the first index to download as well.

#![expect(clippy::print_stdout, reason = "it is run by hand")]

use std::path::PathBuf;
use std::time::Instant;

use amint_archive::{Client, ClientSettings, PackageFile, Proxies, Suite, SuiteIndex, package_location};
use amint_debian::control::Paragraphs;
use amint_types::{Cancel, NullSink};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mirror, security, keyring, rest @ ..] = arguments.as_slice() else {
        return Err("usage: fetch_bench MIRROR SECURITY_MIRROR KEYRING [PACKAGES]".into());
    };
    let suite = |uri: &str, suite: &str| Suite {
        uri: uri.to_owned(),
        suite: suite.to_owned(),
        components: vec!["main".to_owned()],
        keyring: PathBuf::from(keyring),
    };
    let suites =
        [suite(mirror, "trixie"), suite(mirror, "trixie-updates"), suite(security, "trixie-security")];
    let cache = tempfile::tempdir()?;
    let mut settings = ClientSettings::new(cache.path().join("cache"), jiff::Timestamp::now());
    settings.proxies = Proxies::from_env();
    let mut found = Vec::new();
    for (name, offline) in [("cold", false), ("warm", false), ("offline: verification alone", true)] {
        let client = Client::new(ClientSettings { offline, ..settings.clone() })?;
        let start = Instant::now();
        found = client.indexes(&suites, "amd64", "indexes", &NullSink, &Cancel::new())?;
        println!("{name}: {:?}", start.elapsed());
    }
    for suite in &found {
        println!("{suite:#?}");
    }
    if let Some(count) = rest.first() {
        let client = Client::new(settings)?;
        let wanted = packages(&found[0], count.parse()?)?;
        let bytes: u64 = wanted.iter().map(|file| file.bytes).sum();
        for name in ["cold", "warm"] {
            let start = Instant::now();
            client.packages(&wanted, "packages", &NullSink, &Cancel::new())?;
            println!("{name}: {} packages, {bytes} bytes: {:?}", wanted.len(), start.elapsed());
        }
    }
    Ok(())
}

/// Takes the first packages of at most 4 MB of an index.
fn packages(suite: &SuiteIndex, count: usize) -> Result<Vec<PackageFile>> {
    let start = Instant::now();
    let all = Paragraphs::new(suite.indexes[0].open()?).collect::<std::result::Result<Vec<_>, _>>()?;
    println!("{} packages read in {:?}", all.len(), start.elapsed());
    let mut wanted = Vec::new();
    for paragraph in &all {
        let field = |name: &str| paragraph.get(name).ok_or_else(|| format!("a package has no {name}"));
        let bytes = field("Size")?.parse()?;
        if bytes <= 4_000_000 && wanted.len() < count {
            wanted.push(PackageFile {
                name: field("Package")?.to_owned(),
                bytes,
                sha256: field("SHA256")?.parse()?,
                locations: vec![package_location(&suite.uri, field("Filename")?)?],
            });
        }
    }
    Ok(wanted)
}
