//! Time as a parameter, so that no test has to wait.

use std::thread;
use std::time::{Duration, Instant};

use amint_types::{Cancel, Cancelled};

/// Longest sleep between two looks at a [`Cancel`].
const SLICE: Duration = Duration::from_millis(100);

/// Tells the time that has passed, and lets it pass.
pub trait Clock: Send + Sync {
    /// Returns a point in time that only grows.
    fn now(&self) -> Instant;

    /// Lets time pass.
    fn sleep(&self, duration: Duration);
}

/// The clock of the host.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }
}

/// Lets time pass in slices, and stops early when the user asks for it.
pub(crate) fn wait(clock: &dyn Clock, duration: Duration, cancel: &Cancel) -> Result<(), Cancelled> {
    let mut rest = duration;
    while !rest.is_zero() {
        cancel.check()?;
        let slice = rest.min(SLICE);
        clock.sleep(slice);
        rest -= slice;
    }
    cancel.check()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A clock that moves only when somebody sleeps.
    pub(crate) struct Manual {
        start: Instant,
        slept: Mutex<Duration>,
    }

    impl Manual {
        pub(crate) fn new() -> Self {
            Self { start: Instant::now(), slept: Mutex::new(Duration::ZERO) }
        }

        pub(crate) fn slept(&self) -> Duration {
            *self.slept.lock().unwrap()
        }
    }

    impl Clock for Manual {
        fn now(&self) -> Instant {
            self.start + self.slept()
        }

        fn sleep(&self, duration: Duration) {
            *self.slept.lock().unwrap() += duration;
        }
    }

    #[test]
    fn waits_as_long_as_asked_and_not_after_a_cancel() {
        let clock = Manual::new();
        let cancel = Cancel::new();
        wait(&clock, Duration::from_millis(250), &cancel).unwrap();
        assert_eq!(clock.slept(), Duration::from_millis(250));
        cancel.cancel();
        assert!(wait(&clock, Duration::from_secs(9), &cancel).is_err());
        assert_eq!(clock.slept(), Duration::from_millis(250));
    }
}
