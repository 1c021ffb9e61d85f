//! A logical volume as a source: where each of its bytes lies.

use std::io;
use std::sync::Arc;

use amint_types::ReadAt;

/// A logical volume's bytes.
pub(super) struct Volume {
    /// In order, without holes.
    runs: Vec<Run>,
    bytes: u64,
}

/// A run of a volume's bytes.
pub(super) struct Run {
    pub(super) start: u64,
    pub(super) bytes: u64,
    /// Where it lies: one place, or several in turns; none for zeros.
    pub(super) stripes: Vec<Stripe>,
    /// Bytes of one turn, where there are several places.
    pub(super) stripe_bytes: u64,
}

/// A place on a physical volume.
pub(super) struct Stripe {
    pub(super) source: Arc<dyn ReadAt>,
    pub(super) offset: u64,
}

/// Bytes that lie together on one physical volume.
struct Place<'a> {
    /// None for zeros.
    at: Option<(&'a dyn ReadAt, u64)>,
    bytes: u64,
}

impl Volume {
    /// Makes a volume of runs, which must follow each other.
    pub(super) fn new(runs: Vec<Run>) -> Self {
        let bytes = runs.last().map_or(0, |run| run.start.saturating_add(run.bytes));
        Self { runs, bytes }
    }

    /// Finds where an offset lies and how many bytes follow it there.
    fn place(&self, offset: u64) -> io::Result<Place<'_>> {
        let next = self.runs.partition_point(|run| run.start <= offset);
        let run = next.checked_sub(1).and_then(|index| self.runs.get(index));
        let run = run.filter(|run| offset - run.start < run.bytes).ok_or(io::ErrorKind::UnexpectedEof)?;
        let inside = offset - run.start;
        let left = run.bytes - inside;
        let (stripe, at, bytes) = match run.stripes.as_slice() {
            [] => return Ok(Place { at: None, bytes: left }),
            [one] => (one, inside, left),
            several => {
                let count = several.len() as u64;
                let (turn, rest) = (inside / run.stripe_bytes, inside % run.stripe_bytes);
                let index = usize::try_from(turn % count).unwrap_or_default();
                let stripe = several.get(index).ok_or(io::ErrorKind::UnexpectedEof)?;
                (stripe, turn / count * run.stripe_bytes + rest, left.min(run.stripe_bytes - rest))
            }
        };
        let at = stripe.offset.checked_add(at).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Place { at: Some((stripe.source.as_ref(), at)), bytes })
    }
}

impl ReadAt for Volume {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while !buffer.is_empty() {
            let place = self.place(offset)?;
            let count = usize::try_from(place.bytes).unwrap_or(usize::MAX).min(buffer.len());
            let (now, later) = buffer.split_at_mut(count);
            match place.at {
                Some((source, at)) => source.read_exact_at(at, now)?,
                None => now.fill(0),
            }
            offset += count as u64;
            buffer = later;
        }
        Ok(())
    }

    fn is_known_zero(&self, mut offset: u64, bytes: u64) -> bool {
        let Some(end) = offset.checked_add(bytes).filter(|end| *end <= self.bytes) else { return false };
        while offset < end {
            let Ok(place) = self.place(offset) else { return false };
            let count = place.bytes.min(end - offset);
            if place.at.is_some_and(|(source, at)| !source.is_known_zero(at, count)) {
                return false;
            }
            offset += count;
        }
        true
    }
}
