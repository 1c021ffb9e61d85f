//! One HTTP/1.1 request on a connection of its own (RFC 9112).

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long an answer may be; documents and signatures have 2 KiB.
const ANSWER_BYTES_MAX: usize = 512 * 1024;
const READ_BYTES: usize = 4096;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// How far a request came before it failed.
#[derive(Debug)]
pub(super) enum HttpError {
    /// No connection was made.
    Connect(io::Error),
    /// The connection was made and the request sent, and not one byte came back in time.
    NoAnswer,
    /// The answer broke off, or is no HTTP.
    Answer(io::Error),
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn invalid(what: &'static str) -> HttpError {
    HttpError::Answer(io::Error::new(ErrorKind::InvalidData, what))
}

/// Sends a request and reads the answer; each of connecting and the whole answer may take `timeout`.
pub(super) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    header: (&str, &str),
    timeout: Duration,
) -> Result<Answer, HttpError> {
    let mut stream = TcpStream::connect_timeout(&address, timeout).map_err(HttpError::Connect)?;
    let (name, value) = header;
    let body = if method == "PUT" { "Content-Length: 0\r\n" } else { "" };
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: amint-identity\r\n{name}: {value}\r\n{body}\
         Connection: close\r\n\r\n"
    );
    let deadline = Instant::now() + timeout;
    stream.set_write_timeout(Some(timeout)).map_err(HttpError::Answer)?;
    stream.write_all(text.as_bytes()).map_err(HttpError::Answer)?;
    let mut bytes = Vec::new();
    let mut buffer = [0; READ_BYTES];
    loop {
        if let Some(answer) = parse(&bytes, false)? {
            return Ok(answer);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let read = if left.is_zero() {
            Err(ErrorKind::TimedOut.into())
        } else {
            stream.set_read_timeout(Some(left)).and_then(|()| stream.read(&mut buffer))
        };
        match read {
            Ok(0) => return parse(&bytes, true)?.ok_or_else(|| invalid("the answer breaks off")),
            Ok(count) => bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_timeout(&error) && bytes.is_empty() => return Err(HttpError::NoAnswer),
            Err(error) => return Err(HttpError::Answer(error)),
        }
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(invalid("the answer is too long"));
        }
    }
}

/// Reads an answer, if it is whole.
fn parse(bytes: &[u8], is_end: bool) -> Result<Option<Answer>, HttpError> {
    let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head =
        str::from_utf8(bytes.get(..at).unwrap_or_default()).map_err(|_| invalid("the answer is no HTTP"))?;
    let body = bytes.get(at.saturating_add(4)..).unwrap_or_default();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|line| line.split(' ').nth(1))
        .filter(|status| status.len() == 3)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| invalid("the answer is no HTTP"))?;
    let (mut length, mut is_chunked) = (None, false);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| invalid("the answer is no HTTP"))?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            let value: usize = value.parse().map_err(|_| invalid("the answer has no length"))?;
            if length.replace(value).is_some_and(|other| other != value) {
                return Err(invalid("the answer has two lengths"));
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            is_chunked = true;
        }
    }
    let body = match (is_chunked, length) {
        (true, _) => chunks(body)?,
        (false, Some(length)) => body.get(..length).map(<[u8]>::to_vec),
        (false, None) => is_end.then(|| body.to_vec()),
    };
    Ok(body.map(|body| Answer { status, body }))
}

/// Joins the chunks of a body (RFC 9112, 7.1), if all are there.
fn chunks(mut rest: &[u8]) -> Result<Option<Vec<u8>>, HttpError> {
    let mut body = Vec::new();
    loop {
        let Some(at) = rest.windows(2).position(|window| window == b"\r\n") else { return Ok(None) };
        let size = str::from_utf8(rest.get(..at).unwrap_or_default()).unwrap_or_default();
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| invalid("a chunk without a size"))?;
        if size > ANSWER_BYTES_MAX {
            return Err(invalid("the answer is too long"));
        }
        if size == 0 {
            return Ok(Some(body));
        }
        rest = rest.get(at.saturating_add(2)..).unwrap_or_default();
        let Some(chunk) = rest.get(..size) else { return Ok(None) };
        body.extend_from_slice(chunk);
        match rest.get(size..size.saturating_add(2)) {
            None => return Ok(None),
            Some(b"\r\n") => rest = rest.get(size.saturating_add(2)..).unwrap_or_default(),
            Some(_) => return Err(invalid("a chunk of another size than it says")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &str, is_end: bool) -> Option<String> {
        parse(bytes.as_bytes(), is_end).unwrap().map(|answer| String::from_utf8(answer.body).unwrap())
    }

    #[test]
    fn bodies_end_where_the_answer_says() {
        assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false).unwrap(), "ab");
        assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", true), None);
        assert_eq!(body("HTTP/1.0 200 OK\r\n\r\nab", false), None);
        assert_eq!(body("HTTP/1.0 200 OK\r\n\r\nab", true).unwrap(), "ab");
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n";
        assert_eq!(body(chunked, false).unwrap(), "abc");
        for length in 0..chunked.len() - 4 {
            assert_eq!(body(&chunked[..length], true), None, "{length}");
        }
    }

    #[test]
    fn what_is_no_http_is_refused() {
        for text in ["SSH-2.0\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"] {
            assert!(parse(text.as_bytes(), true).is_err(), "{text}");
        }
        for header in ["Content-Length: -1", "Content-Length: 1\r\nContent-Length: 2"] {
            assert!(parse(format!("HTTP/1.1 200 OK\r\n{header}\r\n\r\nab").as_bytes(), true).is_err());
        }
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n";
        assert!(parse(text.as_bytes(), true).is_err());
    }
}
