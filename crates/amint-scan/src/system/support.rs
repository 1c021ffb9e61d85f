//! How long operating systems are supported.

use amint_types::scan::SupportState;
use jiff::civil::Date;

const TABLE: &str = include_str!("../../data/support.tsv");

/// The support of one release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Support {
    /// The last day of regular support.
    pub(super) ends: Date,
    /// The last day of support that anybody gets.
    pub(super) long_term_ends: Option<Date>,
}

impl Support {
    /// Tells where the support stands on a day.
    pub(super) fn on(&self, today: Date) -> SupportState {
        if today <= self.ends {
            SupportState::Supported
        } else if self.long_term_ends.is_some_and(|ends| today <= ends) {
            SupportState::Limited
        } else {
            SupportState::Ended
        }
    }
}

/// Finds the support of a release: that of the whole version first, then that of its first number.
pub(super) fn find(id: &str, version: Option<&str>) -> Option<Support> {
    let version = version?;
    let mut candidate = Some(version);
    while let Some(wanted) = candidate {
        let found = TABLE.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
            let mut fields = line.split('\t');
            let is_it = fields.next() == Some(id) && fields.next() == Some(wanted);
            let ends = fields.next().and_then(|day| day.parse().ok());
            let long_term_ends = fields.next().and_then(|day| day.parse().ok());
            is_it.then_some(Support { ends: ends?, long_term_ends })
        });
        if found.is_some() {
            return found;
        }
        candidate = wanted.rsplit_once('.').map(|(shorter, _)| shorter);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_can_be_read() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            assert!(find(fields[0], Some(fields[1])).is_some(), "{line}");
        }
    }

    #[test]
    fn points_of_a_release_have_its_support() {
        assert_eq!(find("alpine", Some("3.22.1")), find("alpine", Some("3.22")));
        assert_eq!(find("rhel", Some("9.4")), find("rhel", Some("9")));
        assert_eq!(find("templeos", Some("5")), None);
    }
}
