//! What QEMU starts per metadata connection.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;

/// Joins standard input and output to the Unix socket at `socket` until the socket's other end is closed.
///
/// QEMU's user-mode network can hand a guest's TCP connection only to a program. The caller should end the
/// process when this returns: the side that reads standard input may still wait.
pub fn bridge(socket: &Path) -> io::Result<()> {
    join(&UnixStream::connect(socket)?, io::stdin(), io::stdout())
}

fn join(socket: &UnixStream, input: impl Read + Send + 'static, mut output: impl Write) -> io::Result<()> {
    let mut upstream = socket.try_clone()?;
    thread::spawn(move || {
        // The guest hung up, one way or the other; the service is told and ends the connection.
        drop(copy(input, &mut upstream));
        drop(upstream.shutdown(Shutdown::Write));
    });
    copy(socket, &mut output)
}

/// Copies without waiting for a buffer to fill: an answer is of no use before its last byte.
fn copy(mut source: impl Read, target: &mut impl Write) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                target.write_all(&buffer[..read])?;
                target.flush()?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carries_both_directions_until_the_service_hangs_up() {
        let (ours, mut service) = UnixStream::pair().unwrap();
        let server = thread::spawn(move || {
            let mut request = [0; 5];
            service.read_exact(&mut request).unwrap();
            service.write_all(&request).unwrap();
            service.write_all(b" world").unwrap();
        });
        // An input that never ends, as that of a guest that keeps its connection open.
        let (_guest, input) = UnixStream::pair().unwrap();
        let input = io::Cursor::new(b"hello").chain(input);
        let mut output = Vec::new();
        join(&ours, input, &mut output).unwrap();
        server.join().unwrap();
        assert_eq!(output, b"hello world");
    }
}
