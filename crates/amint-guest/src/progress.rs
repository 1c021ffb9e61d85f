//! Deciding when a guest is stuck.

use std::time::Duration;

use crate::spec::Deadlines;

/// Silence is forgiven this many times longer while the guest's processors work.
const BUSY_FACTOR: u32 = 2;
/// A guest counts as working when it used this share of one processor since its last sign of life, in percent.
const BUSY_PERCENT: u32 = 20;
/// No honest console writes as much.
const CONSOLE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What is known of a guest at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Observation {
    /// How many bytes the console has.
    pub(crate) console_bytes: u64,
    /// How many steps were made over SSH, and how often the guest asked the metadata service.
    pub(crate) steps: u64,
    /// How much processor time QEMU has used.
    pub(crate) processor_time: Duration,
}

/// Why a guest was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stuck {
    /// No sign of life.
    Silent {
        /// For how long.
        silence: Duration,
        /// Whether its processors worked all the same.
        is_busy: bool,
    },
    /// It took too long in all.
    Slow {
        /// How long.
        elapsed: Duration,
    },
    /// It floods its console.
    Flood,
}

impl std::fmt::Display for Stuck {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Silent { silence, is_busy } => {
                let doing = if *is_busy { "busy without a word" } else { "idle" };
                write!(formatter, "no sign of life for {} s ({doing})", silence.as_secs())
            }
            Self::Slow { elapsed } => write!(formatter, "not done after {} s", elapsed.as_secs()),
            Self::Flood => formatter.write_str("it floods its serial console"),
        }
    }
}

impl Deadlines {
    /// Never stops waiting.
    pub(crate) const NEVER: Self = Self { no_progress: Duration::MAX, total: Duration::MAX };
}

/// Watches one guest for signs of life.
#[derive(Debug)]
pub(crate) struct Watchdog {
    deadlines: Deadlines,
    /// What was seen at the last sign of life.
    last: Observation,
    last_at: Duration,
}

impl Watchdog {
    /// Begins to watch at the moment zero.
    pub(crate) fn new(deadlines: Deadlines) -> Self {
        Self { deadlines, last: Observation::default(), last_at: Duration::ZERO }
    }

    /// Takes what is known `elapsed` after power-on.
    pub(crate) fn observe(&mut self, elapsed: Duration, seen: Observation) -> Result<(), Stuck> {
        if elapsed >= self.deadlines.total {
            return Err(Stuck::Slow { elapsed });
        }
        if seen.console_bytes > CONSOLE_BYTES_MAX {
            return Err(Stuck::Flood);
        }
        if seen.console_bytes > self.last.console_bytes || seen.steps > self.last.steps {
            self.last = seen;
            self.last_at = elapsed;
            return Ok(());
        }
        let silence = elapsed.saturating_sub(self.last_at);
        let used = seen.processor_time.saturating_sub(self.last.processor_time);
        let is_busy = used >= silence * BUSY_PERCENT / 100;
        let patience = self.deadlines.no_progress.saturating_mul(if is_busy { BUSY_FACTOR } else { 1 });
        if silence >= patience { Err(Stuck::Silent { silence, is_busy }) } else { Ok(()) }
    }
}

/// Reads how much processor time the process `process_id` has used, from `/proc`.
pub(crate) fn processor_time(process_id: u32) -> Option<Duration> {
    parse_processor_time(&std::fs::read_to_string(format!("/proc/{process_id}/stat")).ok()?)
}

fn parse_processor_time(stat: &str) -> Option<Duration> {
    // The second field, the name, may hold anything, spaces and parentheses too (proc_pid_stat(5)).
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    // The kernel's interface counts in hundredths of a second on every architecture.
    Some(Duration::from_millis(user.saturating_add(system).saturating_mul(10)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn watchdog() -> Watchdog {
        Watchdog::new(Deadlines { no_progress: seconds(10), total: seconds(100) })
    }

    fn seen(console_bytes: u64, steps: u64, processor_seconds: u64) -> Observation {
        Observation { console_bytes, steps, processor_time: seconds(processor_seconds) }
    }

    #[test]
    fn idle_guest_is_given_up_after_the_deadline() {
        let mut watchdog = watchdog();
        assert_eq!(watchdog.observe(seconds(1), seen(100, 0, 1)), Ok(()));
        assert_eq!(watchdog.observe(seconds(10), seen(100, 0, 1)), Ok(()));
        let stuck = Stuck::Silent { silence: seconds(10), is_busy: false };
        assert_eq!(watchdog.observe(seconds(11), seen(100, 0, 1)), Err(stuck));
    }

    #[test]
    fn every_sign_of_life_begins_the_wait_anew() {
        let mut watchdog = watchdog();
        for second in 1..90 {
            let signs = if second % 2 == 0 { seen(second, 0, 0) } else { seen(second - 1, second, 0) };
            assert_eq!(watchdog.observe(seconds(second), signs), Ok(()));
        }
    }

    #[test]
    fn busy_guest_gets_more_time_but_not_for_ever() {
        let mut watchdog = watchdog();
        assert_eq!(watchdog.observe(seconds(19), seen(0, 0, 19)), Ok(()));
        let stuck = Stuck::Silent { silence: seconds(20), is_busy: true };
        assert_eq!(watchdog.observe(seconds(20), seen(0, 0, 20)), Err(stuck));
    }

    #[test]
    fn lively_guest_ends_at_the_total_deadline() {
        let mut watchdog = watchdog();
        assert_eq!(watchdog.observe(seconds(99), seen(1, 0, 0)), Ok(()));
        assert_eq!(watchdog.observe(seconds(100), seen(2, 0, 0)), Err(Stuck::Slow { elapsed: seconds(100) }));
    }

    #[test]
    fn flooded_console_ends_the_test() {
        assert_eq!(watchdog().observe(seconds(1), seen(CONSOLE_BYTES_MAX + 1, 0, 0)), Err(Stuck::Flood));
    }

    #[test]
    fn processor_time_is_found_behind_a_hostile_name() {
        let stat = "42 (a) 9 (b c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        assert_eq!(parse_processor_time(stat), Some(seconds(2)));
        for text in ["", "42 (x", "42 (x) S 1", "42 (x) S 1 2 3 4 5 6 7 8 9 10 x y"] {
            assert_eq!(parse_processor_time(text), None, "{text}");
        }
        assert!(processor_time(std::process::id()).is_some());
    }
}
