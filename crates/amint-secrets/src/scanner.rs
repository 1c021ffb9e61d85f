//! The bytes of one file or entry, in chunks of any size.
//!
//! A buffer holds what is not decided yet, and as much on both sides as a finding can depend on. A keyword is decided
//! once all that could belong to its secret is there, and exactly once.

use std::collections::HashSet;

use amint_types::Severity;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use crate::engine::Engine;
use crate::finding::{Looked, SecretFinding};
use crate::judge;
use crate::kind::{Hit, Kind, Window};
use crate::limits::{BEHIND_BYTES_MAX, Limits, SECRET_BYTES_MAX};
use crate::named::NamedContent;

const BUFFER_BYTES: usize = 192 << 10;
/// Bytes that must follow before a keyword is decided: its secret, and what shows that the secret ends.
const AHEAD_BYTES: usize = SECRET_BYTES_MAX + 256;
/// Values that are remembered to tell each once.
const SEEN_MAX: usize = 100_000;
/// From this length on, the digest of a random value tells nothing about it.
const FINGERPRINT_BYTES_MIN: usize = 20;
const FINGERPRINT_ENTROPY_MIN: f64 = 3.0;
/// Ranges that findings took in one file.
const TAKEN_MAX: usize = 4096;

pub(crate) type Sink<'a> = &'a mut dyn FnMut(SecretFinding);

/// What is remembered over all entries of one file.
#[derive(Debug)]
pub(crate) struct Memory {
    seen: HashSet<[u8; 16]>,
    counts: std::collections::HashMap<&'static str, u32>,
    findings_per_kind_max: u32,
    pub(crate) looked: Looked,
}

impl Memory {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            seen: HashSet::new(),
            counts: std::collections::HashMap::new(),
            findings_per_kind_max: limits.findings_per_kind_max,
            looked: Looked::default(),
        }
    }

    /// Tells whether a value is to be told: it was not yet, and its kind has not too many.
    fn admits(&mut self, kind: &'static str, value: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(value).into();
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        let is_new =
            if self.seen.len() < SEEN_MAX { self.seen.insert(short) } else { !self.seen.contains(&short) };
        let count = self.counts.entry(kind).or_default();
        if !is_new || *count >= self.findings_per_kind_max {
            self.looked.repeats += 1;
            return false;
        }
        *count += 1;
        true
    }
}

/// What is known of a kind when a value of it is told.
#[derive(Clone, Copy)]
pub(crate) struct Telling {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    pub(crate) entropy_min: f64,
    pub(crate) examples: &'static [&'static str],
    pub(crate) is_chosen: bool,
}

impl From<&Kind> for Telling {
    fn from(kind: &Kind) -> Self {
        Self {
            id: kind.id,
            title: kind.title,
            rule: kind.rule,
            severity: kind.severity,
            entropy_min: kind.entropy_min,
            examples: kind.examples,
            is_chosen: kind.is_chosen,
        }
    }
}

/// One stretch of content that is being looked at.
pub(crate) struct Run {
    path: String,
    inside: String,
    is_free_space: bool,
    buffer: Vec<u8>,
    /// Place of the buffer in the content.
    base: u64,
    /// Up to where in the buffer keywords are decided.
    decided: usize,
    /// Line feeds before the buffer.
    lines: u64,
    /// Ranges of values that were told, so that one value is not told as two kinds.
    taken: Vec<(u64, u64)>,
    /// Where the last value of each kind ended: its keyword inside the value is no other value.
    matched: Vec<u64>,
    named: Option<NamedContent>,
    hits: Vec<(usize, usize)>,
}

impl Run {
    pub(crate) fn file(path: &str, inside: &str) -> Self {
        let name = inside.rsplit('!').next().filter(|name| !name.is_empty()).unwrap_or(path);
        Self {
            path: path.to_owned(),
            inside: inside.to_owned(),
            is_free_space: false,
            buffer: Vec::new(),
            base: 0,
            decided: 0,
            lines: 0,
            taken: Vec::new(),
            matched: Vec::new(),
            named: NamedContent::for_path(name),
            hits: Vec::new(),
        }
    }

    pub(crate) fn free_space(name: &str) -> Self {
        let mut run = Self::file(name, "");
        run.is_free_space = true;
        run.named = None;
        run
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8], memory: &mut Memory, sink: Sink<'_>) {
        if let Some(named) = &mut self.named {
            named.push(bytes);
        }
        while !bytes.is_empty() {
            let room = BUFFER_BYTES - self.buffer.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == BUFFER_BYTES {
                self.decide(BUFFER_BYTES - AHEAD_BYTES, memory, sink);
                self.slide();
            }
        }
    }

    /// Passes over bytes that hold nothing: what comes is not joined to what was.
    pub(crate) fn skip(&mut self, bytes: u64, memory: &mut Memory, sink: Sink<'_>) {
        self.decide(self.buffer.len(), memory, sink);
        self.lines += newlines(&self.buffer);
        self.base = self.base.saturating_add(self.buffer.len() as u64).saturating_add(bytes);
        self.buffer.clear();
        self.decided = 0;
    }

    /// Goes to another place, for free space.
    pub(crate) fn jump(&mut self, offset: u64, memory: &mut Memory, sink: Sink<'_>) {
        if offset != self.base.saturating_add(self.buffer.len() as u64) {
            self.skip(0, memory, sink);
            self.base = offset;
        }
    }

    pub(crate) fn finish(&mut self, memory: &mut Memory, sink: Sink<'_>) {
        self.decide(self.buffer.len(), memory, sink);
        if let Some(named) = self.named.take() {
            if named.is_cut() {
                memory.looked.miss(&self.inside, "its lines are not judged beyond 4 MiB");
            }
            for found in named.find() {
                let line = (found.line > 0).then_some(found.line);
                self.tell(&found.telling, &found.hit, named.bytes(), (0, line), memory, sink);
            }
        }
    }

    /// Drops what no undecided keyword can depend on.
    fn slide(&mut self) {
        let drop = self.decided.saturating_sub(BEHIND_BYTES_MAX);
        self.lines += newlines(&self.buffer[..drop]);
        self.base += drop as u64;
        self.buffer.drain(..drop);
        self.decided -= drop;
    }

    fn decide(&mut self, to: usize, memory: &mut Memory, sink: Sink<'_>) {
        let engine = Engine::shared();
        let mut hits = std::mem::take(&mut self.hits);
        let buffer = std::mem::take(&mut self.buffer);
        engine.keywords.find(&buffer, self.decided, to, &mut hits);
        if !hits.is_empty() {
            self.matched.resize(engine.kinds.len(), 0);
        }
        for &(at, index) in &hits {
            if self.matched.get(index).is_some_and(|end| self.base + (at as u64) < *end) {
                continue;
            }
            let start = at.saturating_sub(BEHIND_BYTES_MAX);
            let end = buffer.len().min(at + AHEAD_BYTES - engine.keywords.bytes_max());
            let window = Window { bytes: &buffer[start..end], at: at - start, offset: self.base + at as u64 };
            if let (Some(hit), Some(kind)) = (engine.examine(index, &window), engine.kinds.get(index)) {
                if let Some(end) = self.matched.get_mut(index) {
                    *end = self.base + (start + hit.end) as u64;
                }
                let line = self.line_of(&buffer, start + hit.start);
                let place = (self.base + start as u64, line);
                self.tell(&Telling::from(*kind), &hit, window.bytes, place, memory, sink);
            }
        }
        self.buffer = buffer;
        self.hits = hits;
        self.decided = to;
    }

    /// Returns the line of text that a place is in; none where the surroundings are no text.
    fn line_of(&self, buffer: &[u8], at: usize) -> Option<u32> {
        let around = buffer.get(at.saturating_sub(256)..buffer.len().min(at + 32))?;
        if self.is_free_space || memchr::memchr(0, around).is_some() {
            return None;
        }
        u32::try_from(self.lines + newlines(buffer.get(..at)?) + 1).ok()
    }

    /// Judges a value and tells it; `place` is where `bytes` begin, and the line.
    fn tell(
        &mut self,
        telling: &Telling,
        hit: &Hit,
        bytes: &[u8],
        place: (u64, Option<u32>),
        memory: &mut Memory,
        sink: Sink<'_>,
    ) {
        let Some(value) = bytes.get(hit.start..hit.end).filter(|value| !value.is_empty()) else { return };
        let random = value.strip_prefix(hit.shown.as_bytes()).unwrap_or(value);
        let randomness = judge::entropy(random);
        let is_example =
            telling.examples.iter().any(|part| memchr::memmem::find(value, part.as_bytes()).is_some());
        if !is_example {
            // What has a structure may well have long runs of one byte.
            let is_structure = telling.entropy_min == 0.0 && !telling.is_chosen;
            if hit.is_placeholder || !is_structure && judge::is_placeholder(random, telling.is_chosen) {
                memory.looked.placeholders += 1;
                return;
            }
            if randomness < telling.entropy_min {
                return;
            }
        }
        let range = (place.0 + hit.start as u64, place.0 + hit.end as u64);
        if self.taken.iter().any(|taken| taken.0 < range.1 && range.0 < taken.1)
            || !memory.admits(telling.id, value)
        {
            return;
        }
        if self.taken.len() < TAKEN_MAX {
            self.taken.push(range);
        }
        let mut finding = SecretFinding {
            offset: range.0,
            inside: (!self.inside.is_empty()).then(|| self.inside.clone()),
            rule: if self.is_free_space { "SEC-010" } else { telling.rule },
            kind: telling.id,
            title: telling.title,
            severity: hit.severity.unwrap_or(telling.severity),
            line: place.1,
            excerpt: format!("{}*** ({} characters)", hit.shown, value.len()),
            note: hit.note.clone(),
            fingerprint: fingerprint(value, randomness, telling.is_chosen),
        };
        if is_example {
            finding.severity = Severity::Info;
            finding.add_note("a value of its provider's manuals");
        } else if judge::is_sample_path(&self.path, &self.inside) {
            finding.severity = finding.severity.min(Severity::Low);
            finding.add_note("in a folder of tests or documentation");
        }
        sink(finding);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

fn fingerprint(value: &[u8], randomness: f64, is_chosen: bool) -> Option<String> {
    let is_safe = !is_chosen && value.len() >= FINGERPRINT_BYTES_MIN && randomness >= FINGERPRINT_ENTROPY_MIN;
    is_safe.then(|| hex::encode(&Sha256::digest(value)[..6]))
}

/// Looks at the bytes of one file as they come, without looking into containers.
///
/// For callers that read a file anyway; [`scan_source`](crate::scan_source) also unpacks.
pub struct Scanner {
    run: Run,
    memory: Memory,
}

impl Scanner {
    /// Begins; `path` is the file's path in the image, since names tell what a file holds.
    pub fn new(path: &str, limits: &Limits) -> Self {
        Self { run: Run::file(path, ""), memory: Memory::new(limits) }
    }

    /// Begins with free space; `name` is that of the file system.
    pub fn free_space(name: &str, limits: &Limits) -> Self {
        Self { run: Run::free_space(name), memory: Memory::new(limits) }
    }

    /// Goes to another place of the source: what comes is only joined to what was if it is its neighbour.
    pub fn jump(&mut self, offset: u64, sink: &mut dyn FnMut(SecretFinding)) {
        self.run.jump(offset, &mut self.memory, sink);
    }

    /// Takes the next bytes; findings may come late.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn FnMut(SecretFinding)) {
        self.memory.looked.bytes_read += bytes.len() as u64;
        self.run.push(bytes, &mut self.memory, sink);
    }

    /// Ends: tells what is left, and what was looked at.
    pub fn finish(mut self, sink: &mut dyn FnMut(SecretFinding)) -> Looked {
        self.run.finish(&mut self.memory, sink);
        self.memory.looked
    }
}
