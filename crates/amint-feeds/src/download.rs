//! Files from addresses: bounded, streamed to a private file, with the day on which they were made.
//!
//! Nothing here is verified beyond TLS: who names an address trusts it, or checks a digest afterwards.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use amint_archive::redact;
use amint_types::{Cancel, Cancelled};
use jiff::Timestamp;
use tempfile::NamedTempFile;
use ureq::Agent;

/// Most bytes of one download.
pub const DOWNLOAD_BYTES_MAX: u64 = 8 * 1024 * 1024 * 1024;

const TIMEOUT: Duration = Duration::from_secs(30);
const BUFFER_BYTES: usize = 64 * 1024;
const HEAD_BYTES_MAX: usize = 64 * 1024;
const REDIRECTS_MAX: u32 = 5;

/// A file could not be fetched. No text of it shows a user or a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// A file of this machine cannot be read, or a temporary one not be written.
    #[error("failed to use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The server cannot be reached, or the connection broke.
    #[error("failed to reach {address}")]
    Connection {
        /// The address, without secrets.
        address: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server refused.
    #[error("{address}: HTTP status {status}")]
    Status {
        /// The address, without secrets.
        address: String,
        /// What it answered.
        status: u16,
    },
    /// There is more than may be.
    #[error("{address} has more than {bytes_max} bytes")]
    TooLarge {
        /// The address, without secrets.
        address: String,
        /// The limit.
        bytes_max: u64,
    },
    /// The address is of no form that is known.
    #[error("`{0}` is neither a file nor an address with http, https or file")]
    Address(String),
    /// The network may not be used.
    #[error("{0} is not on this machine, and the network is not to be used")]
    Offline(String),
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// A file that was fetched, or one of this machine.
#[derive(Debug)]
pub struct Downloaded {
    path: PathBuf,
    /// Kept until it has been read.
    _temporary: Option<NamedTempFile>,
    /// When it was made, as the server or the file system tells.
    pub date: Option<Timestamp>,
}

impl Downloaded {
    /// Returns where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Fetches files.
pub struct Downloads {
    agent: Agent,
    folder: PathBuf,
    is_offline: bool,
    cancel: Cancel,
}

impl Downloads {
    /// Writes to files in `folder`, which must be there. Proxies are those of the environment.
    pub fn new(folder: impl Into<PathBuf>, is_offline: bool, cancel: Cancel) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(REDIRECTS_MAX)
            .user_agent(concat!("amint/", env!("CARGO_PKG_VERSION")))
            .max_response_header_size(HEAD_BYTES_MAX)
            .timeout_resolve(Some(TIMEOUT))
            .timeout_connect(Some(TIMEOUT))
            .timeout_recv_response(Some(TIMEOUT))
            .timeout_per_read(Some(TIMEOUT))
            .timeout_per_write(Some(TIMEOUT))
            .build();
        Self { agent: Agent::new_with_config(agent), folder: folder.into(), is_offline, cancel }
    }

    /// Fetches a file or an address; a file of this machine, or a folder, is used in place.
    ///
    /// # Errors
    /// Fails when it cannot be had whole.
    pub fn fetch(&self, place: &str, bytes_max: u64) -> Result<Downloaded, DownloadError> {
        self.cancel.check()?;
        if let Some(path) = local_path(place)? {
            let metadata = std::fs::metadata(&path)
                .map_err(|source| DownloadError::File { path: path.clone(), source })?;
            let date = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
            if metadata.is_file() && metadata.len() > bytes_max {
                return Err(DownloadError::TooLarge { address: path.display().to_string(), bytes_max });
            }
            return Ok(Downloaded { path, _temporary: None, date });
        }
        if self.is_offline {
            return Err(DownloadError::Offline(redact(place)));
        }
        self.fetch_http(place, bytes_max)
    }

    fn fetch_http(&self, uri: &str, bytes_max: u64) -> Result<Downloaded, DownloadError> {
        let address = redact(uri);
        let broken = |source: Box<dyn std::error::Error + Send + Sync>| DownloadError::Connection {
            address: address.clone(),
            source,
        };
        let mut answer = self.agent.get(uri).call().map_err(|error| broken(error.into()))?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(DownloadError::Status { address, status });
        }
        let date = answer
            .headers()
            .get("last-modified")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| jiff::fmt::rfc2822::parse(text).ok())
            .map(|zoned| zoned.timestamp());
        let failed = |source| DownloadError::File { path: self.folder.clone(), source };
        let mut file = NamedTempFile::new_in(&self.folder).map_err(failed)?;
        let mut body = answer.body_mut().as_reader();
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut total: u64 = 0;
        loop {
            self.cancel.check()?;
            let count = body.read(&mut buffer).map_err(|error| broken(error.into()))?;
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else { break };
            total = total.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            if total > bytes_max {
                return Err(DownloadError::TooLarge { address, bytes_max });
            }
            file.write_all(piece).map_err(failed)?;
        }
        file.flush().map_err(failed)?;
        Ok(Downloaded { path: file.path().to_owned(), _temporary: Some(file), date })
    }
}

/// Returns the path of a place of this machine; none where it is an address.
fn local_path(place: &str) -> Result<Option<PathBuf>, DownloadError> {
    let Some((scheme, rest)) = place.split_once("://") else {
        return Ok(Some(PathBuf::from(place.strip_prefix("file:").unwrap_or(place))));
    };
    match scheme {
        "http" | "https" => Ok(None),
        "file" if rest.starts_with('/') => Ok(Some(PathBuf::from(rest))),
        _ => Err(DownloadError::Address(redact(place))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufRead as _;
    use std::net::TcpListener;

    use super::*;

    /// Answers one request.
    fn serve(answer: &'static [u8]) -> (String, std::thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/all.zip?token=secret", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = io::BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = stream.write_all(answer);
        });
        (address, thread)
    }

    fn fetch(answer: &'static [u8], bytes_max: u64) -> Result<Downloaded, DownloadError> {
        let folder = tempfile::tempdir().unwrap();
        let (address, thread) = serve(answer);
        let downloads = Downloads::new(folder.path(), false, Cancel::new());
        let result = downloads.fetch(&address, bytes_max);
        thread.join().unwrap();
        if let Ok(downloaded) = &result {
            assert_eq!(std::fs::read(downloaded.path()).unwrap(), b"hello");
        }
        result
    }

    #[test]
    fn takes_the_day_from_the_server() {
        let answer =
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nLast-Modified: Mon, 02 Nov 2026 10:00:00 GMT\r\n\
                       Connection: close\r\n\r\nhello";
        let date = fetch(answer, 100).unwrap().date.unwrap();
        assert_eq!(date.to_string(), "2026-11-02T10:00:00Z");
    }

    #[test]
    fn refuses_what_is_too_large_cut_off_or_an_error_and_hides_tokens() {
        let large = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
        assert!(matches!(fetch(large, 4), Err(DownloadError::TooLarge { .. })));
        let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nhello";
        assert!(matches!(fetch(cut, 100), Err(DownloadError::Connection { .. })));
        let gone = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let error = fetch(gone, 100).unwrap_err().to_string();
        assert!(error.contains("404") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn uses_no_network_when_told_so() {
        let downloads = Downloads::new("/", true, Cancel::new());
        assert!(matches!(downloads.fetch("http://a.example/x", 1), Err(DownloadError::Offline(_))));
        assert!(matches!(downloads.fetch("ftp://a.example/x", 1), Err(DownloadError::Address(_))));
        assert!(matches!(downloads.fetch("/nothing/here", 1), Err(DownloadError::File { .. })));
    }
}
