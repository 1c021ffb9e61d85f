//! A small HTTP server on loopback that answers as told, also wrongly.

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use amint_types::Digest;

/// How one answer goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The connection ends after so many bytes of the body.
    Truncate(usize),
    /// Another status, with headers of its own.
    Status(u16, &'static str),
    /// Other bytes.
    Instead(Vec<u8>),
    /// More bytes than announced anywhere, until the connection is closed.
    Endless,
    /// The whole file, whatever part was asked for.
    Whole,
    /// Nothing more after so many bytes, until the server is released.
    Stall(usize),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The target of its first line: a path, or a whole URI at a proxy.
    pub(crate) target: String,
    /// Its headers, by names in small letters.
    pub(crate) headers: HashMap<String, String>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn path(&self) -> &str {
        let rest =
            self.target.strip_prefix("http://").and_then(|rest| rest.find('/').map(|start| &rest[start..]));
        rest.unwrap_or(&self.target)
    }
}

#[derive(Default)]
struct State {
    files: HashMap<String, Vec<u8>>,
    faults: HashMap<String, VecDeque<Fault>>,
    requests: Vec<Request>,
    stalled: usize,
    is_released: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

pub(crate) struct Server {
    address: String,
    shared: Arc<Shared>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&of_thread);
                thread::spawn(move || serve(&stream, &shared));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        self.shared.state.lock().unwrap().files.insert(path.to_owned(), bytes.to_vec());
    }

    pub(crate) fn remove(&self, path: &str) {
        self.shared.state.lock().unwrap().files.remove(path).unwrap();
    }

    /// Lets the next answers for a path go wrong, one after the other.
    pub(crate) fn fail(&self, path: &str, faults: impl IntoIterator<Item = Fault>) {
        self.shared.state.lock().unwrap().faults.entry(path.to_owned()).or_default().extend(faults);
    }

    /// Takes the requests that came since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.state.lock().unwrap().requests)
    }

    /// Waits until an answer stalls.
    pub(crate) fn wait_for_stall(&self) {
        let state = self.shared.state.lock().unwrap();
        drop(self.shared.changed.wait_while(state, |state| state.stalled == 0).unwrap());
    }

    /// Lets stalled answers go on.
    pub(crate) fn release(&self) {
        self.shared.state.lock().unwrap().is_released = true;
        self.shared.changed.notify_all();
    }
}

fn serve(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        if answer(stream, shared, &request).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let target = line.split_whitespace().nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Some(Request { target, headers })
}

/// Answers one request; an error ends the connection.
fn answer(mut stream: &TcpStream, shared: &Shared, request: &Request) -> io::Result<()> {
    let (file, fault) = {
        let mut state = shared.state.lock().unwrap();
        state.requests.push(request.clone());
        let path = request.path().to_owned();
        (state.files.get(&path).cloned(), state.faults.get_mut(&path).and_then(VecDeque::pop_front))
    };
    if let Some(Fault::Status(status, headers)) = fault {
        return write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\n{headers}\r\n");
    }
    let Some(mut file) = file else {
        return write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    };
    if let Some(Fault::Instead(other)) = &fault {
        file.clone_from(other);
    }
    let etag = format!("\"{}\"", Digest::of(&file).short());
    if request.header("if-none-match") == Some(&etag) {
        return write!(stream, "HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n");
    }
    let start = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
    let start: usize = start.map_or(0, |start| start.parse().unwrap());
    let start = if matches!(fault, Some(Fault::Whole)) { 0 } else { start };
    if start > 0 && start >= file.len() {
        return write!(stream, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n");
    }
    let body = &file[start..];
    let status = if start > 0 { "206 Partial Content" } else { "200 OK" };
    let range = format!("Content-Range: bytes {start}-{}/{}\r\n", file.len().saturating_sub(1), file.len());
    let range = if start > 0 { range.as_str() } else { "" };
    let head = format!("HTTP/1.1 {status}\r\nETag: {etag}\r\n{range}");
    match fault {
        Some(Fault::Endless) => {
            write!(stream, "{head}Connection: close\r\n\r\n")?;
            loop {
                stream.write_all(body)?;
            }
        }
        Some(Fault::Truncate(bytes)) => {
            write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len())?;
            stream.write_all(&body[..bytes])?;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        Some(Fault::Stall(bytes)) => {
            write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len())?;
            stream.write_all(&body[..bytes])?;
            let mut state = shared.state.lock().unwrap();
            state.stalled += 1;
            shared.changed.notify_all();
            drop(shared.changed.wait_while(state, |state| !state.is_released).unwrap());
            stream.write_all(&body[bytes..])
        }
        _ => {
            write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len())?;
            stream.write_all(body)
        }
    }
}
