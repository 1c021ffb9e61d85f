//! The time, and how long things take.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

/// Tells the time, and shortens what takes long in AWS.
///
/// The clock itself is the machine's, because clients sign with theirs; only durations are scaled: with a scale of 60,
/// what takes AWS a minute takes a second.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    scale: u32,
}

impl Clock {
    /// Makes a clock of the machine's time; durations are divided by `scale`, 0 counts as 1.
    pub fn new(scale: u32) -> Self {
        Self::with(scale, Timestamp::now)
    }

    /// Makes a clock that asks `now` for the time.
    pub fn with(scale: u32, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), scale: scale.max(1) }
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Returns how long something lasts here that lasts `duration` in AWS.
    pub fn scaled(&self, duration: SignedDuration) -> SignedDuration {
        duration / i32::try_from(self.scale).unwrap_or(i32::MAX)
    }

    /// Returns when something ends here that starts at `start` and lasts `duration` in AWS.
    pub fn after(&self, start: Timestamp, duration: SignedDuration) -> Timestamp {
        start.saturating_add(self.scaled(duration)).unwrap_or(Timestamp::MAX)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(1)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Clock").field("scale", &self.scale).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_divided_and_the_time_is_not() {
        let clock = Clock::with(60, || Timestamp::UNIX_EPOCH);
        let end = clock.after(clock.now(), SignedDuration::from_mins(10));
        assert_eq!(end.as_second(), 10);
        assert_eq!(
            Clock::with(0, || Timestamp::UNIX_EPOCH).scaled(SignedDuration::from_secs(3)).as_secs(),
            3
        );
    }
}
