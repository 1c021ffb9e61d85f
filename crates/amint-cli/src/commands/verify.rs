//! `amint verify`: an image's signature, its blocks, and that a rebuild gives the same bytes.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use amint_build::{BuildRequest, namespace};
use amint_disk::raw::RawDisk;
use amint_provenance::{PublicKey, SigningKey, Statement, check_subject, read_trusted_keys, verify_envelope};
use amint_recipe::RecipeFile;
use amint_recipe::lock::Lock;
use amint_store::{ImageRecord, Store, manifest_of};
use amint_types::{Digest, Hint, ImageRef};
use serde::Serialize;

use crate::args::VerifyArgs;
use crate::context::{Context, today};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::images::RECIPE;
use crate::provenance::{LOCK, ORIGIN, PROVENANCE, SOURCE_DATE_EPOCH, own_key_path};
use crate::supply::{Supply, drift_of};
use crate::ui::Palette;

/// What one check found.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    text: String,
    hint: Option<String>,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Good,
    Bad,
    /// What it needs is not there: that is no good verdict.
    Missing,
    /// The user did not ask for it.
    NotAsked,
}

impl Finding {
    fn new(check: &'static str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self { check, verdict, text: text.into(), hint: None }
    }

    fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// Checks an image against its signed provenance.
pub(crate) fn run(args: &VerifyArgs, context: &Context) -> Result<ExitCode, Failure> {
    let reference: ImageRef = args.image.parse()?;
    let store = context.store()?;
    let record = store.resolve(&reference)?;
    if !args.no_rebuild {
        for tool in ["bwrap", "unshare"] {
            amint_build::find_program(tool)?;
        }
        if !namespace::is_inside() {
            return Err(namespace::enter().into());
        }
    }
    let (signature, statement) = signature(args, context, &store, &record)?;
    let mut findings = vec![signature, blocks(context, &store, &record)?];
    findings.push(if args.no_rebuild {
        Finding::new("rebuild", Verdict::NotAsked, "not asked for")
    } else {
        rebuild(args, context, &store, &record, statement.as_ref())?
    });
    context.finish();
    let has = |verdict| findings.iter().any(|finding| finding.verdict == verdict);
    let code = match (has(Verdict::Bad), has(Verdict::Missing)) {
        (true, _) => ExitCode::Gate,
        (false, true) => ExitCode::Evidence,
        (false, false) => ExitCode::Fine,
    };
    if context.global.json {
        context.print_result(&serde_json::json!({
            "event": "result", "image": format!("{}:{}", record.name, record.version), "digest": record.digest,
            "verified": code == ExitCode::Fine, "findings": findings,
        }));
    } else {
        context.print(&render(&record, &findings, Palette::for_stdout()));
    }
    Ok(code)
}

fn render(record: &ImageRecord, findings: &[Finding], palette: Palette) -> String {
    let mut text = format!("{}:{}  {}\n", record.name, record.version, record.digest);
    for finding in findings {
        let symbol = match finding.verdict {
            Verdict::Good => palette.green(palette.tick()),
            Verdict::Bad => palette.red(palette.cross()),
            Verdict::Missing => palette.yellow("?"),
            Verdict::NotAsked => palette.dim(palette.dash()),
        };
        let _ = writeln!(text, "{symbol} {:<10} {}", finding.check, finding.text);
        if let Some(hint) = &finding.hint {
            let _ = writeln!(text, "  {} {hint}", palette.cyan("hint:"));
        }
    }
    text
}

/// Returns the keys that a signature may be made with.
fn trusted(args: &VerifyArgs, context: &Context) -> Result<Vec<PublicKey>, Failure> {
    let home = context.home()?;
    let mut keys = Vec::new();
    if let Some(own) = SigningKey::load_if_present(&own_key_path(&home))? {
        keys.push(own.public_key().clone());
    }
    let folder = home.join("keys/trusted");
    if folder.is_dir() {
        keys.extend(read_trusted_keys(&folder)?);
    }
    for path in &args.keys {
        keys.extend(read_trusted_keys(path)?);
    }
    Ok(keys)
}

fn signature(
    args: &VerifyArgs,
    context: &Context,
    store: &Store,
    record: &ImageRecord,
) -> Result<(Finding, Option<Statement>), Failure> {
    let Some(envelope) = store.document(record, PROVENANCE)? else {
        let finding = Finding::new("signature", Verdict::Missing, "no provenance is stored with the image")
            .hint(Some("build the image again: every build states where it came from".to_owned()));
        return Ok((finding, None));
    };
    let verified = match verify_envelope(&envelope, &trusted(args, context)?) {
        Ok(verified) => verified,
        Err(error) => {
            let finding = Finding::new("signature", Verdict::Bad, error.to_string()).hint(error.hint());
            return Ok((finding, None));
        }
    };
    if let Err(error) = check_subject(&verified.statement, &record.reference(), record.digest) {
        let finding = Finding::new("signature", Verdict::Bad, error.to_string()).hint(error.hint());
        return Ok((finding, None));
    }
    let parameters = &verified.statement.predicate.build_definition.external_parameters;
    for (kind, stated) in [(RECIPE, &parameters.recipe), (LOCK, &parameters.lock)] {
        let stored = store.document(record, kind)?.map(|bytes| Digest::of(&bytes).to_string());
        if stated.get("sha256").is_some() && stored.as_ref() != stated.get("sha256") {
            let text = format!("the stored {kind} is not the one that was signed");
            return Ok((Finding::new("signature", Verdict::Bad, text), None));
        }
    }
    let signers: Vec<String> = verified.signers.iter().map(amint_provenance::KeyId::short).collect();
    let text = format!("good, by key {}", signers.join(", "));
    Ok((Finding::new("signature", Verdict::Good, text), Some(verified.statement)))
}

/// Reads every block; the store checks each against its digest, and all of them give the image's.
fn blocks(context: &Context, store: &Store, record: &ImageRecord) -> Result<Finding, Failure> {
    let reader = store.reader(record)?;
    let manifest = match manifest_of(&reader, &context.cancel) {
        Ok(manifest) => manifest,
        Err(error) => {
            context.cancel.check()?;
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                text.push_str(": ");
                text.push_str(&error.to_string());
                cause = error.source();
            }
            return Ok(Finding::new("blocks", Verdict::Bad, text));
        }
    };
    let found = manifest.digest();
    Ok(if found == record.digest {
        let count = record.disk_bytes.div_ceil(amint_types::BLOCK_BYTES);
        Finding::new("blocks", Verdict::Good, format!("{count} blocks have the digests of the manifest"))
    } else {
        Finding::new("blocks", Verdict::Bad, format!("they give {found}"))
    })
}

/// Builds the image again from its lock, without anything reused, and compares.
fn rebuild(
    args: &VerifyArgs,
    context: &Context,
    store: &Store,
    record: &ImageRecord,
    statement: Option<&Statement>,
) -> Result<Finding, Failure> {
    let missing = |text: String| Ok(Finding::new("rebuild", Verdict::Missing, text));
    let Some(statement) = statement else {
        return missing("there is no signed statement to rebuild from".to_owned());
    };
    let Some((file, lock)) = inputs(args, context, store, record)? else {
        let finding = Finding::new("rebuild", Verdict::Missing, "the recipe is not there any more");
        return Ok(finding.hint(Some("name it with `--recipe`".to_owned())));
    };
    if store.document(record, RECIPE)?.as_deref() != Some(file.text.as_bytes()) {
        return missing(format!("{} changed since the image was built", file.path.display()));
    }
    let drift = drift_of(&lock, &file)?;
    if let Some(first) = drift.first() {
        return missing(format!("its inputs are not those of the image: {first}"));
    }
    let parameters = &statement.predicate.build_definition.external_parameters;
    let supply = Supply::new(&args.source, context, &file)?;
    let work = store.temporary()?;
    let request = BuildRequest {
        recipe: &file,
        mirrors: supply.mirrors.clone(),
        work: work.path(),
        today: today(),
        source_epoch: parameters.options.get(SOURCE_DATE_EPOCH).and_then(|epoch| epoch.parse().ok()),
        lock: &lock,
        client: &supply.client,
        cache: None,
    };
    let built = amint_build::build(&request, context.sink(), &context.cancel)?;
    let finding = match &built.disk {
        None => Finding::new("rebuild", Verdict::Bad, "today's rules stop the image"),
        Some((disk, _)) => {
            let source = RawDisk::open(disk).map_err(|error| Failure::new(ExitCode::Defect, error))?;
            let found = manifest_of(&source, &context.cancel)?.digest();
            if found == record.digest {
                let text = format!(
                    "{} packages and {} inputs give the same bytes",
                    lock.packages.len(),
                    lock.inputs.len()
                );
                Finding::new("rebuild", Verdict::Good, text)
            } else {
                Finding::new("rebuild", Verdict::Bad, format!("it gives {found}"))
            }
        }
    };
    work.remove()?;
    Ok(finding)
}

/// Finds the recipe on this machine, and the lock that is stored with the image.
fn inputs(
    args: &VerifyArgs,
    context: &Context,
    store: &Store,
    record: &ImageRecord,
) -> Result<Option<(RecipeFile, Lock)>, Failure> {
    let Some(lock) = store.document(record, LOCK)? else { return Ok(None) };
    let origin =
        store.document(record, ORIGIN)?.map(|path| PathBuf::from(String::from_utf8_lossy(&path).as_ref()));
    let Some(path) = args.recipe.clone().or(origin).filter(|path| fs::metadata(path).is_ok()) else {
        return Ok(None);
    };
    let file = super::load_recipe(&path, context)?;
    let name = format!("{}:{} (stored lock)", record.name, record.version);
    let lock = Lock::parse(&String::from_utf8_lossy(&lock), Path::new(&name))?;
    Ok(Some((file, lock)))
}
