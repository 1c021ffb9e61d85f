//! Getting files: streaming, resuming, trying again.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use amint_types::{Cancel, Digest};

use crate::cache::Cache;
use crate::clock::{Clock, wait};
use crate::error::ArchiveError;
use crate::http::{Answer, Http, RequestError, io_error};
use crate::partial::Partial;
use crate::progress::Progress;
use crate::rate::Limiter;
use crate::release::parse_date;
use crate::settings::ClientSettings;
use crate::uri::{HttpUri, Location};

/// Most bytes that are read at once.
const PIECE_BYTES: usize = 64 * 1024;
/// Wait before the second attempt; each further one waits twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// Longest wait of our own choice.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Longest wait that a server may ask for with `Retry-After`.
const PAUSE_ASKED_MAX: Duration = Duration::from_mins(2);

/// What one operation of a client works with.
pub(crate) struct Context<'a> {
    pub(crate) settings: &'a ClientSettings,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) cache: &'a Cache,
    pub(crate) limiter: &'a Limiter,
    pub(crate) http: &'a Http,
    /// Raised by the user, and by the first error of the operation.
    pub(crate) cancel: &'a Cancel,
    pub(crate) progress: &'a Progress<'a>,
}

/// A file that is known by its digest.
pub(crate) struct Wanted<'a> {
    /// For people.
    pub(crate) name: &'a str,
    pub(crate) bytes: u64,
    pub(crate) sha256: Digest,
    /// Where it goes.
    pub(crate) target: &'a Path,
}

/// Why one attempt failed.
enum Failure {
    /// Another attempt may help, after a wait the server may have asked for.
    Passing {
        problem: Problem,
        pause: Option<Duration>,
    },
    Final(Box<ArchiveError>),
}

enum Problem {
    Status(u16),
    Io(io::Error),
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        Self::Final(Box::new(error))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Passing { problem: Problem::Io(error), pause: None }
    }
}

/// A small file as a server gives it.
pub(crate) enum Small {
    Found { bytes: Vec<u8>, etag: Option<String>, modified: Option<String> },
    NotModified,
    NotFound,
}

/// What a server is asked to answer only if.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<String>,
    /// Ask caches on the way for what the server has now.
    pub(crate) is_fresh: bool,
}

impl Context<'_> {
    /// Reads a small file as a whole.
    pub(crate) fn small(
        &self,
        location: &Location,
        conditions: &Conditions,
        bytes_max: usize,
    ) -> Result<Small, ArchiveError> {
        match location {
            Location::File(path) => read_local(path, bytes_max),
            Location::Http(uri) => {
                let mut headers = Vec::new();
                headers.extend(conditions.etag.clone().map(|etag| ("If-None-Match", etag)));
                headers.extend(conditions.modified.clone().map(|date| ("If-Modified-Since", date)));
                if conditions.is_fresh {
                    headers.push(("Cache-Control", "no-cache".to_owned()));
                }
                self.with_retries(uri, || self.small_once(uri, &headers, bytes_max))
            }
        }
    }

    fn small_once(
        &self,
        uri: &HttpUri,
        headers: &[(&str, String)],
        bytes_max: usize,
    ) -> Result<Small, Failure> {
        let mut answer = self.request(uri, headers)?;
        match answer.status {
            200 => {}
            304 => return Ok(Small::NotModified),
            404 | 410 => return Ok(Small::NotFound),
            status => return Err(ArchiveError::Status { uri: uri.to_string(), status }.into()),
        }
        let announced = answer.body.content_length();
        let mut bytes = Vec::new();
        let mut buffer = vec![0; self.limiter.piece(PIECE_BYTES)];
        let mut body = answer.body.as_reader();
        loop {
            let count = body.read(&mut buffer).map_err(plain)?;
            self.limiter.take(count, self.clock, self.cancel).map_err(ArchiveError::from)?;
            if count == 0 {
                break;
            }
            bytes.extend_from_slice(&buffer[..count]);
            if bytes.len() > bytes_max {
                let bytes = announced.unwrap_or(bytes.len() as u64);
                let what = uri.to_string();
                return Err(ArchiveError::TooLarge { what, bytes, bytes_max: bytes_max as u64 }.into());
            }
        }
        let header = |name| answer.header(name).map(ToOwned::to_owned);
        Ok(Small::Found { bytes, etag: header("etag"), modified: header("last-modified") })
    }

    /// Gets a file into its place, from the first location that has it right.
    pub(crate) fn fetch(&self, wanted: &Wanted<'_>, locations: &[Location]) -> Result<(), ArchiveError> {
        let opened =
            Partial::open(self.cache, &wanted.sha256, wanted.bytes, wanted.target, self.clock, self.cancel)?;
        let Some(mut partial) = opened else {
            self.progress.add(wanted.bytes, wanted.name);
            return Ok(());
        };
        self.progress.add(partial.bytes(), wanted.name);
        let mut last = ArchiveError::NoLocation;
        for location in locations {
            self.cancel.check()?;
            let result = match location {
                Location::File(path) => self.copy(path, wanted, &mut partial),
                Location::Http(uri) if self.settings.offline => {
                    Err(ArchiveError::Offline { what: format!("{} ({uri})", wanted.name) })
                }
                Location::Http(uri) => self.download(uri, wanted, &mut partial),
            };
            match result {
                Ok(()) => return partial.finish(wanted.target),
                Err(error) if error.is_cancelled() || matches!(error, ArchiveError::Cache { .. }) => {
                    return Err(error);
                }
                // That one place does not have a file tells less than any other error.
                Err(error) if error.is_not_found() && !matches!(last, ArchiveError::NoLocation) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn copy(&self, path: &Path, wanted: &Wanted<'_>, partial: &mut Partial) -> Result<(), ArchiveError> {
        let failed = || |source| ArchiveError::Local { path: path.to_owned(), source };
        let mut source = File::open(path).map_err(failed())?;
        let found = source.metadata().map_err(failed())?.len();
        let uri = path.display().to_string();
        if found != wanted.bytes {
            return Err(ArchiveError::Size { uri, expected: wanted.bytes, found });
        }
        self.restart(partial)?;
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            self.cancel.check()?;
            let count = source.read(&mut buffer).map_err(failed())?;
            if count == 0 {
                break;
            }
            self.keep(&buffer[..count], &uri, wanted, partial)?;
        }
        self.check(uri, wanted, partial)
    }

    fn download(
        &self,
        uri: &HttpUri,
        wanted: &Wanted<'_>,
        partial: &mut Partial,
    ) -> Result<(), ArchiveError> {
        let was_begun = partial.bytes() > 0;
        let first = self.with_retries(uri, || self.download_once(uri, wanted, partial));
        match first.and_then(|()| self.check(uri.to_string(), wanted, partial)) {
            // What an earlier try left may be of another file: once more, from the start.
            Err(ArchiveError::Hash { .. }) if was_begun => {
                self.with_retries(uri, || self.download_once(uri, wanted, partial))?;
                self.check(uri.to_string(), wanted, partial)
            }
            result => result,
        }
    }

    /// Adds to a file what a server has of it. An error leaves what came, for the next attempt.
    fn download_once(
        &self,
        uri: &HttpUri,
        wanted: &Wanted<'_>,
        partial: &mut Partial,
    ) -> Result<(), Failure> {
        if partial.bytes() == wanted.bytes {
            return Ok(());
        }
        let mut headers = Vec::new();
        if partial.bytes() > 0 {
            headers.push(("Range", format!("bytes={}-", partial.bytes())));
        }
        let mut answer = self.request(uri, &headers)?;
        match answer.status {
            200 => self.restart(partial)?,
            206 if starts_at(&answer, partial.bytes()) => {}
            206 | 416 if partial.bytes() > 0 => {
                self.restart(partial)?;
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "it gave another part than asked for",
                )
                .into());
            }
            status => return Err(ArchiveError::Status { uri: uri.to_string(), status }.into()),
        }
        if let Some(rest) = answer.body.content_length()
            && partial.bytes() + rest != wanted.bytes
        {
            let found = partial.bytes() + rest;
            return Err(ArchiveError::Size { uri: uri.to_string(), expected: wanted.bytes, found }.into());
        }
        let mut buffer = vec![0; self.limiter.piece(PIECE_BYTES)];
        let mut body = answer.body.as_reader();
        loop {
            let count = body.read(&mut buffer).map_err(plain)?;
            self.limiter.take(count, self.clock, self.cancel).map_err(ArchiveError::from)?;
            if count == 0 {
                break;
            }
            self.keep(&buffer[..count], &uri.to_string(), wanted, partial)?;
        }
        if partial.bytes() < wanted.bytes {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file ended early").into());
        }
        Ok(())
    }

    /// Adds to a file, but never more than it should have.
    fn keep(
        &self,
        bytes: &[u8],
        uri: &str,
        wanted: &Wanted<'_>,
        partial: &mut Partial,
    ) -> Result<(), ArchiveError> {
        let found = partial.bytes() + bytes.len() as u64;
        if found > wanted.bytes {
            self.restart(partial)?;
            return Err(ArchiveError::Size { uri: uri.to_owned(), expected: wanted.bytes, found });
        }
        partial.write(bytes)?;
        self.progress.add(bytes.len() as u64, wanted.name);
        Ok(())
    }

    fn check(&self, uri: String, wanted: &Wanted<'_>, partial: &mut Partial) -> Result<(), ArchiveError> {
        let found = partial.digest();
        if found == wanted.sha256 && partial.bytes() == wanted.bytes {
            return Ok(());
        }
        let bytes = partial.bytes();
        self.restart(partial)?;
        if bytes != wanted.bytes {
            return Err(ArchiveError::Size { uri, expected: wanted.bytes, found: bytes });
        }
        Err(ArchiveError::Hash { uri, expected: wanted.sha256, found })
    }

    fn restart(&self, partial: &mut Partial) -> Result<(), ArchiveError> {
        self.progress.take_back(partial.bytes());
        partial.restart()
    }

    fn request(&self, uri: &HttpUri, headers: &[(&str, String)]) -> Result<Answer, Failure> {
        self.cancel.check().map_err(ArchiveError::from)?;
        let answer = self.http.get(uri, headers).map_err(|error| match error {
            RequestError::Passing(error) => Failure::from(error),
            RequestError::Untrusted(source) => {
                ArchiveError::Untrusted { uri: uri.to_string(), source }.into()
            }
            RequestError::Uri => {
                ArchiveError::BadUri { uri: uri.to_string(), problem: "cannot be asked for" }.into()
            }
            RequestError::Redirect(problem) => {
                ArchiveError::Redirect { uri: uri.to_string(), problem }.into()
            }
        })?;
        if matches!(answer.status, 408 | 429 | 500 | 502 | 503 | 504) {
            let pause = retry_after(&answer);
            return Err(Failure::Passing { problem: Problem::Status(answer.status), pause });
        }
        Ok(answer)
    }

    /// Tries something until it works, fails for good, or was tried often enough.
    fn with_retries<T>(
        &self,
        uri: &HttpUri,
        mut attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, ArchiveError> {
        let mut attempts = 0;
        loop {
            let (problem, pause) = match attempt() {
                Ok(done) => return Ok(done),
                Err(Failure::Final(error)) => return Err(*error),
                Err(Failure::Passing { problem, pause }) => (problem, pause),
            };
            // Connections that a cancel has ended are no errors of the network.
            self.cancel.check()?;
            attempts += 1;
            if attempts > self.settings.retries {
                let uri = uri.to_string();
                return Err(match problem {
                    Problem::Status(status) => ArchiveError::Status { uri, status },
                    Problem::Io(source) => ArchiveError::Unreachable { uri, attempts, source },
                });
            }
            let own = PAUSE_FIRST.saturating_mul(1 << (attempts - 1).min(10)).min(PAUSE_MAX);
            wait(self.clock, pause.map_or(own, |asked| asked.min(PAUSE_ASKED_MAX)), self.cancel)?;
        }
    }
}

fn read_local(path: &Path, bytes_max: usize) -> Result<Small, ArchiveError> {
    let failed = |source| ArchiveError::Local { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Small::NotFound),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > bytes_max {
        let what = path.display().to_string();
        return Err(ArchiveError::TooLarge { what, bytes: bytes.len() as u64, bytes_max: bytes_max as u64 });
    }
    Ok(Small::Found { bytes, etag: None, modified: None })
}

/// Makes an error of the connection plain: `ureq` wraps its own.
fn plain(error: io::Error) -> io::Error {
    io_error(ureq::Error::from(error))
}

/// Tells whether an answer begins at the byte that was asked for (RFC 9110, section 14.4).
fn starts_at(answer: &Answer, start: u64) -> bool {
    let range = answer.header("content-range").and_then(|range| range.strip_prefix("bytes "));
    range.and_then(|range| range.split('-').next()).and_then(|first| first.trim().parse().ok()) == Some(start)
}

/// Reads how long a server asks to wait (RFC 9110, section 10.2.3): in seconds, or until a date by its own clock.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let value = answer.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |value: &str| parse_date(&value.replace("GMT", "UTC"));
    let until = date(value)?.duration_since(date(answer.header("date")?)?);
    Some(Duration::try_from(until).unwrap_or_default())
}
