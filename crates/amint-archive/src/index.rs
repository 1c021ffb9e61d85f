//! Indexes of packages: which one to get, and how to read it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use amint_types::{Digest, DigestWriter};
use jiff::Timestamp;

use crate::cache::{Cache, remove_if_there, touch};
use crate::error::ArchiveError;
use crate::fetch::{Context, Wanted};
use crate::partial::is_whole;
use crate::release::{Release, ReleaseFile};
use crate::suite::Suite;
use crate::uri::{Location, join};

/// Largest index that is downloaded.
const INDEX_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Most bytes that are read from an index when it is unpacked.
pub const INDEX_PLAIN_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// How long an index is kept after it was last used.
const UNUSED_MAX: Duration = Duration::from_hours(30 * 24);

/// How an index is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// `.xz`.
    Xz,
    /// `.zst`.
    Zstd,
    /// `.gz`.
    Gzip,
    /// Not at all.
    None,
}

impl Compression {
    /// All that are known, the smallest first.
    const PREFERRED: [Self; 4] = [Self::Xz, Self::Zstd, Self::Gzip, Self::None];

    /// Returns what a file's name ends with.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Xz => ".xz",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
            Self::None => "",
        }
    }
}

/// A verified index in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexFile {
    /// The component: `main`.
    pub component: String,
    /// The architecture: the one asked for, or `all`.
    pub architecture: String,
    /// The file.
    pub path: PathBuf,
    /// How it is compressed.
    pub compression: Compression,
    /// Its size.
    pub bytes: u64,
    /// Its digest, as the Release has it.
    pub sha256: Digest,
}

impl IndexFile {
    /// Opens it, and unpacks it while it is read. More than [`INDEX_PLAIN_BYTES_MAX`] is an error.
    pub fn open(&self) -> io::Result<Box<dyn BufRead>> {
        let file = BufReader::with_capacity(64 * 1024, File::open(&self.path)?);
        let plain: Box<dyn Read> = match self.compression {
            Compression::Xz => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(file)),
            Compression::Zstd => Box::new(zstd::Decoder::with_buffer(file)?),
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            Compression::None => Box::new(file),
        };
        let limited = Limited { source: plain, left: INDEX_PLAIN_BYTES_MAX };
        Ok(Box::new(BufReader::with_capacity(64 * 1024, limited)))
    }
}

/// Fails, rather than to end early, when a source has more than it may.
struct Limited<R> {
    source: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, "the index is too large when unpacked")
        })?;
        Ok(count)
    }
}

/// Tells which indexes a component needs for an architecture: those of it, and those of what is for all of them.
pub(crate) fn architectures(release: &Release, component: &str, architecture: &str) -> Vec<String> {
    let mut wanted = vec![architecture];
    if release.separate_all && architecture != "all" {
        wanted.push("all");
    }
    wanted.retain(|architecture| !candidates(release, component, architecture).is_empty());
    wanted.into_iter().map(ToOwned::to_owned).collect()
}

/// One way to get an index.
struct Candidate {
    path: String,
    compression: Compression,
    file: ReleaseFile,
}

fn candidates(release: &Release, component: &str, architecture: &str) -> Vec<Candidate> {
    let ways = Compression::PREFERRED.into_iter().filter_map(|compression| {
        let path = format!("{component}/binary-{architecture}/Packages{}", compression.extension());
        let file = *release.files.get(&path)?;
        Some(Candidate { path, compression, file })
    });
    ways.collect()
}

/// Gets an index into the cache, in the best compression that the mirror has.
pub(crate) fn fetch_index(
    context: &Context<'_>,
    suite: &Suite,
    release: &Release,
    component: &str,
    architecture: &str,
) -> Result<IndexFile, ArchiveError> {
    let name = format!("{} {component} {architecture}", suite.suite);
    let mut missing = ArchiveError::NoLocation;
    for candidate in candidates(release, component, architecture) {
        let Candidate { path, compression, file } = candidate;
        if file.bytes > INDEX_BYTES_MAX {
            let what = format!("the index {name}");
            return Err(ArchiveError::TooLarge { what, bytes: file.bytes, bytes_max: INDEX_BYTES_MAX });
        }
        let target = context.cache.index(&file.sha256, compression);
        let index = || IndexFile {
            component: component.to_owned(),
            architecture: architecture.to_owned(),
            path: target.clone(),
            compression,
            bytes: file.bytes,
            sha256: file.sha256,
        };
        context.progress.expect(file.bytes);
        if is_intact(&target, &file)? {
            touch(&target);
            context.progress.add(file.bytes, &name);
            return Ok(index());
        }
        let wanted = Wanted { name: &name, bytes: file.bytes, sha256: file.sha256, target: &target };
        match context.fetch(&wanted, &locations(suite, release, &path, &file.sha256)?) {
            Ok(()) => return Ok(index()),
            // A Release lists compressions that a mirror does not have: Debian's lists the plain ones.
            Err(error) if error.is_not_found() => {
                context.progress.expect_less(file.bytes);
                missing = error;
            }
            Err(error) => return Err(error),
        }
    }
    Err(missing)
}

/// Returns where an index lies: under its digest first, where it stays while the mirror is updated.
fn locations(
    suite: &Suite,
    release: &Release,
    path: &str,
    sha256: &Digest,
) -> Result<Vec<Location>, ArchiveError> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut paths = Vec::with_capacity(2);
    if release.by_hash {
        paths.push(format!("dists/{}/{folder}/by-hash/SHA256/{sha256}", suite.suite));
    }
    paths.push(format!("dists/{}/{path}", suite.suite));
    paths.iter().map(|path| Location::parse(&join(&suite.uri, path))).collect()
}

/// Tells whether the cache has an index, and removes what it has instead of it.
fn is_intact(path: &Path, file: &ReleaseFile) -> Result<bool, ArchiveError> {
    if is_whole(path, file.bytes) && digest_of(path)? == file.sha256 {
        return Ok(true);
    }
    remove_if_there(path)?;
    Ok(false)
}

/// Computes the digest of a file of the cache.
pub(crate) fn digest_of(path: &Path) -> Result<Digest, ArchiveError> {
    let failed = || ArchiveError::cache("read", path);
    let mut hash = DigestWriter::new();
    io::copy(&mut File::open(path).map_err(failed())?, &mut hash).map_err(failed())?;
    Ok(hash.finish())
}

/// Removes the indexes that were not used for long.
pub(crate) fn clean(cache: &Cache, now: Timestamp) -> Result<(), ArchiveError> {
    let folder = cache.indexes();
    let failed = || ArchiveError::cache("read", &folder);
    for entry in fs::read_dir(&folder).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let Ok(used) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
        let used = used.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let unused = u64::try_from(now.as_second()).unwrap_or(0).saturating_sub(used);
        if unused > UNUSED_MAX.as_secs() {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn index(bytes: &[u8], compression: Compression) -> (tempfile::NamedTempFile, IndexFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let index = IndexFile {
            component: "main".to_owned(),
            architecture: "amd64".to_owned(),
            path: file.path().to_owned(),
            compression,
            bytes: bytes.len() as u64,
            sha256: Digest::of(bytes),
        };
        (file, index)
    }

    fn xz(bytes: &[u8]) -> Vec<u8> {
        let mut writer = liblzma::write::XzEncoder::new(Vec::new(), 1);
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn unpacks_every_compression_also_in_several_pieces() {
        let (first, second) = (b"Package: a\n\n", b"Package: b\n");
        let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
        for (bytes, compression) in [
            ([xz(first), xz(second)].concat(), Compression::Xz),
            ([gzip(first), gzip(second)].concat(), Compression::Gzip),
            ([zstd(first), zstd(second)].concat(), Compression::Zstd),
            ([&first[..], &second[..]].concat(), Compression::None),
        ] {
            let (_file, index) = index(&bytes, compression);
            let mut text = String::new();
            index.open().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "Package: a\n\nPackage: b\n", "{compression:?}");
        }
    }

    #[test]
    fn tells_damage_and_endless_data() {
        let mut bytes = xz(b"Package: a\n");
        bytes.truncate(bytes.len() - 4);
        let (_file, index) = index(&bytes, Compression::Xz);
        assert!(index.open().unwrap().read_to_string(&mut String::new()).is_err());
        let mut limited = Limited { source: io::repeat(b'a'), left: 10 };
        assert_eq!(limited.read_to_end(&mut Vec::new()).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
