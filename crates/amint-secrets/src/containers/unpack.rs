//! Goes down into containers, within limits, and hands what is no container to a run.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use amint_types::{ReadAt, format_bytes};
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use liblzma::read::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use zeroize::Zeroize as _;

use super::sniff::{Form, HEAD_BYTES, sniff};
use super::{tar, zip};
use crate::finding::SecretFinding;
use crate::limits::Limits;
use crate::scanner::{Memory, Run};

const READ_BYTES: usize = 64 << 10;
/// Memory of one xz decoder: enough for `xz -9`.
const XZ_MEMORY_BYTES_MAX: u64 = 80 << 20;
/// Windows of zstd up to `zstd --long`.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// What may still come out of the containers of one file.
struct Budget {
    left: Cell<u64>,
    unpacked: Cell<u64>,
    is_met: Cell<bool>,
}

/// Bytes that come out of a decoder, counted.
struct Metered<R> {
    reader: R,
    budget: Rc<Budget>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.budget.left.get()).unwrap_or(usize::MAX);
        if left == 0 {
            // Only a byte beyond the limit shows that anything was left out.
            let beyond = self.reader.read(&mut [0])? > 0;
            self.budget.is_met.set(self.budget.is_met.get() | beyond);
            return Ok(0);
        }
        let room = buffer.len().min(left);
        let count = self.reader.read(buffer.get_mut(..room).unwrap_or_default())?;
        self.budget.left.set(self.budget.left.get().saturating_sub(count as u64));
        self.budget.unpacked.set(self.budget.unpacked.get().saturating_add(count as u64));
        Ok(count)
    }
}

/// Unpacks one file.
pub(crate) struct Unpacker<'a> {
    path: &'a str,
    limits: &'a Limits,
    memory: &'a mut Memory,
    sink: &'a mut dyn FnMut(SecretFinding),
    budget: Rc<Budget>,
}

/// Where in the nesting something is.
#[derive(Clone)]
struct Place {
    /// The path inside containers.
    inside: String,
    /// The name that content gets which is compressed and no archive: `auth.log` of `auth.log.gz`.
    bare_name: Option<String>,
    depth: u32,
}

impl Place {
    fn entry(&self, name: &str) -> Self {
        let name = name.trim_start_matches("./").trim_start_matches('/');
        Self { inside: format!("{}!/{name}", self.inside), bare_name: None, depth: self.depth + 1 }
    }

    fn bare(&self, path: &str) -> Self {
        let whole = self.bare_name.clone().unwrap_or_else(|| {
            let last = if self.inside.is_empty() { path } else { &self.inside };
            last.rsplit('/').next().unwrap_or_default().to_owned()
        });
        let name = match whole.rsplit_once('.') {
            Some((name, "gz" | "xz" | "zst" | "GZ" | "Z" | "zstd")) => name.to_owned(),
            Some((name, "tgz" | "txz" | "tzst")) => format!("{name}.tar"),
            _ => whole,
        };
        Self { inside: self.inside.clone(), bare_name: Some(name), depth: self.depth + 1 }
    }

    fn of_content(&self) -> String {
        match &self.bare_name {
            Some(name) => format!("{}!/{name}", self.inside),
            None => self.inside.clone(),
        }
    }
}

impl<'a> Unpacker<'a> {
    pub(crate) fn new(
        path: &'a str,
        limits: &'a Limits,
        memory: &'a mut Memory,
        sink: &'a mut dyn FnMut(SecretFinding),
    ) -> Self {
        let left = Cell::new(limits.unpacked_bytes_max);
        let budget = Rc::new(Budget { left, unpacked: Cell::new(0), is_met: Cell::new(false) });
        Self { path, limits, memory, sink, budget }
    }

    /// Tells whether content that begins so is looked into.
    pub(crate) fn wants(head: &[u8], limits: &Limits) -> bool {
        limits.depth_max > 0 && sniff(head).is_some()
    }

    /// Looks at a file that is a container. Returns false when it turned out to be none.
    pub(crate) fn file(mut self, source: &dyn ReadAt, head: &[u8], reader: &mut dyn Read) -> bool {
        let place = Place { inside: String::new(), bare_name: None, depth: 0 };
        let is_container = match sniff(head) {
            Some(Form::Zip) => self.zip(source, &place),
            Some(_) => {
                self.content(reader, &place);
                true
            }
            None => false,
        };
        if self.budget.is_met.get() {
            let reason =
                format!("not looked at beyond {} unpacked", format_bytes(self.limits.unpacked_bytes_max));
            self.memory.looked.miss("", reason);
        }
        self.memory.looked.bytes_unpacked += self.budget.unpacked.get();
        is_container
    }

    /// Looks at content of any form.
    fn content(&mut self, reader: &mut dyn Read, place: &Place) {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        if let Err(error) = (&mut *reader).take(HEAD_BYTES as u64).read_to_end(&mut head) {
            self.damaged(place, &error);
        }
        let form = sniff(&head);
        let mut whole = io::Cursor::new(head).chain(reader);
        match form {
            Some(form) if place.depth < self.limits.depth_max => self.container(form, &mut whole, place),
            Some(_) => {
                let reason = format!("not looked into: more than {} containers deep", self.limits.depth_max);
                self.memory.looked.miss(&place.of_content(), reason);
                self.plain(&mut whole, place);
            }
            None => self.plain(&mut whole, place),
        }
    }

    fn container(&mut self, form: Form, reader: &mut dyn Read, place: &Place) {
        match form {
            Form::Gzip => self.decoded(MultiGzDecoder::new(reader), place),
            Form::Xz => match Stream::new_stream_decoder(XZ_MEMORY_BYTES_MAX, CONCATENATED) {
                Ok(stream) => self.decoded(XzDecoder::new_stream(reader, stream), place),
                Err(error) => self.damaged(place, &error.into()),
            },
            Form::Zstd => match zstd::stream::read::Decoder::new(reader) {
                Ok(mut decoder) => match decoder.window_log_max(ZSTD_WINDOW_LOG_MAX) {
                    Ok(()) => self.decoded(decoder, place),
                    Err(error) => self.damaged(place, &error),
                },
                Err(error) => self.damaged(place, &error),
            },
            Form::Tar => self.entries(reader, place, tar::next),
            Form::Ar => {
                let skipped = io::copy(&mut (&mut *reader).take(8), &mut io::sink());
                if skipped.is_ok() {
                    self.entries(reader, place, tar::next_ar);
                }
            }
            Form::Zip => self.nested_zip(reader, place),
            Form::Bzip2 | Form::Lz4 | Form::SevenZip => {
                self.memory
                    .looked
                    .miss(&place.of_content(), format!("not looked into: {form:?} is not read"));
                self.plain(reader, place);
            }
        }
    }

    fn decoded(&mut self, decoder: impl Read, place: &Place) {
        let mut reader = Metered { reader: decoder, budget: Rc::clone(&self.budget) };
        self.content(&mut reader, &place.bare(self.path));
    }

    fn entries(
        &mut self,
        reader: &mut dyn Read,
        place: &Place,
        next: fn(&mut dyn Read) -> io::Result<Option<tar::Entry>>,
    ) {
        loop {
            let entry = match next(reader) {
                Ok(Some(entry)) => entry,
                Ok(None) => return,
                Err(error) => return self.damaged(place, &error),
            };
            if !self.counts_entry(place) {
                return;
            }
            let mut content = (&mut *reader).take(entry.bytes);
            if entry.is_file {
                self.content(&mut content, &place.entry(&entry.name));
            }
            let rest = content.limit().saturating_add(entry.padding);
            if let Err(error) = io::copy(&mut (&mut *reader).take(rest), &mut io::sink()) {
                return self.damaged(place, &error);
            }
        }
    }

    /// An archive that must be held in memory, since its directory is at its end.
    fn nested_zip(&mut self, reader: &mut dyn Read, place: &Place) {
        let mut held = Vec::new();
        let bytes_max = self.limits.nested_zip_bytes_max;
        if let Err(error) = (&mut *reader).take(bytes_max.saturating_add(1)).read_to_end(&mut held) {
            self.damaged(place, &error);
        }
        if held.len() as u64 > bytes_max {
            let reason = format!(
                "not looked into: a zip archive of more than {} inside another",
                format_bytes(bytes_max)
            );
            self.memory.looked.miss(&place.of_content(), reason);
        } else if self.zip(&held, place) {
            return;
        }
        self.plain(&mut io::Cursor::new(held).chain(reader), place);
    }

    /// Looks at the entries of a zip archive. Returns false when there is no directory.
    fn zip(&mut self, source: &dyn ReadAt, place: &Place) -> bool {
        let mut directory = match zip::Directory::open(source) {
            Ok(Some(directory)) => directory,
            Ok(None) => {
                self.memory
                    .looked
                    .miss(&place.of_content(), "not looked into: a zip archive without a directory");
                return false;
            }
            Err(error) => {
                self.damaged(place, &error);
                return false;
            }
        };
        loop {
            match directory.next() {
                Ok(Some(entry)) => {
                    if !self.counts_entry(place) {
                        return true;
                    }
                    if !entry.name.ends_with('/') {
                        self.zip_entry(&directory, &entry, &place.entry(&entry.name));
                    }
                }
                Ok(None) => return true,
                Err(error) => {
                    self.damaged(place, &error);
                    return true;
                }
            }
        }
    }

    fn zip_entry(&mut self, directory: &zip::Directory<'_>, entry: &zip::Entry, place: &Place) {
        if entry.is_encrypted {
            return self.memory.looked.miss(&place.inside, "not looked into: encrypted with a passphrase");
        }
        let packed = match directory.content(entry) {
            Ok(packed) => packed,
            Err(error) => return self.damaged(place, &error),
        };
        let budget = Rc::clone(&self.budget);
        match entry.method {
            zip::STORED => self.content(&mut Metered { reader: packed, budget }, place),
            zip::DEFLATED => {
                self.content(&mut Metered { reader: DeflateDecoder::new(packed), budget }, place);
            }
            zip::ZSTD => match zstd::stream::read::Decoder::new(packed) {
                Ok(decoder) => self.content(&mut Metered { reader: decoder, budget }, place),
                Err(error) => self.damaged(place, &error),
            },
            method => self
                .memory
                .looked
                .miss(&place.inside, format!("not looked into: compression {method} is not read")),
        }
    }

    /// Looks at content that is no container.
    fn plain(&mut self, reader: &mut dyn Read, place: &Place) {
        let mut run = Run::file(self.path, &place.of_content());
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => run.push(buffer.get(..count).unwrap_or_default(), self.memory, self.sink),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.damaged(place, &error);
                    break;
                }
            }
        }
        run.finish(self.memory, self.sink);
        buffer.zeroize();
    }

    fn counts_entry(&mut self, place: &Place) -> bool {
        self.memory.looked.entries += 1;
        let is_too_many = self.memory.looked.entries > self.limits.entries_max;
        if is_too_many {
            let reason = format!("not looked at beyond {} entries", self.limits.entries_max);
            self.memory.looked.miss(&place.of_content(), reason);
        }
        !is_too_many && !self.budget.is_met.get()
    }

    fn damaged(&mut self, place: &Place, error: &io::Error) {
        self.memory
            .looked
            .miss(&place.of_content(), format!("not looked at from a damaged place on: {error}"));
    }
}
