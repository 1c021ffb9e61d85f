//! Which TCP ports does a stranger find open?
//!
//! Every port is sent the beginning of a connection, and the answer to it tells: open, closed, or nothing at all
//! where a packet filter swallows it. What is open is reset at once. The stranger has an address of the guest's own
//! network, because user-mode networking without a way out names no gateway, and a guest answers nobody that it has
//! no route to; what a packet filter opens for neighbours alone counts as open.

use std::collections::BTreeSet;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::probe::frames::{ACK, RST, SYN, Segment, Station};
use crate::probe::wire::Wire;

/// Who we are on the wire.
pub(crate) const STRANGER: Station =
    Station { mac: [0x02, 0x61, 0x6d, 0x69, 0x6e, 0x74], address: Ipv4Addr::new(169, 254, 169, 77) };
/// How many ports are asked at once: fewer than a virtual card has room for.
const BATCH: usize = 64;
/// How long a batch may take before the next is sent; late answers count all the same.
const BATCH_TIME: Duration = Duration::from_millis(30);
/// Silent ports are asked this often in all.
const PASSES: u16 = 3;
/// How long the wire must be quiet after a pass.
const QUIET_TIME: Duration = Duration::from_secs(1);
/// How long after a pass is waited at most.
const AFTER_PASS_MAX: Duration = Duration::from_secs(10);
/// The source port of the first pass.
const SOURCE_PORT: u16 = 42_000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Ports that begin a connection.
    pub(crate) open: BTreeSet<u16>,
    /// How many refuse it.
    pub(crate) closed: usize,
    /// How many do not answer.
    pub(crate) silent: usize,
}

/// Asks every port in `ports`.
pub(crate) async fn scan(wire: &mut Wire, ports: impl Iterator<Item = u16>) -> io::Result<Scan> {
    let mut sequence = [0; 4];
    getrandom::fill(&mut sequence).map_err(|error| io::Error::other(error.to_string()))?;
    let mut state = State {
        sequence: u32::from_be_bytes(sequence),
        waiting: ports.collect(),
        open: BTreeSet::new(),
        closed: 0,
    };
    for pass in 0..PASSES {
        let ports: Vec<u16> = state.waiting.iter().copied().collect();
        for batch in ports.chunks(BATCH) {
            let segments: Vec<Segment> = batch
                .iter()
                .map(|port| Segment {
                    source_port: SOURCE_PORT + pass,
                    target_port: *port,
                    sequence: state.sequence,
                    acknowledged: 0,
                    flags: SYN,
                })
                .collect();
            wire.send(&segments).await?;
            let deadline = Instant::now() + BATCH_TIME;
            while batch.iter().any(|port| state.waiting.contains(port)) && state.take(wire, deadline).await? {
            }
        }
        let end = Instant::now() + AFTER_PASS_MAX;
        while !state.waiting.is_empty() && state.take(wire, end.min(Instant::now() + QUIET_TIME)).await? {}
        if state.waiting.is_empty() {
            break;
        }
    }
    Ok(Scan { open: state.open, closed: state.closed, silent: state.waiting.len() })
}

struct State {
    sequence: u32,
    waiting: BTreeSet<u16>,
    open: BTreeSet<u16>,
    closed: usize,
}

impl State {
    /// Takes one answer before `deadline`; tells whether one came.
    async fn take(&mut self, wire: &mut Wire, deadline: Instant) -> io::Result<bool> {
        let Ok(answer) = timeout_at(deadline, wire.receive()).await else { return Ok(false) };
        let answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
        let is_ours = (SOURCE_PORT..SOURCE_PORT + PASSES).contains(&answer.target_port)
            && answer.acknowledged == self.sequence.wrapping_add(1);
        if !is_ours {
            return Ok(true);
        }
        if answer.flags & (SYN | ACK) == SYN | ACK {
            if self.waiting.remove(&answer.source_port) {
                self.open.insert(answer.source_port);
            }
            wire.send(&[Segment {
                source_port: answer.target_port,
                target_port: answer.source_port,
                sequence: answer.acknowledged,
                acknowledged: 0,
                flags: RST,
            }])
            .await?;
        } else if answer.flags & RST != 0 && self.waiting.remove(&answer.source_port) {
            self.closed += 1;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    use super::*;
    use crate::probe::frames;

    const GUEST: Station = Station { mac: [0x0e, 0, 0, 0, 0, 9], address: Ipv4Addr::new(169, 254, 169, 15) };

    /// Plays a guest with some ports open and some behind a filter, on a bad wire: the first question for each
    /// port that `loses` names is lost, and a neighbour says that everything is open.
    async fn guest(
        stream: UnixStream,
        open: &'static [u16],
        filtered: &'static [u16],
        loses: &'static [u16],
    ) {
        let (mut read, mut write) = stream.into_split();
        let mut lost = BTreeSet::new();
        while let Ok(length) = read.read_u32().await {
            let mut frame = vec![0; usize::try_from(length).unwrap()];
            read.read_exact(&mut frame).await.unwrap();
            let Some(asked) = frames::read(&frame, STRANGER, GUEST) else { continue };
            let port = asked.target_port;
            if asked.flags != SYN || filtered.contains(&port) || (loses.contains(&port) && lost.insert(port))
            {
                continue;
            }
            let answer = |flags, acknowledged| Segment {
                source_port: port,
                target_port: asked.source_port,
                sequence: 1,
                acknowledged,
                flags,
            };
            let honest = if open.contains(&port) { SYN | ACK } else { RST | ACK };
            let stranger = Station { mac: [2; 6], ..GUEST };
            let next = asked.sequence.wrapping_add(1);
            for (from, segment) in [
                (stranger, answer(SYN | ACK, next)),
                (GUEST, answer(SYN | ACK, next.wrapping_add(5))),
                (GUEST, answer(honest, next)),
            ] {
                let frame = frames::write(from, STRANGER, &segment);
                write.write_u32(u32::try_from(frame.len()).unwrap()).await.unwrap();
                write.write_all(&frame).await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn open_closed_and_silent_ports_are_told_apart_on_a_bad_wire() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let playing = tokio::spawn(guest(theirs, &[22, 80, 443], &[25], &[80, 81]));
        let mut wire = Wire::over(ours, STRANGER, GUEST);
        let found = scan(&mut wire, 1..=500).await.unwrap();
        assert_eq!(found, Scan { open: BTreeSet::from([22, 80, 443]), closed: 496, silent: 1 });
        drop(wire);
        playing.await.unwrap();
    }

    #[tokio::test]
    async fn cable_that_is_cut_is_an_error() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut wire = Wire::over(ours, STRANGER, GUEST);
        drop(theirs);
        assert!(scan(&mut wire, 1..=10).await.is_err());
    }
}
