use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A move of a snapshot between the tiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tiering {
    pub(crate) operation: TierOperation,
    pub(crate) started: Timestamp,
    /// When it is complete.
    pub(crate) ends: Timestamp,
    /// When the archival is, or was, complete.
    pub(crate) archived: Timestamp,
}

/// Which move it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TierOperation {
    /// Into the archive.
    Archival,
    /// Out of it, until `expires`: then it is back by itself.
    TemporaryRestore { expires: Timestamp },
    /// Out of it for good.
    PermanentRestore,
}

impl Tiering {
    /// Tells whether the snapshot lies in the archive.
    pub(crate) fn is_archived(&self, now: Timestamp) -> bool {
        match self.operation {
            TierOperation::Archival => self.ends <= now,
            TierOperation::TemporaryRestore { expires } => now < self.ends || expires <= now,
            TierOperation::PermanentRestore => now < self.ends,
        }
    }

    /// Tells whether the move is still on its way.
    pub(crate) fn is_under_way(&self, now: Timestamp) -> bool {
        now < self.ends
    }

    /// Returns until when a temporary restore lasts; none when there is none now.
    pub(crate) fn expiry(&self, now: Timestamp) -> Option<Timestamp> {
        match self.operation {
            TierOperation::TemporaryRestore { expires } if now < expires => Some(expires),
            _ => None,
        }
    }

    /// Returns the state of the last move, as EC2 names it.
    pub(crate) fn status(&self, now: Timestamp) -> &'static str {
        match (self.operation, self.is_under_way(now)) {
            (TierOperation::Archival, true) => "archival-in-progress",
            (TierOperation::Archival, false) => "archival-completed",
            (TierOperation::TemporaryRestore { .. }, true) => "temporary-restore-in-progress",
            (TierOperation::TemporaryRestore { expires }, false) if expires <= now => "archival-completed",
            (TierOperation::TemporaryRestore { .. }, false) => "temporary-restore-completed",
            (TierOperation::PermanentRestore, true) => "permanent-restore-in-progress",
            (TierOperation::PermanentRestore, false) => "permanent-restore-completed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_restore_ends_in_the_archive_again() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let tiering = Tiering {
            operation: TierOperation::TemporaryRestore { expires: at(30) },
            started: at(10),
            ends: at(20),
            archived: at(5),
        };
        let seen =
            [19, 20, 29, 30].map(|second| (tiering.is_archived(at(second)), tiering.status(at(second))));
        assert_eq!(
            seen,
            [
                (true, "temporary-restore-in-progress"),
                (false, "temporary-restore-completed"),
                (false, "temporary-restore-completed"),
                (true, "archival-completed"),
            ]
        );
    }
}
