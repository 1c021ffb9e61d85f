//! What goes wrong on purpose, so that clients can be tried against it.
//!
//! Everything is drawn from a seed: the n-th call of an operation fares the same in each run with the same seed, whatever
//! other operations are called in between. Nothing is drawn from the time.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use sha2::{Digest, Sha256};

/// The longest that a call can be held up: clients give up after a minute.
const LATENCY_MAX: Duration = Duration::from_mins(1);
/// The longest that changes can come late.
const CONSISTENCY_MAX: SignedDuration = SignedDuration::from_hours(24);

/// A text is no `--chaos`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChaosError {
    /// A part is not `name=value`, or its name is unknown.
    #[error(
        "`{0}` is none of throttle=SHARE, errors=SHARE, consistency=TIME, latency=TIME or TIME..TIME, seed=NUMBER"
    )]
    Part(String),
    /// A share is not from 0 to 1, or from 0% to 100%.
    #[error("`{0}` is no share: say 0.05 or 5%")]
    Share(String),
    /// A time cannot be read, or is too long.
    #[error(
        "`{0}` is no time, or too long: say 200ms, 3s or 2m; at most 60s of latency and 24h of consistency"
    )]
    Time(String),
    /// The seed is no number.
    #[error("`{0}` is no seed: say a whole number")]
    Seed(String),
}

/// What goes wrong, and how often. Unless it is said, nothing does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChaosOptions {
    /// How many calls of a million are throttled.
    pub throttle_ppm: u32,
    /// How many calls of a million end with an internal error: every other one before it had an effect, the others after it.
    pub errors_ppm: u32,
    /// How long changes are not told, in AWS's time.
    pub consistency: SignedDuration,
    /// How long an answer takes, at least and at most.
    pub latency: (Duration, Duration),
    /// Where all of this is drawn from.
    pub seed: u64,
}

impl FromStr for ChaosOptions {
    type Err = ChaosError;

    fn from_str(text: &str) -> Result<Self, ChaosError> {
        let mut options = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let unknown = || ChaosError::Part(part.to_owned());
            let (name, value) = part.split_once('=').ok_or_else(unknown)?;
            match name {
                "throttle" => options.throttle_ppm = share(value)?,
                "errors" => options.errors_ppm = share(value)?,
                "consistency" => {
                    let delay = SignedDuration::try_from(time(value)?).ok();
                    let delay = delay.filter(|delay| *delay <= CONSISTENCY_MAX);
                    options.consistency = delay.ok_or_else(|| ChaosError::Time(value.to_owned()))?;
                }
                "latency" => {
                    let (least, most) = value.split_once("..").unwrap_or((value, value));
                    options.latency = (time(least)?, time(most)?);
                    if options.latency.0 > options.latency.1 || options.latency.1 > LATENCY_MAX {
                        return Err(ChaosError::Time(value.to_owned()));
                    }
                }
                "seed" => options.seed = value.parse().map_err(|_| ChaosError::Seed(value.to_owned()))?,
                _ => return Err(unknown()),
            }
        }
        Ok(options)
    }
}

impl fmt::Display for ChaosOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |ppm: u32| f64::from(ppm) / 1e6;
        write!(
            formatter,
            "throttle={},errors={},consistency={}ms,latency={}ms..{}ms,seed={}",
            share(self.throttle_ppm),
            share(self.errors_ppm),
            self.consistency.as_millis(),
            self.latency.0.as_millis(),
            self.latency.1.as_millis(),
            self.seed
        )
    }
}

/// Reads a share as so many of a million.
fn share(text: &str) -> Result<u32, ChaosError> {
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.parse::<f64>().map(|number| number / whole).ok();
    let share = share.filter(|share| (0.0..=1.0).contains(share));
    let share = share.ok_or_else(|| ChaosError::Share(text.to_owned()))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to a million")]
    Ok((share * 1e6).round() as u32)
}

fn time(text: &str) -> Result<Duration, ChaosError> {
    let wrong = || ChaosError::Time(text.to_owned());
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let milliseconds = match &text[digits..] {
        "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    milliseconds.map(Duration::from_millis).ok_or_else(wrong)
}

/// What one call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mishap {
    /// How long the answer takes.
    pub(crate) latency: Duration,
    pub(crate) kind: MishapKind,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MishapKind {
    /// It does not.
    None,
    /// There were too many calls, it is said.
    Throttled,
    /// It fails before it had an effect.
    Before,
    /// It has its effect, and then the answer is lost.
    After,
}

/// Draws what each call meets.
#[derive(Debug, Default)]
pub(crate) struct Chaos {
    options: ChaosOptions,
    /// How often each operation was called.
    counts: Mutex<HashMap<&'static str, u64>>,
}

impl Chaos {
    pub(crate) fn new(options: ChaosOptions) -> Self {
        Self { options, counts: Mutex::default() }
    }

    /// Draws what the next call of an operation meets.
    pub(crate) fn next(&self, operation: &'static str) -> Mishap {
        let options = &self.options;
        let is_calm = options.throttle_ppm == 0 && options.errors_ppm == 0 && options.latency.1.is_zero();
        if is_calm {
            return Mishap { latency: Duration::ZERO, kind: MishapKind::None };
        }
        let number = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(operation).or_default();
            *count += 1;
            *count
        };
        let draw = |what: &str, below: u64| {
            let text = format!("{}\0{what}\0{operation}\0{number}", options.seed);
            let digest = Sha256::digest(text.as_bytes());
            digest.iter().take(8).fold(0_u64, |value, byte| value << 8 | u64::from(*byte)) % below.max(1)
        };
        let kind = if draw("throttle", 1_000_000) < u64::from(options.throttle_ppm) {
            MishapKind::Throttled
        } else if draw("errors", 1_000_000) >= u64::from(options.errors_ppm) {
            MishapKind::None
        } else if draw("effect", 2) == 0 {
            MishapKind::Before
        } else {
            MishapKind::After
        };
        let (least, most) = options.latency;
        let span = u64::try_from(most.saturating_sub(least).as_micros()).unwrap_or(0) + 1;
        Mishap { latency: least + Duration::from_micros(draw("latency", span)), kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_are_written() {
        let options: ChaosOptions =
            "throttle=5%,consistency=3s,errors=0.25,latency=10ms..2s,seed=7".parse().unwrap();
        let expected = ChaosOptions {
            throttle_ppm: 50_000,
            errors_ppm: 250_000,
            consistency: SignedDuration::from_secs(3),
            latency: (Duration::from_millis(10), Duration::from_secs(2)),
            seed: 7,
        };
        assert_eq!(options, expected);
        assert_eq!(options.to_string().parse(), Ok(expected));
        for wrong in [
            "throttle",
            "throttle=2",
            "errors=-1",
            "errors=x%",
            "latency=5",
            "latency=2s..1s",
            "latency=61s",
            "consistency=25h",
            "seed=x",
            "colour=red",
            "latency=99999999999999999999h",
        ] {
            assert!(wrong.parse::<ChaosOptions>().is_err(), "{wrong}");
        }
    }

    fn fates(options: &str, operation: &'static str) -> Vec<MishapKind> {
        let chaos = Chaos::new(options.parse().unwrap());
        (0..1000).map(|_| chaos.next(operation).kind).collect()
    }

    #[test]
    fn what_goes_wrong_follows_from_the_seed_and_is_as_often_as_told() {
        let options = "throttle=0.1,errors=0.2,seed=1";
        let all = fates(options, "CopyImage");
        assert_eq!(all, fates(options, "CopyImage"));
        assert_ne!(all, fates(options, "CreateTags"));
        assert_ne!(all, fates("throttle=0.1,errors=0.2,seed=2", "CopyImage"));
        let count = |kind| all.iter().filter(|one| **one == kind).count();
        for (kind, expected) in
            [(MishapKind::Throttled, 100), (MishapKind::Before, 90), (MishapKind::After, 90)]
        {
            assert!(count(kind).abs_diff(expected) < 35, "{kind:?}: {}", count(kind));
        }
    }

    #[test]
    fn other_operations_in_between_change_nothing() {
        let options: ChaosOptions = "errors=0.5,seed=3".parse().unwrap();
        let (alone, mixed) = (Chaos::new(options.clone()), Chaos::new(options));
        for _ in 0..100 {
            mixed.next("DescribeImages");
            assert_eq!(alone.next("CopyImage"), mixed.next("CopyImage"));
        }
    }

    #[test]
    fn latency_lies_between_its_bounds() {
        let chaos = Chaos::new("latency=10ms..20ms".parse().unwrap());
        let all: Vec<Duration> = (0..100).map(|_| chaos.next("CopyImage").latency).collect();
        assert!(all.iter().all(|one| (Duration::from_millis(10)..=Duration::from_millis(20)).contains(one)));
        assert!(all.iter().any(|one| *one != all[0]));
    }
}
