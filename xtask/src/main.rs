//! Makes the generated files of the repository, or checks that they are fresh.
//!
//!     cargo run -p xtask -- generate [--check]

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool of the repository that talks to its developer"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["generate"] => generate(false),
        ["generate", "--check"] => generate(true),
        _ => {
            eprintln!("usage: cargo run -p xtask -- generate [--check]");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn generate(is_check: bool) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the repository has no root")?;
    let mut stale = Vec::new();
    for (path, content) in files()? {
        let full = root.join(&path);
        if fs::read_to_string(&full).is_ok_and(|there| there == content) {
            continue;
        }
        if is_check {
            stale.push(path.display().to_string());
            continue;
        }
        if let Some(folder) = full.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&full, content).with_context(|| format!("failed to write {}", full.display()))?;
        println!("wrote {}", path.display());
    }
    if !stale.is_empty() {
        bail!("stale: {}; run `make generate` and commit the result", stale.join(", "));
    }
    Ok(())
}

fn files() -> Result<Vec<(PathBuf, String)>> {
    let schema = serde_json::to_string_pretty(&amint_recipe::json_schema())? + "\n";
    Ok(vec![
        ("docs/reference/amint.schema.json".into(), schema),
        ("docs/reference/cli.md".into(), amint_cli::reference_markdown()),
        ("docs/reference/cloud.md".into(), amint_cloud::reference_markdown()),
        ("docs/reference/rules.md".into(), amint_scan::reference_markdown()),
    ])
}
