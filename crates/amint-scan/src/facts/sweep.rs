//! Looking for secrets in every file of a tree, where nobody has read its files already.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use amint_disk::tree::{FileTree, TreeError, WalkLimits, WalkStep};
use amint_packages::content::{ContentDigest, ContentHasher, DigestAlgorithm};
use amint_secrets::{Limits, SecretError, is_container, scan_source};
use amint_types::ReadAt;

use crate::facts::packaged::{Packaged, PackagedFile};
use crate::facts::secrets::{FoundSecret, FoundSecrets, Unlooked};
use crate::facts::tree_source::TreeSource;
use crate::{CheckError, Context};

/// Folders of the root that hold nothing of the image.
const NOT_OF_IMAGE: [&str; 3] = ["/dev", "/proc", "/sys"];
/// A file up to this size is held in memory; a larger one is read where it is asked for.
const WHOLE_BYTES_MAX: u64 = 16 << 20;
/// How many threads read; each holds one file.
const THREADS_MAX: usize = 2;
/// How many files one thread takes at once.
const BATCH: usize = 32;
/// How many secrets are kept; an image with more is no less refused.
const SECRETS_MAX: usize = 10_000;
/// How much of a large file is read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Looks at all files.
pub(crate) fn load(cx: &Context<'_>) -> Result<FoundSecrets, CheckError> {
    let files = files(cx)?;
    let sweep =
        Sweep { tree: cx.tree(), packaged: Packaged::load(cx)?, files: &files, next: AtomicUsize::new(0) };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let results = Mutex::new(Vec::with_capacity(threads));
    let keep = |result| results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| keep(sweep.work()));
        }
        keep(sweep.work());
    });
    let mut found = FoundSecrets { has_files: true, ..FoundSecrets::default() };
    for result in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let mut part = result?;
        found.secrets.append(&mut part.secrets);
        found.unlooked.append(&mut part.unlooked);
    }
    for (path, _) in &files {
        cx.note_read(path);
    }
    found.finish();
    found.secrets.truncate(SECRETS_MAX);
    Ok(found)
}

/// Lists all regular files that hold something.
fn files(cx: &Context<'_>) -> Result<Vec<(PathBuf, u64)>, CheckError> {
    let mut files = Vec::new();
    cx.tree().walk(Path::new("/"), WalkLimits::default(), &mut |entry| {
        if NOT_OF_IMAGE.iter().any(|folder| entry.path == Path::new(folder)) {
            return WalkStep::Skip;
        }
        if entry.metadata.is_file() && entry.metadata.bytes > 0 {
            files.push((entry.path.clone(), entry.metadata.bytes));
        }
        WalkStep::Continue
    })?;
    Ok(files)
}

struct Sweep<'a> {
    tree: &'a dyn FileTree,
    packaged: Packaged,
    files: &'a [(PathBuf, u64)],
    next: AtomicUsize,
}

impl Sweep<'_> {
    fn work(&self) -> Result<FoundSecrets, CheckError> {
        let mut found = FoundSecrets::default();
        let mut buffer = Vec::new();
        loop {
            let start = self.next.fetch_add(BATCH, Ordering::Relaxed);
            let end = self.files.len().min(start.saturating_add(BATCH));
            let Some(batch) = self.files.get(start..end).filter(|batch| !batch.is_empty()) else {
                return Ok(found);
            };
            for (path, bytes) in batch {
                self.file(path, *bytes, &mut buffer, &mut found)?;
            }
        }
    }

    fn file(
        &self,
        path: &Path,
        bytes: u64,
        buffer: &mut Vec<u8>,
        found: &mut FoundSecrets,
    ) -> Result<(), CheckError> {
        if bytes > WHOLE_BYTES_MAX {
            return self.content(path, &TreeSource::open(self.tree, path, bytes), found);
        }
        buffer.clear();
        let mut reader = self.tree.open(path)?.take(WHOLE_BYTES_MAX);
        reader.read_to_end(buffer).map_err(|source| TreeError::io("read", path, source))?;
        self.content(path, buffer, found)
    }

    fn content(&self, path: &Path, source: &dyn ReadAt, found: &mut FoundSecrets) -> Result<(), CheckError> {
        let failed = |source| CheckError::from(TreeError::io("read", path, source));
        let Some(owned) = self.packaged.file(path) else { return self.unowned(path, source, found) };
        // What a package brought is only unpacked when it is not what the package brought.
        if is_container(&head(source).map_err(failed)?) {
            let is_changed = is_changed(source, owned).map_err(failed)?;
            let package = (!is_changed).then_some(owned.package.as_str());
            return scan(path, source, is_changed, package, found);
        }
        let before = found.secrets.len();
        scan(path, source, true, None, found)?;
        if found.secrets.len() > before && !is_changed(source, owned).map_err(failed)? {
            lower(found, before, &owned.package);
        }
        Ok(())
    }

    /// Looks at what no package claims; copies of what a package brought are as harmless as the original.
    fn unowned(&self, path: &Path, source: &dyn ReadAt, found: &mut FoundSecrets) -> Result<(), CheckError> {
        let before = found.secrets.len();
        scan(path, source, true, None, found)?;
        if found.secrets.len() == before {
            return Ok(());
        }
        for algorithm in self.packaged.algorithms() {
            let digest = digest(source, algorithm).map_err(|source| TreeError::io("read", path, source))?;
            if let Some(package) = digest.and_then(|digest| self.packaged.package_of(&digest)) {
                lower(found, before, package);
                break;
            }
        }
        Ok(())
    }
}

/// Lowers what was found from a place on.
fn lower(found: &mut FoundSecrets, from: usize, package: &str) {
    let told = found.secrets.split_off(from);
    found.secrets.extend(told.into_iter().map(|secret| secret.packaged(package)));
}

fn scan(
    path: &Path,
    source: &dyn ReadAt,
    is_unpacked: bool,
    package: Option<&str>,
    found: &mut FoundSecrets,
) -> Result<(), CheckError> {
    let limits = if is_unpacked { Limits::default() } else { Limits { depth_max: 0, ..Limits::default() } };
    let text = path.to_string_lossy();
    let looked = scan_source(&text, source, &limits, &mut |secret| {
        if found.secrets.len() < SECRETS_MAX {
            let secret = FoundSecret::in_file(&text, secret);
            found.secrets.push(match package {
                Some(package) => secret.packaged(package),
                None => secret,
            });
        }
    })
    .map_err(|SecretError::Read { source, .. }| TreeError::io("read", path, source))?;
    found.unlooked.extend(looked.gaps.into_iter().map(|gap| Unlooked {
        path: format!("{text}{}", gap.inside.unwrap_or_default()),
        reason: gap.reason,
    }));
    Ok(())
}

/// Returns the bytes that tell a container.
fn head(source: &dyn ReadAt) -> std::io::Result<Vec<u8>> {
    let mut head = vec![0; usize::try_from(source.size_bytes()).unwrap_or(512).min(512)];
    source.read_exact_at(0, &mut head)?;
    Ok(head)
}

/// Tells whether content is not what its package brought.
fn is_changed(source: &dyn ReadAt, owned: &PackagedFile) -> std::io::Result<bool> {
    Ok(digest(source, owned.digest.algorithm())? != Some(owned.digest))
}

fn digest(source: &dyn ReadAt, algorithm: DigestAlgorithm) -> std::io::Result<Option<ContentDigest>> {
    let Some(mut hasher) = ContentHasher::new(algorithm) else { return Ok(None) };
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut at = 0;
    while at < source.size_bytes() {
        let left = usize::try_from(source.size_bytes() - at).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        source.read_exact_at(at, &mut chunk[..left])?;
        hasher.update(&chunk[..left]);
        at += left as u64;
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use crate::facts::secrets::Origin;
    use crate::testing::Fixture;

    /// Builds a secret at run time, so that no scanner takes this file for a leak.
    fn token() -> String {
        format!("glpat-{}", "Zx9Qv7Lm2Kp4Rt6Yw8Bn")
    }

    fn found(fixture: &Fixture) -> Vec<(String, Option<u32>, Origin)> {
        fixture.with(|cx| {
            let found = cx.secrets().unwrap();
            assert!(found.has_files && !found.has_free_space);
            found.secrets.iter().map(|one| (one.place(), one.secret.line, one.origin.clone())).collect()
        })
    }

    #[test]
    fn secrets_are_found_in_every_folder_and_in_binaries() {
        let fixture = Fixture::new()
            .file("/opt/app/settings", &format!("# one\ntoken={}\n", token()))
            .file("/usr/lib/x/program", &format!("\0ELF {} \0", token()))
            .file("/proc/1/environ", &format!("TOKEN={}", token()));
        assert_eq!(
            found(&fixture),
            [
                ("/opt/app/settings".to_owned(), Some(2), Origin::File),
                ("/usr/lib/x/program".to_owned(), None, Origin::File)
            ]
        );
    }

    #[test]
    fn what_a_package_brought_unchanged_is_told_apart_from_what_was_changed() {
        let content = format!("{}\n", token());
        let sum = amint_packages::content::ContentHasher::digest(
            amint_packages::content::DigestAlgorithm::Md5,
            content.as_bytes(),
        )
        .unwrap();
        let sum = sum.to_string().split_off("md5:".len());
        let sums = format!("{sum}  usr/lib/demo/a\n{sum}  usr/lib/demo/b\n{sum}  lib/demo/c\n");
        let fixture = Fixture::new()
            .file("/boot/copy", &content)
            .file("/usr/lib/demo/a", &content)
            .file("/usr/lib/demo/b", &format!("changed {content}"))
            .file("/usr/lib/demo/c", &content)
            .file("/var/lib/dpkg/info/demo.md5sums", &sums)
            .file("/var/lib/dpkg/info/demo.list", "/usr/lib/demo/a\n/usr/lib/demo/b\n/lib/demo/c\n")
            .file(
                "/var/lib/dpkg/status",
                "Package: demo\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
            );
        let packaged = Origin::Packaged("demo".to_owned());
        assert_eq!(
            found(&fixture),
            [
                ("/boot/copy".to_owned(), Some(1), packaged.clone()),
                ("/usr/lib/demo/a".to_owned(), Some(1), packaged.clone()),
                ("/usr/lib/demo/b".to_owned(), Some(1), Origin::File),
                ("/usr/lib/demo/c".to_owned(), Some(1), packaged),
            ]
        );
    }
}
