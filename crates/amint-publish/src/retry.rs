//! What is tried again, and when.

use std::future::Future;
use std::time::Duration;

use amint_types::{Cancel, Cancelled};

use crate::cloud::{CloudError, CloudErrorClass};

/// How often a request is sent at most.
pub(crate) const ATTEMPTS_MAX: u32 = 12;
/// How often the very first request is sent when the service or the way to it fails: some five seconds.
const FIRST_ATTEMPTS_MAX: u32 = 5;
/// How often a request is sent whose answer is not needed.
const OPTIONAL_ATTEMPTS_MAX: u32 = 3;
/// How long something that was just made may stay unknown: AWS names two minutes for snapshots.
pub(crate) const UNKNOWN_MAX: Duration = Duration::from_mins(2);
/// How often somebody looks whether the user wants to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How patient a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// What it names has been there for long: unknown means gone.
    Settled,
    /// What it names was just made: it may be unknown for a while.
    Young,
    /// Without the answer it goes on as well.
    Optional,
    /// Nothing was answered yet: a way that is not there will not be there in two minutes either.
    First,
}

/// Tells whether a failure may pass, after `attempt` failures and `waited` in all.
pub(crate) fn may_pass(error: &CloudError, patience: Patience, attempt: u32, waited: Duration) -> bool {
    match error.class {
        CloudErrorClass::Throttled | CloudErrorClass::Transient if patience == Patience::Optional => {
            attempt < OPTIONAL_ATTEMPTS_MAX
        }
        CloudErrorClass::Transient if patience == Patience::First => attempt < FIRST_ATTEMPTS_MAX,
        CloudErrorClass::Throttled | CloudErrorClass::Transient => attempt < ATTEMPTS_MAX,
        CloudErrorClass::NotFound => patience == Patience::Young && waited < UNKNOWN_MAX,
        _ => false,
    }
}

/// Returns how long to wait after a number of failures: doubling from a fifth of a second to 20 seconds, and spread by
/// `spread` so that what failed together does not come back together.
pub(crate) fn pause(attempt: u32, spread: u64) -> Duration {
    let full = Duration::from_millis(200).saturating_mul(1 << attempt.min(7)).min(Duration::from_secs(20));
    // A multiplicative hash (Knuth, The Art of Computer Programming, volume 3, section 6.4).
    let part = (spread ^ u64::from(attempt)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
    full / 2 + full / 512 * u32::try_from(part).unwrap_or(0)
}

/// Asks until there is an answer, or a failure that does not pass.
pub(crate) async fn again<T, F: Future<Output = Result<T, CloudError>>>(
    patience: Patience,
    cancel: &Cancel,
    ask: impl Fn() -> F,
) -> Result<T, Stopped> {
    let (mut attempt, mut waited) = (0, Duration::ZERO);
    loop {
        match or_cancelled(cancel, ask()).await? {
            Ok(answer) => return Ok(answer),
            Err(error) => {
                attempt += 1;
                if !may_pass(&error, patience, attempt, waited) {
                    return Err(error.into());
                }
                let pause = pause(attempt, 0);
                waited += pause;
                or_cancelled(cancel, tokio::time::sleep(pause)).await?;
            }
        }
    }
}

/// Why something ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Waits for something, unless the user wants to stop.
pub(crate) async fn or_cancelled<T>(
    cancel: &Cancel,
    future: impl Future<Output = T>,
) -> Result<T, Cancelled> {
    cancel.check()?;
    tokio::pin!(future);
    loop {
        tokio::select! {
            biased;
            answer = &mut future => return Ok(answer),
            () = tokio::time::sleep(LOOK) => cancel.check()?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_is_not_there_is_given_up_soon_and_one_that_was_there_late() {
        let error = |class| CloudError {
            operation: "sts:GetCallerIdentity",
            region: "eu-west-1".to_owned(),
            class,
            code: None,
            message: String::new(),
            request_id: None,
        };
        let waits = |class, patience| {
            let last = (1..100).find(|attempt| !may_pass(&error(class), patience, *attempt, Duration::ZERO));
            (1..last.unwrap()).map(|attempt| pause(attempt, 0)).sum::<Duration>()
        };
        assert!(waits(CloudErrorClass::Transient, Patience::First) < Duration::from_secs(7));
        assert!(waits(CloudErrorClass::Transient, Patience::Settled) > Duration::from_mins(1));
        assert!(waits(CloudErrorClass::Throttled, Patience::First) > Duration::from_mins(1));
        assert_eq!(waits(CloudErrorClass::Denied, Patience::First), Duration::ZERO);
    }
}
