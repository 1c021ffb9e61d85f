//! How many blocks are on their way at once, and when one is sent a second time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many at first.
const START: usize = 8;
/// How many at most.
const MAX: usize = 128;
/// By how much more has to get through for twice as many to pay.
const GAIN: f64 = 1.3;
/// After how many rounds it is tried again whether more pay.
const PATIENCE: u32 = 16;
/// How many blocks a round has at least: of fewer nothing can be told.
const ROUND_MIN: usize = 32;

/// How many may be on their way: twice as many as long as that pays, and half when the service asks for patience.
///
/// What gets through in a round tells: on a long line that grows with the window, until the line or the service is full;
/// from then on more would only wait in memory. Throttling halves the window once a round, as TCP does (RFC 5681,
/// section 3.1).
pub(crate) struct Window {
    size: usize,
    /// What came of the last size that is to be beaten, in blocks a second, and that size.
    best: Option<(f64, usize)>,
    started: Instant,
    answers: usize,
    /// How many rounds to stay at this size.
    rest: u32,
    /// How many answers until it may be halved again: those on their way know nothing of the last time.
    deaf: usize,
}

impl Window {
    pub(crate) fn new() -> Self {
        Self { size: START, best: None, started: Instant::now(), answers: 0, rest: 0, deaf: 0 }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Learns that a block got through, after it was throttled so many times.
    pub(crate) fn learn(&mut self, throttled: u32) {
        self.deaf = self.deaf.saturating_sub(1);
        if throttled > 0 {
            if self.deaf == 0 {
                self.turn((self.size / 2).max(1), PATIENCE);
                self.best = None;
                self.deaf = self.size;
            }
            return;
        }
        self.answers += 1;
        if self.answers >= (self.size * 3).max(ROUND_MIN) {
            self.judge();
        }
    }

    fn judge(&mut self) {
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = self.answers as f64 / self.started.elapsed().as_secs_f64().max(1e-6);
        if self.rest > 0 {
            let best = if self.best.is_some() { Some((rate, self.size)) } else { None };
            self.turn(self.size, self.rest - 1);
            self.best = best;
            return;
        }
        match self.best {
            // Twice as many did not pay.
            Some((before, size)) if size < self.size && rate < before * GAIN => {
                self.turn(size, PATIENCE);
            }
            _ => {
                self.best = Some((rate, self.size));
                self.turn((self.size * 2).min(MAX), 0);
            }
        }
    }

    /// Begins a round.
    fn turn(&mut self, size: usize, rest: u32) {
        (self.size, self.rest, self.answers, self.started) = (size, rest, 0, Instant::now());
    }
}

/// How long a block takes, and which takes so long that it is sent a second time beside the first: what stalls is a
/// connection or a machine, seldom the block.
#[derive(Default)]
pub(crate) struct Pace(Mutex<Times>);

#[derive(Default)]
struct Times {
    /// Mean and mean deviation of the last ones, in seconds (RFC 6298, section 2).
    mean: f64,
    deviation: f64,
    answers: u64,
    repeated: u64,
}

/// Until so many answers are there nothing is known.
const KNOWN: u64 = 16;
const HEDGE_MIN: Duration = Duration::from_millis(500);
const HEDGE_MAX: Duration = Duration::from_secs(5);
/// Of how many blocks one may be sent twice.
const REPEATED_SHARE: u64 = 20;

impl Pace {
    fn times(&self) -> std::sync::MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns how long a block took.
    pub(crate) fn learn(&self, took: Duration) {
        let (mut times, took) = (self.times(), took.as_secs_f64());
        if times.answers == 0 {
            (times.mean, times.deviation) = (took, took / 2.0);
        } else {
            times.deviation += ((took - times.mean).abs() - times.deviation) / 4.0;
            times.mean += (took - times.mean) / 8.0;
        }
        times.answers += 1;
    }

    /// Returns after how long a block is sent again.
    pub(crate) fn patience(&self) -> Duration {
        let times = self.times();
        if times.answers < KNOWN {
            return HEDGE_MAX;
        }
        Duration::from_secs_f64((times.mean + 4.0 * times.deviation).min(HEDGE_MAX.as_secs_f64()))
            .max(HEDGE_MIN)
    }

    /// Tells whether one more may be sent twice: when all are slow that would make them slower.
    pub(crate) fn may_repeat(&self) -> bool {
        let mut times = self.times();
        let is_rare = times.repeated * REPEATED_SHARE <= times.answers + REPEATED_SHARE;
        times.repeated += u64::from(is_rare);
        is_rare
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends blocks over a line that takes `line` blocks a second, however many are on their way, each at least 100 ms.
    async fn send(window: &mut Window, blocks: usize, line: f64) {
        for _ in 0..blocks {
            #[expect(clippy::cast_precision_loss, reason = "a rate")]
            let rate = (window.size() as f64 / 0.1).min(line);
            tokio::time::advance(Duration::from_secs_f64(1.0 / rate)).await;
            window.learn(0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_grows_as_long_as_that_pays() {
        let mut window = Window::new();
        send(&mut window, 2000, 10_000.0).await;
        assert_eq!(window.size(), MAX, "the line takes more");
        let mut window = Window::new();
        send(&mut window, 400, 80.0).await;
        assert_eq!(window.size(), START, "the line was full with eight");
        // The line gets wider, and that is found out.
        send(&mut window, 3000, 320.0).await;
        assert_eq!(window.size(), 32);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_halved_once_a_round_when_the_service_asks_for_it() {
        let mut window = Window::new();
        send(&mut window, 200, 10_000.0).await;
        let size = window.size();
        for _ in 0..size / 2 {
            window.learn(1);
        }
        assert_eq!(window.size(), size / 2);
        for _ in 0..1000 {
            window.learn(1);
        }
        assert_eq!(window.size(), 1);
        send(&mut window, 2000, 10_000.0).await;
        assert!(window.size() > START, "it grows again");
    }

    #[test]
    fn few_are_sent_twice_and_the_later_the_slower_all_are() {
        let pace = Pace::default();
        assert_eq!(pace.patience(), HEDGE_MAX);
        for _ in 0..100 {
            pace.learn(Duration::from_millis(50));
        }
        assert_eq!(pace.patience(), HEDGE_MIN);
        let repeated = (0..100).filter(|_| pace.may_repeat()).count();
        assert_eq!(repeated, 7);
        for _ in 0..100 {
            pace.learn(Duration::from_secs(2));
        }
        assert!((2..5).contains(&pace.patience().as_secs()), "{:?}", pace.patience());
    }
}
