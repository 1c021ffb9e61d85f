//! Package files: in the cache by digest, or in place where a repository lies on this host.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use amint_types::{Digest, DigestWriter};

use crate::cache::touch;
use crate::error::ArchiveError;
use crate::fetch::{Context, Wanted};
use crate::parallel;
use crate::partial::is_whole;
use crate::uri::{Location, redact};

/// A package's file that is wanted.
#[derive(Clone, PartialEq, Eq)]
pub struct PackageFile {
    /// What people call it: `bash 5.2.37-2 amd64`.
    pub name: String,
    /// Its size, as the index has it.
    pub bytes: u64,
    /// Its digest, as the index has it.
    pub sha256: Digest,
    /// Where it lies, tried in this order: whole URIs or absolute paths, as
    /// [`package_location`](crate::package_location) makes them.
    pub locations: Vec<String>,
}

impl fmt::Debug for PackageFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let locations: Vec<String> = self.locations.iter().map(|location| redact(location)).collect();
        formatter
            .debug_struct("PackageFile")
            .field("name", &self.name)
            .field("bytes", &self.bytes)
            .field("sha256", &self.sha256)
            .field("locations", &locations)
            .finish()
    }
}

/// Makes sure that all files are there, and returns their paths in the order they were asked for.
pub(crate) fn fetch_packages(
    context: &Context<'_>,
    files: &[PackageFile],
) -> Result<Vec<PathBuf>, ArchiveError> {
    let mut unique: HashMap<Digest, &PackageFile> = HashMap::new();
    for file in files {
        unique.entry(file.sha256).or_insert(file);
    }
    let mut unique: Vec<&PackageFile> = unique.into_values().collect();
    // The largest first, so that no connection is left with one of them while the others have nothing to do.
    unique.sort_by(|one, other| other.bytes.cmp(&one.bytes).then_with(|| one.sha256.cmp(&other.sha256)));
    for file in &unique {
        context.progress.expect(file.bytes);
    }
    let found = parallel::each(&unique, context.settings.connections, context.cancel, &|file| {
        let path = fetch_package(context, file).map_err(|source| match source {
            ArchiveError::Cancelled(_) => source,
            source => ArchiveError::Package { name: file.name.clone(), source: Box::new(source) },
        });
        Ok((file.sha256, path?))
    })?;
    let paths: HashMap<Digest, PathBuf> = found.into_iter().collect();
    Ok(files.iter().map(|file| paths[&file.sha256].clone()).collect())
}

fn fetch_package(context: &Context<'_>, file: &PackageFile) -> Result<PathBuf, ArchiveError> {
    let target = context.cache.package(&file.sha256);
    if is_whole(&target, file.bytes) {
        touch(&target);
        context.progress.add(file.bytes, &file.name);
        return Ok(target);
    }
    let locations = file.locations.iter().map(|text| Location::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let local = locations.iter().take_while(|location| matches!(location, Location::File(_))).count();
    let mut last = ArchiveError::NoLocation;
    for location in &locations[..local] {
        let Location::File(path) = location else { continue };
        match check_in_place(context, file, path) {
            Ok(()) => return Ok(path.clone()),
            Err(error @ ArchiveError::Cancelled(_)) => return Err(error),
            Err(error) => last = error,
        }
    }
    if local == locations.len() {
        return Err(last);
    }
    let wanted = Wanted { name: &file.name, bytes: file.bytes, sha256: file.sha256, target: &target };
    context.fetch(&wanted, &locations[local..])?;
    Ok(target)
}

/// Checks size and digest of a file of a local repository.
fn check_in_place(context: &Context<'_>, file: &PackageFile, path: &Path) -> Result<(), ArchiveError> {
    let failed = || |source| ArchiveError::Local { path: path.to_owned(), source };
    let mut source = File::open(path).map_err(failed())?;
    let uri = || path.display().to_string();
    let found = source.metadata().map_err(failed())?.len();
    if found != file.bytes {
        return Err(ArchiveError::Size { uri: uri(), expected: file.bytes, found });
    }
    let mut hash = DigestWriter::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        context.cancel.check()?;
        let count = source.read(&mut buffer).map_err(failed())?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
    }
    let found = hash.finish();
    if found != file.sha256 {
        return Err(ArchiveError::Hash { uri: uri(), expected: file.sha256, found });
    }
    context.progress.add(file.bytes, &file.name);
    Ok(())
}
