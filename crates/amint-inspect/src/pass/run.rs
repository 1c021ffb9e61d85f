//! Running analyzers over an index.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use amint_types::scan::{AnalyzerRun, AnalyzerStatus};
use amint_types::{Cancel, Cancelled};

use super::content::{Content, into_io};
use super::wanted::{refuse_holes, wanted};
use super::{Analyzer, File, Output, Stream, Want};
use crate::index::{EntryId, Index};

/// A file up to this size is read whole even by analyzers that choose places.
const WHOLE_BYTES: u64 = 256 * 1024;
/// How much of a larger file is read at once.
const CHUNK_BYTES: usize = 1024 * 1024;
/// How many files one thread takes at once.
const BATCH: usize = 32;
/// How many analyzers there may be.
const ANALYZERS_MAX: usize = 32;
/// How many errors of one analyzer are told; the rest is counted.
const ERRORS_TOLD: usize = 5;
/// How many errors each thread keeps, so that the same ones are told however files fall to threads.
const ERRORS_KEPT: usize = 10_000;

/// What a pass gave.
#[derive(Debug)]
pub struct PassResult {
    /// What was found, in no particular order.
    pub output: Output,
    /// How each analyzer fared, in the order given.
    pub runs: Vec<AnalyzerRun>,
    /// Bytes of content that were read, by the number of the file system.
    pub bytes_by_mount: Vec<u64>,
    /// Files whose content could not be read, by the number of the file system, the first few with their errors.
    pub unread_by_mount: Vec<Vec<String>>,
}

/// Offers every regular file to every analyzer that wants it.
///
/// # Errors
/// Fails when `cancel` says so.
pub fn run(
    index: &Index,
    analyzers: &[&dyn Analyzer],
    threads: usize,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<PassResult, Cancelled> {
    let analyzers = &analyzers[..analyzers.len().min(ANALYZERS_MAX)];
    let mut files = wanted(index, analyzers);
    let refused = refuse_holes(index, analyzers, &mut files);
    let pass = Pass {
        index,
        analyzers,
        files,
        refused,
        next: AtomicUsize::new(0),
        done: AtomicU64::new(0),
        progress,
        cancel,
    };
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 1..threads.max(1) {
            scope.spawn(|| {
                let tally = pass.work();
                results.lock().unwrap_or_else(PoisonError::into_inner).push(tally);
            });
        }
        let tally = pass.work();
        results.lock().unwrap_or_else(PoisonError::into_inner).push(tally);
    });
    cancel.check()?;
    Ok(pass.gather(results.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

struct Pass<'a> {
    index: &'a Index,
    analyzers: &'a [&'a dyn Analyzer],
    files: Vec<(EntryId, u32)>,
    /// Who does not get which file, because reading all of it would take too long.
    refused: Vec<(EntryId, u32)>,
    next: AtomicUsize,
    done: AtomicU64,
    progress: &'a (dyn Fn(u64, u64) + Sync),
    cancel: &'a Cancel,
}

/// What one thread did.
struct Tally {
    output: Output,
    files: Vec<u64>,
    errors: Vec<(u64, Vec<(EntryId, String)>)>,
    bytes: Vec<u64>,
    unread: Vec<(u64, Vec<(EntryId, String)>)>,
}

impl Pass<'_> {
    fn work(&self) -> Tally {
        let mounts = self.index.mounts().len();
        let mut tally = Tally {
            output: Output::default(),
            files: vec![0; self.analyzers.len()],
            errors: vec![(0, Vec::new()); self.analyzers.len()],
            bytes: vec![0; mounts],
            unread: vec![(0, Vec::new()); mounts],
        };
        let mut buffer = Vec::new();
        while !self.cancel.is_cancelled() {
            let start = self.next.fetch_add(BATCH, Ordering::Relaxed);
            let Some(batch) = self.files.get(start..self.files.len().min(start + BATCH)) else { break };
            if batch.is_empty() {
                break;
            }
            for (id, mask) in batch {
                if self.cancel.is_cancelled() {
                    break;
                }
                self.look(*id, *mask, &mut buffer, &mut tally);
            }
            let done = self.done.fetch_add(batch.len() as u64, Ordering::Relaxed);
            (self.progress)(done, self.files.len() as u64);
        }
        tally
    }

    fn look(&self, id: EntryId, mask: u32, buffer: &mut Vec<u8>, tally: &mut Tally) {
        let path = self.index.path(id);
        let entry = self.index.entry(id);
        let file = File { id, path: &path, entry };
        let chosen: Vec<usize> =
            (0..self.analyzers.len()).filter(|number| mask & (1 << number) != 0).collect();
        for number in &chosen {
            tally.files[*number] += 1;
        }
        let mount = usize::from(entry.mount_number());
        if let Err(error) = self.read(&file, &chosen, buffer, tally, mount) {
            let (count, told) = &mut tally.unread[mount];
            *count += 1;
            if told.len() < ERRORS_KEPT {
                told.push((id, error.to_string()));
            }
        }
    }

    fn read(
        &self,
        file: &File<'_>,
        chosen: &[usize],
        buffer: &mut Vec<u8>,
        tally: &mut Tally,
        mount: usize,
    ) -> std::io::Result<()> {
        let mut opened = self.index.open(file.id).map_err(into_io)?;
        let bytes = opened.size_bytes();
        let wants = |number: &&usize| self.analyzers[**number].wants(file);
        let has_stream = chosen.iter().any(|number| wants(&number) == Some(Want::Stream));
        if bytes <= WHOLE_BYTES || (has_stream && bytes <= CHUNK_BYTES as u64) {
            buffer.resize(usize::try_from(bytes).map_err(std::io::Error::other)?, 0);
            fill(opened.as_mut(), 0, buffer)?;
            tally.bytes[mount] += bytes;
            let content = Content::whole(buffer);
            for number in chosen {
                self.offer(*number, file, &content, Some(buffer), tally);
            }
            return Ok(());
        }
        let streamed = if has_stream {
            self.stream(file, chosen, opened.as_mut(), buffer, tally, mount)
        } else {
            Ok(())
        };
        // One bad spot in the middle takes nothing from those who look elsewhere.
        let content = Content::of(opened);
        for number in chosen.iter().filter(|number| matches!(wants(number), Some(Want::Places | Want::Whole)))
        {
            self.offer(*number, file, &content, None, tally);
        }
        tally.bytes[mount] += content.read_bytes();
        streamed
    }

    /// Reads a large file from its start to its end for all who want it so.
    fn stream(
        &self,
        file: &File<'_>,
        chosen: &[usize],
        opened: &mut dyn amint_fs::OpenFile,
        buffer: &mut Vec<u8>,
        tally: &mut Tally,
        mount: usize,
    ) -> std::io::Result<()> {
        let bytes = opened.size_bytes();
        let mut streams: Vec<(usize, Box<dyn Stream + '_>)> = chosen
            .iter()
            .filter(|number| self.analyzers[**number].wants(file) == Some(Want::Stream))
            .filter_map(|number| Some((*number, self.analyzers[*number].stream(file)?)))
            .collect();
        buffer.resize(CHUNK_BYTES, 0);
        let mut at = 0;
        while at < bytes && !self.cancel.is_cancelled() {
            let count = opened.read_at(at, buffer).map_err(into_io)?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            for (_, stream) in &mut streams {
                stream.feed(&buffer[..count]);
            }
            at += count as u64;
            tally.bytes[mount] += count as u64;
        }
        for (number, stream) in streams {
            let result = stream.finish(file, &mut tally.output);
            note(tally, number, file.id, result.map_err(|error| error.to_string()));
        }
        Ok(())
    }

    fn offer(
        &self,
        number: usize,
        file: &File<'_>,
        content: &Content<'_>,
        whole: Option<&[u8]>,
        tally: &mut Tally,
    ) {
        let analyzer = self.analyzers[number];
        let result = match (analyzer.wants(file), whole) {
            (Some(Want::Stream), Some(whole)) => match analyzer.stream(file) {
                Some(mut stream) => {
                    stream.feed(whole);
                    stream.finish(file, &mut tally.output)
                }
                None => Ok(()),
            },
            _ => analyzer.analyze(file, content, &mut tally.output),
        };
        note(tally, number, file.id, result.map_err(|error| error.to_string()));
    }

    fn gather(&self, tallies: Vec<Tally>) -> PassResult {
        let mut output = Output::default();
        let mut runs: Vec<AnalyzerRun> = self
            .analyzers
            .iter()
            .map(|analyzer| AnalyzerRun {
                id: analyzer.id().to_owned(),
                version: analyzer.version(),
                status: AnalyzerStatus::Skipped,
                files: 0,
                notes: Vec::new(),
            })
            .collect();
        let mounts = self.index.mounts().len();
        let mut bytes_by_mount = vec![0; mounts];
        let mut errors: Vec<(u64, Vec<(EntryId, String)>)> = vec![(0, Vec::new()); runs.len()];
        let mut unread = vec![(0, Vec::new()); mounts];
        for tally in tallies {
            output.append(tally.output);
            for (run, files) in runs.iter_mut().zip(&tally.files) {
                run.files += files;
            }
            add(&mut errors, tally.errors);
            add(&mut unread, tally.unread);
            for (sum, bytes) in bytes_by_mount.iter_mut().zip(tally.bytes) {
                *sum += bytes;
            }
        }
        for (id, streaming) in &self.refused {
            for (number, (run, (count, told))) in runs.iter_mut().zip(&mut errors).enumerate() {
                if streaming & (1 << number) != 0 {
                    run.files += 1;
                    *count += 1;
                    let bytes = self.index.entry(*id).bytes;
                    told.push((*id, format!("{bytes} bytes are more than its file system can hold")));
                }
            }
        }
        for (run, (count, told)) in runs.iter_mut().zip(errors) {
            run.status = match (run.files, count) {
                (0, _) => AnalyzerStatus::Skipped,
                (_, 0) => AnalyzerStatus::Ran,
                _ => AnalyzerStatus::Partial,
            };
            run.notes = self.tell(count, told);
        }
        let unread_by_mount = unread.into_iter().map(|(count, told)| self.tell(count, told)).collect();
        PassResult { output, runs, bytes_by_mount, unread_by_mount }
    }

    /// Says the first errors by the order of the index, so that threads change nothing.
    fn tell(&self, count: u64, mut told: Vec<(EntryId, String)>) -> Vec<String> {
        told.sort();
        told.truncate(ERRORS_TOLD);
        let mut notes: Vec<String> =
            told.iter().map(|(id, error)| format!("{}: {error}", self.index.path_text(*id))).collect();
        let more = count - notes.len() as u64;
        if more > 0 {
            notes.push(format!("and {more} more"));
        }
        notes
    }
}

fn note(tally: &mut Tally, number: usize, id: EntryId, result: Result<(), String>) {
    if let Err(error) = result {
        let (count, told) = &mut tally.errors[number];
        *count += 1;
        if told.len() < ERRORS_KEPT {
            told.push((id, error));
        }
    }
}

fn add(sums: &mut [(u64, Vec<(EntryId, String)>)], more: Vec<(u64, Vec<(EntryId, String)>)>) {
    for ((count, told), (more_count, more_told)) in sums.iter_mut().zip(more) {
        *count += more_count;
        told.extend(more_told);
    }
}

fn fill(file: &mut dyn amint_fs::OpenFile, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(offset + done as u64, &mut buffer[done..]).map_err(into_io)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => done += count,
        }
    }
    Ok(())
}
