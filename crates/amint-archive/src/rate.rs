//! A limit of bytes per second, shared by all connections.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use amint_types::{Cancel, Cancelled};

use crate::clock::{Clock, wait};

/// How much may be taken at once after a pause, in time: short, so that a limit is one even for short downloads.
const BURST: Duration = Duration::from_millis(250);

/// A token bucket, kept as the point in time at which all bytes taken so far are paid for.
pub(crate) struct Limiter {
    bytes_per_second: Option<u64>,
    paid: Mutex<Option<Instant>>,
}

impl Limiter {
    /// Makes a limiter; none limits nothing.
    pub(crate) fn new(bytes_per_second: Option<u64>) -> Self {
        Self { bytes_per_second: bytes_per_second.map(|rate| rate.max(1)), paid: Mutex::new(None) }
    }

    /// Returns how much to take at once, at most `wanted`, so that slow rates do not stutter.
    pub(crate) fn piece(&self, wanted: usize) -> usize {
        let Some(rate) = self.bytes_per_second else { return wanted };
        usize::try_from(rate / 8).unwrap_or(wanted).clamp(1024, wanted.max(1024)).min(wanted)
    }

    /// Takes `bytes`, and waits until they are paid for.
    pub(crate) fn take(&self, bytes: usize, clock: &dyn Clock, cancel: &Cancel) -> Result<(), Cancelled> {
        let Some(rate) = self.bytes_per_second else { return cancel.check() };
        let now = clock.now();
        let due = {
            let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
            let earliest = now.checked_sub(BURST).unwrap_or(now);
            let from = paid.map_or(earliest, |paid| paid.max(earliest));
            let nanos = u128::from(bytes as u64) * 1_000_000_000 / u128::from(rate);
            let due = from + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            *paid = Some(due);
            due
        };
        wait(clock, due.saturating_duration_since(now), cancel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::Manual;

    #[test]
    fn holds_the_rate_over_many_pieces() {
        let clock = Manual::new();
        let limiter = Limiter::new(Some(100_000));
        for _ in 0..100 {
            limiter.take(10_000, &clock, &Cancel::new()).unwrap();
        }
        // A million bytes at a hundred thousand per second, less the burst.
        let slept = clock.slept();
        assert!(slept >= Duration::from_millis(9_740) && slept <= Duration::from_secs(10), "{slept:?}");
    }

    #[test]
    fn forgets_a_long_pause() {
        let clock = Manual::new();
        let limiter = Limiter::new(Some(1_000));
        limiter.take(1_000, &clock, &Cancel::new()).unwrap();
        clock.sleep(Duration::from_hours(1));
        let before = clock.slept();
        limiter.take(1_000, &clock, &Cancel::new()).unwrap();
        assert_eq!(clock.slept(), before + Duration::from_millis(750));
    }

    #[test]
    fn limits_nothing_when_not_asked() {
        let clock = Manual::new();
        Limiter::new(None).take(usize::MAX, &clock, &Cancel::new()).unwrap();
        assert!(clock.slept().is_zero());
        assert_eq!(Limiter::new(None).piece(65_536), 65_536);
        assert_eq!(Limiter::new(Some(1)).piece(65_536), 1_024);
    }
}
