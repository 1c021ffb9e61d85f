//! Secrets in files, and in what files contain.

use std::collections::{BTreeSet, HashMap};

use amint_packages::content::{ContentDigest, ContentHasher};
use amint_scan::FoundSecret;
use amint_secrets::{Limits, Looked, Scanner, SecretFinding, scan_source};

use crate::analyzers::wheels::Wheels;
use crate::index::{EntryId, Index};
use crate::pass::{AnalyzeError, Analyzer, Content, File, Output, Stream, Want};
use amint_scan::system::packages::Databases;

use crate::system::Owners;

/// The mark at the end of the first page of swap space, on machines with pages of 4096 bytes.
const SWAP_MARKS: [&[u8]; 3] = [b"SWAPSPACE2", b"SWAP-SPACE", b"S1SUSPEND"];
const SWAP_MARK_AT: usize = 4086;
/// How many reasons of one file are told.
const GAPS_TOLD: usize = 3;
/// Copies of what packages brought are recognised up to this size.
const COPY_BYTES_MAX: u64 = 16 << 20;
/// How many secrets each thread keeps; an image with more is no less refused.
const SECRETS_MAX: usize = 10_000;

/// Looks for secrets in every file.
///
/// What a package owns is looked at as it is, and unpacked afterwards if it was changed: what a package brought
/// everybody has.
pub struct Secrets<'a> {
    databases: &'a Databases,
    owners: &'a Owners,
    has_checksums: bool,
}

impl<'a> Secrets<'a> {
    /// Takes what the databases say.
    ///
    /// Without checksums nothing tells what packages brought, so all files are looked at alike.
    pub fn new(databases: &'a Databases, owners: &'a Owners, has_checksums: bool) -> Self {
        Self { databases, owners, has_checksums }
    }

    /// Tells whether a file's content can be compared with what a package brought.
    fn is_comparable(&self, id: EntryId) -> bool {
        let owned = self.owners.file(id, self.databases);
        self.has_checksums && owned.is_some_and(|owned| owned.wanted_algorithm().is_some())
    }

    /// Unpacks and looks again at those files of packages that were changed, and lowers what was found in the others.
    pub(crate) fn settle(&self, index: &Index, output: &mut Output) -> Vec<AnalyzeError> {
        let mut problems = Vec::new();
        let changed: BTreeSet<String> = output.modified_files.iter().map(|file| file.path.clone()).collect();
        let contents = self.contents(output.secrets.is_empty());
        let mut copies: HashMap<String, Option<usize>> = HashMap::new();
        let mut listed: HashMap<String, Option<String>> = HashMap::new();
        let mut wheels = Wheels::default();
        for found in std::mem::take(&mut output.secrets) {
            let id = index.find_exact(found.path.as_bytes());
            let owner = id
                .filter(|id| self.is_comparable(*id) && !changed.contains(&found.path))
                .and_then(|id| self.owners.package(id));
            let package = owner.or_else(|| {
                let known = copies.entry(found.path.clone());
                *known.or_insert_with(|| original(index, id?, &contents))
            });
            let package = package.and_then(|package| self.databases.packages.get(package));
            let mut wheel = || {
                let known = listed.entry(found.path.clone());
                known.or_insert_with(|| wheels.package(index, &found.path)).clone()
            };
            output.secrets.push(match (package, package.is_none().then(&mut wheel).flatten()) {
                (Some(package), _) => found.packaged(&package.name),
                (None, Some(wheel)) => found.listed(&format!("Python package {wheel}")),
                (None, None) => found,
            });
        }
        for path in changed {
            let Some(id) = index.find_exact(path.as_bytes()) else { continue };
            let Ok(opened) = index.open(id) else { continue };
            if !self.is_comparable(id) {
                continue;
            }
            output.secrets.retain(|found| found.path != path);
            if let Err(error) = look(&path, &Content::of(opened), output) {
                problems.push(AnalyzeError(format!("{path}: {error}")));
            }
        }
        problems
    }
}

impl Secrets<'_> {
    /// Returns the package of every content; nothing where nobody will ask.
    fn contents(&self, is_unasked: bool) -> HashMap<ContentDigest, usize> {
        let files = self.databases.files.iter().enumerate().filter(|_| self.has_checksums && !is_unasked);
        files
            .flat_map(|(package, files)| files.iter().filter_map(move |file| Some((file.digest?, package))))
            .collect()
    }
}

/// Returns the package that brought what a file is a copy of.
fn original(index: &Index, id: EntryId, contents: &HashMap<ContentDigest, usize>) -> Option<usize> {
    let content = index.read(id, COPY_BYTES_MAX).ok()?;
    let algorithms: BTreeSet<_> = contents.keys().map(ContentDigest::algorithm).collect();
    algorithms
        .into_iter()
        .find_map(|algorithm| contents.get(&ContentHasher::digest(algorithm, &content)?).copied())
}

impl Analyzer for Secrets<'_> {
    fn id(&self) -> &'static str {
        "secrets"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &File<'_>) -> Option<Want> {
        let want = if self.is_comparable(file.id) { Want::Stream } else { Want::Whole };
        (file.entry.bytes > 0).then_some(want)
    }

    fn analyze(
        &self,
        file: &File<'_>,
        content: &Content<'_>,
        output: &mut Output,
    ) -> Result<(), AnalyzeError> {
        look(&file.path_text(), content, output)
    }

    fn stream<'a>(&'a self, file: &File<'_>) -> Option<Box<dyn Stream + 'a>> {
        let path = file.path_text();
        let scanner = Scanner::new(&path, &Limits::default());
        Some(Box::new(Streamed { path, scanner, found: Vec::new() }))
    }
}

/// Looks at a file and into it.
fn look(path: &str, content: &Content<'_>, output: &mut Output) -> Result<(), AnalyzeError> {
    let is_swap = is_swap(content)?;
    let mut found: Vec<SecretFinding> = Vec::new();
    let looked = scan_source(path, content, &Limits::default(), &mut |secret| found.push(secret))
        .map_err(|error| AnalyzeError(crate::index::chain(&error)))?;
    if is_swap {
        // What lies there was memory, whatever form it has.
        for secret in &mut found {
            secret.rule = "SEC-010";
        }
    }
    keep(path, found, output)?;
    tell_gaps(&looked)
}

fn keep(path: &str, found: Vec<SecretFinding>, output: &mut Output) -> Result<(), AnalyzeError> {
    let room = SECRETS_MAX.saturating_sub(output.secrets.len());
    let is_cut = found.len() > room;
    output.secrets.extend(found.into_iter().take(room).map(|secret| FoundSecret::in_file(path, secret)));
    if is_cut {
        Err(AnalyzeError(format!("more than {SECRETS_MAX} secrets: not all are told")))
    } else {
        Ok(())
    }
}

fn is_swap(content: &Content<'_>) -> Result<bool, AnalyzeError> {
    use amint_types::ReadAt as _;
    let mut mark = [0; 10];
    if content.size_bytes() < 4096 {
        return Ok(false);
    }
    content.read_exact_at(SWAP_MARK_AT as u64, &mut mark).map_err(|error| AnalyzeError(error.to_string()))?;
    Ok(SWAP_MARKS.iter().any(|expected| mark.starts_with(expected)))
}

/// Says what was not looked at, so that the analyzer counts as partial.
fn tell_gaps(looked: &Looked) -> Result<(), AnalyzeError> {
    if looked.is_whole() {
        return Ok(());
    }
    let mut reasons: Vec<String> = looked
        .gaps
        .iter()
        .take(GAPS_TOLD)
        .map(|gap| match &gap.inside {
            Some(inside) => format!("{inside}: {}", gap.reason),
            None => gap.reason.clone(),
        })
        .collect();
    let more = (looked.gaps.len() as u64).saturating_add(looked.further_gaps) - reasons.len() as u64;
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    Err(AnalyzeError(reasons.join("; ")))
}

struct Streamed {
    path: String,
    scanner: Scanner,
    found: Vec<SecretFinding>,
}

impl Stream for Streamed {
    fn feed(&mut self, bytes: &[u8]) {
        self.scanner.push(bytes, &mut |secret| self.found.push(secret));
    }

    fn finish(self: Box<Self>, _: &File<'_>, output: &mut Output) -> Result<(), AnalyzeError> {
        let Self { path, scanner, mut found } = *self;
        let looked = scanner.finish(&mut |secret| found.push(secret));
        keep(&path, found, output)?;
        tell_gaps(&looked)
    }
}
