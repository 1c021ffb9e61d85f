//! The cable between us and the guest's network: frames behind their length, over a Unix socket.
//!
//! QEMU joins it to the guest's own card by a hub (`-netdev stream`, `-netdev hubport`), so that the guest has no
//! second card and sees just one more station.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::probe::frames::{self, Segment, Station};

/// The longest frame that is taken; QEMU's own limit is 68 KiB.
const FRAME_BYTES_MAX: usize = 128 * 1024;
/// Answers that wait to be read; more are lost, as on any wire.
const ANSWERS_MAX: usize = 4096;

/// Our end of the cable.
#[derive(Debug)]
pub(crate) struct Wire {
    writer: OwnedWriteHalf,
    answers: mpsc::Receiver<Segment>,
    reader: JoinHandle<()>,
    us: Station,
    guest: Station,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Wire {
    /// Takes QEMU's connection; everything that is not for `us` from `guest` is read and dropped from now on.
    pub(crate) async fn accept(listener: &UnixListener, us: Station, guest: Station) -> io::Result<Self> {
        let (stream, _) = listener.accept().await?;
        Ok(Self::over(stream, us, guest))
    }

    pub(crate) fn over(stream: UnixStream, us: Station, guest: Station) -> Self {
        let (read, writer) = stream.into_split();
        let (sender, answers) = mpsc::channel(ANSWERS_MAX);
        let reader = tokio::spawn(sift(read, us, guest, sender));
        Self { writer, answers, reader, us, guest }
    }

    /// Sends segments to the guest, and reminds it of where answers go.
    pub(crate) async fn send(&mut self, segments: &[Segment]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(segments.len() * 64);
        let reminder = frames::write_arp(self.us, self.guest);
        let segments = segments.iter().map(|segment| frames::write(self.us, self.guest, segment));
        for frame in std::iter::once(reminder).chain(segments) {
            bytes.extend(u32::try_from(frame.len()).unwrap_or_default().to_be_bytes());
            bytes.extend(frame);
        }
        self.writer.write_all(&bytes).await
    }

    /// Returns the next segment for us; none when the cable is cut.
    pub(crate) async fn receive(&mut self) -> Option<Segment> {
        self.answers.recv().await
    }
}

/// Reads all frames, keeps those for us.
async fn sift(mut read: OwnedReadHalf, us: Station, guest: Station, sender: mpsc::Sender<Segment>) {
    let mut frame = Vec::new();
    loop {
        let Ok(length) = read.read_u32().await else { return };
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= FRAME_BYTES_MAX) else {
            return;
        };
        frame.resize(length, 0);
        if read.read_exact(&mut frame).await.is_err() {
            return;
        }
        if let Some(segment) = frames::read(&frame, guest, us) {
            // A full queue loses the answer, and the port is asked again.
            let _ = sender.try_send(segment);
        }
    }
}
