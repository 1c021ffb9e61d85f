//! Waiting for what becomes ready by itself.

use std::time::Duration;

use amint_types::Cancel;

use super::ApplyError;
use crate::retry::or_cancelled;

/// The first pause between looks at what becomes ready by itself: small images are ready at once.
const LOOK: Duration = Duration::from_millis(250);
/// The longest pause between such looks.
const LOOK_MAX: Duration = Duration::from_secs(15);
/// How long something may take to become ready.
pub(super) const READY_MAX: Duration = Duration::from_hours(1);

/// Looks at something until it is ready, each time after a longer pause.
pub(super) struct Wait {
    what: String,
    pub(super) waited: Duration,
    next: Duration,
}

impl Wait {
    pub(super) fn new(what: String) -> Self {
        Self { what, waited: Duration::ZERO, next: LOOK }
    }

    pub(super) async fn pause(&mut self, cancel: &Cancel) -> Result<(), ApplyError> {
        if self.waited >= READY_MAX {
            return Err(ApplyError::NotReady { what: self.what.clone() });
        }
        or_cancelled(cancel, tokio::time::sleep(self.next)).await?;
        self.waited += self.next;
        self.next = (self.next * 3 / 2).min(LOOK_MAX);
        Ok(())
    }
}
