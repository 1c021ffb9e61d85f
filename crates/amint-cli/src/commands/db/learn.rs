//! What the images that advisories are fetched for have installed.

use std::path::Path;
use std::sync::Arc;

use amint_feeds::Installed;
use amint_inspect::image::{Image, ImageOptions};
use amint_inspect::{InspectOptions, inspect};
use amint_store::{ImageRecord, Store};
use amint_types::ImageRef;
use amint_types::scan::Target;
use jiff::Timestamp;

use crate::advisories::repositories_of;
use crate::args::DbBuildArgs;
use crate::context::Context;
use crate::failure::Failure;

/// Analyzers that tell nothing of packages of an operating system.
const SKIPPED: [&str; 13] = [
    "checksums",
    "certificates",
    "python",
    "node",
    "ruby",
    "java",
    "go",
    "rust",
    "php",
    "dotnet",
    "kernels",
    "users",
    "services",
];

/// Looks into the images of the store and into the named ones; images of one release become one.
pub(super) fn learn(args: &DbBuildArgs, context: &Context) -> Result<Vec<Installed>, Failure> {
    let mut all: Vec<Installed> = Vec::new();
    let store = context.store()?;
    let mut records = store.images(false)?;
    let mut images = Vec::new();
    for target in &args.targets {
        if crate::images::is_path(target) || Path::new(target).exists() {
            images.push((target.clone(), Image::open(Path::new(target), &ImageOptions::default())?));
        } else {
            let reference: ImageRef = target.parse()?;
            records.push(store.resolve(&reference)?);
        }
    }
    records.sort_by_key(|record| record.digest);
    records.dedup_by_key(|record| record.digest);
    for record in &records {
        images.push((format!("{}:{}", record.name, record.version), open(&store, record)?));
    }
    for (name, image) in images {
        let Some(found) = installed(&name, &image, context)? else { continue };
        match all.iter_mut().find(|known| known.is_like(&found)) {
            Some(known) => known.merge(found),
            None => all.push(found),
        }
    }
    all.sort_by_key(|installed| (installed.ecosystem.to_string(), installed.architecture.clone()));
    Ok(all)
}

fn open(store: &Store, record: &ImageRecord) -> Result<Image, Failure> {
    Ok(Image::of_blocks(Arc::new(store.reader(record)?), "store")?)
}

fn installed(name: &str, image: &Image, context: &Context) -> Result<Option<Installed>, Failure> {
    let target =
        Target { name: name.to_owned(), format: image.format.clone(), disk_bytes: None, digest: None };
    let options = InspectOptions {
        now: Timestamp::now(),
        threads: 1,
        skipped: SKIPPED.map(str::to_owned).to_vec(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let inspection = inspect(image, target, &options, context.sink(), &context.cancel)?;
    let document = &inspection.document;
    let Some(system) = &document.system else {
        context.sink().warn(&format!("no operating system was found in {name}"), None);
        return Ok(None);
    };
    let found = Installed::of(system, &document.packages, &repositories_of(&inspection));
    if found.is_none() {
        let text = format!("no advisories are known of {} ({name})", system.name);
        context.sink().warn(&text, None);
    }
    Ok(found)
}
