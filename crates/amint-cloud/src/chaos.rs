//! What goes wrong on purpose: throttling, errors, lost answers, latency, and answers that lag behind.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::SignedDuration;

use crate::Service;
use crate::protocol::Fault;

/// The longest latency and lag.
const MILLISECONDS_MAX: u64 = 600_000;

/// How much goes wrong; nothing by default. The same seed gives the same mishaps to the same sequence of requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chaos {
    /// The share of requests that are refused because there are too many.
    throttle: f64,
    /// The share of requests that fail: half of them before anything was done, half with the answer lost.
    errors: f64,
    /// The longest that an answer is held back.
    latency: Duration,
    /// The longest that something new is not told of by what describes it.
    consistency: SignedDuration,
    seed: u64,
}

/// A description of chaos that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no chaos: throttle=SHARE, errors=SHARE, latency=MILLISECONDS, consistency=MILLISECONDS and seed=NUMBER, by commas"
)]
pub struct ParseChaosError(String);

impl FromStr for Chaos {
    type Err = ParseChaosError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut chaos = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let wrong = || ParseChaosError(part.to_owned());
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let share = || value.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(wrong);
            let milliseconds = || {
                let number = value.strip_suffix("ms").unwrap_or(value).parse().ok();
                number.filter(|number| *number <= MILLISECONDS_MAX).ok_or_else(wrong)
            };
            match name {
                "throttle" => chaos.throttle = share()?,
                "errors" => chaos.errors = share()?,
                "latency" => chaos.latency = Duration::from_millis(milliseconds()?),
                "consistency" => {
                    let number = i64::try_from(milliseconds()?).map_err(|_| wrong())?;
                    chaos.consistency = SignedDuration::from_millis(number);
                }
                "seed" => chaos.seed = value.parse().map_err(|_| wrong())?,
                _ => return Err(wrong()),
            }
        }
        Ok(chaos)
    }
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mishap {
    pub(crate) kind: Option<MishapKind>,
    /// How long its answer is held back.
    pub(crate) latency: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MishapKind {
    Throttled,
    /// Nothing is done.
    Failed,
    /// It is done, and nobody is told.
    AnswerLost,
}

/// The mishaps of an endpoint, one request after the other.
#[derive(Debug, Default)]
pub(crate) struct Mishaps {
    chaos: Chaos,
    count: AtomicU64,
}

impl Mishaps {
    pub(crate) fn new(chaos: Chaos) -> Self {
        Self { chaos, count: AtomicU64::new(0) }
    }

    /// Draws what happens to the next request.
    pub(crate) fn next(&self) -> Mishap {
        let chaos = &self.chaos;
        if chaos.throttle == 0.0 && chaos.errors == 0.0 && chaos.latency.is_zero() {
            return Mishap::default();
        }
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let draw = |which: u64| share(mixed(chaos.seed ^ mixed(number.wrapping_mul(3).wrapping_add(which))));
        let kind = match draw(0) {
            drawn if drawn < chaos.throttle => Some(MishapKind::Throttled),
            _ if draw(1) >= chaos.errors => None,
            drawn if drawn * 2.0 < 1.0 + chaos.throttle => Some(MishapKind::Failed),
            _ => Some(MishapKind::AnswerLost),
        };
        Mishap { kind, latency: chaos.latency.mul_f64(draw(2)) }
    }

    /// Returns for how long a new thing is not told of.
    pub(crate) fn lag(&self, id: &str) -> SignedDuration {
        if self.chaos.consistency.is_zero() {
            return SignedDuration::ZERO;
        }
        let hash = id.bytes().fold(self.chaos.seed, |hash, byte| mixed(hash ^ u64::from(byte)));
        SignedDuration::try_from_secs_f64(self.chaos.consistency.as_secs_f64() * share(hash))
            .unwrap_or(SignedDuration::ZERO)
    }
}

/// Returns how a service says that there are too many requests (EC2 API error codes; EBS direct APIs, `ThrottlingException`
/// and its kin).
pub(crate) fn throttled(service: Service) -> Fault {
    match service {
        Service::Ec2 => Fault::client("RequestLimitExceeded", "Request limit exceeded.").with_status(503),
        Service::Ebs => Fault::client("RequestThrottledException", "The number of API requests is too high")
            .with_reason("ACCOUNT_THROTTLED"),
        Service::Rbin => Fault::client("ThrottlingException", "Rate exceeded").with_status(429),
        Service::Sts => Fault::client("Throttling", "Rate exceeded"),
    }
}

/// Returns how a service says that it failed.
pub(crate) fn failed(service: Service) -> Fault {
    match service {
        Service::Ebs | Service::Rbin => {
            Fault::client("InternalServerException", "An internal error has occurred").with_status(500)
        }
        _ => Fault::internal(),
    }
}

/// Mixes the bits of a number (splitmix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Makes a share of one from the upper bits of a number.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn share(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str, count: usize) -> Vec<Option<MishapKind>> {
        let mishaps = Mishaps::new(text.parse().unwrap());
        (0..count).map(|_| mishaps.next().kind).collect()
    }

    #[test]
    fn shares_are_kept_and_a_seed_repeats_them() {
        let drawn = kinds("throttle=0.2,errors=0.25,seed=7", 4000);
        let count = |kind| drawn.iter().filter(|drawn| **drawn == Some(kind)).count();
        assert!((700..900).contains(&count(MishapKind::Throttled)), "{}", count(MishapKind::Throttled));
        for kind in [MishapKind::Failed, MishapKind::AnswerLost] {
            assert!((320..480).contains(&count(kind)), "{kind:?} {}", count(kind));
        }
        assert_eq!(drawn, kinds("throttle=0.2,errors=0.25,seed=7", 4000));
        assert_ne!(drawn, kinds("throttle=0.2,errors=0.25,seed=8", 4000));
        assert_eq!(kinds("", 10), [None; 10]);
    }

    #[test]
    fn lags_and_latencies_stay_below_what_was_asked_for() {
        let mishaps = Mishaps::new("latency=50ms,consistency=3000".parse().unwrap());
        assert!((0..100).all(|_| mishaps.next().latency <= Duration::from_millis(50)));
        let lags: Vec<i128> =
            (0..50).map(|number| mishaps.lag(&format!("ami-{number}")).as_millis()).collect();
        assert!(lags.iter().all(|lag| (0..=3000).contains(lag)) && lags.iter().any(|lag| *lag > 1500));
        assert_eq!(Mishaps::default().lag("ami-0"), SignedDuration::ZERO);
    }

    #[test]
    fn what_is_no_chaos_is_refused() {
        for text in
            ["throttle=2", "throttle=-1", "errors=x", "latency=1s", "noise=1", "seed", "latency=600001"]
        {
            assert!(text.parse::<Chaos>().is_err(), "{text}");
        }
    }
}
