//! Ranges of OSV (<https://ossf.github.io/osv-schema/#evaluation>): events, sorted and made into intervals.

use serde::Deserialize;

use crate::record::{Range, RangeEnd};
use crate::versions::{Scheme, compare};

/// Ranges of one package.
#[derive(Debug, Default, Deserialize)]
pub(super) struct OsvRange {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) events: Vec<OsvEvent>,
}

/// One event; exactly one of its fields is set.
#[derive(Debug, Default, Deserialize)]
pub(super) struct OsvEvent {
    #[serde(default)]
    pub(super) introduced: Option<String>,
    #[serde(default)]
    pub(super) fixed: Option<String>,
    #[serde(default)]
    pub(super) last_affected: Option<String>,
    #[serde(default)]
    pub(super) limit: Option<String>,
}

enum Event<'a> {
    End(&'a str),
    Start(Option<&'a str>),
    Last(&'a str),
}

impl Event<'_> {
    fn version(&self) -> Option<&str> {
        match self {
            Self::Start(version) => *version,
            Self::End(version) | Self::Last(version) => Some(version),
        }
    }

    /// At one version, what ends comes before what begins, and a last affected version after both.
    fn rank(&self) -> u8 {
        match self {
            Self::End(_) => 0,
            Self::Start(_) => 1,
            Self::Last(_) => 2,
        }
    }
}

/// Makes intervals of events. Versions after a limit are not affected, so it ends an interval as a fix does.
pub(super) fn intervals(scheme: Scheme, range: &OsvRange) -> Vec<Range> {
    let mut events: Vec<Event<'_>> = Vec::new();
    for event in &range.events {
        if let Some(version) = &event.introduced {
            events.push(Event::Start((version != "0").then_some(version)));
        }
        events.extend(event.fixed.iter().map(|version| Event::End(version)));
        events.extend(event.last_affected.iter().map(|version| Event::Last(version)));
        events.extend(event.limit.iter().filter(|limit| *limit != "*").map(|version| Event::End(version)));
    }
    events.sort_by(|left, right| {
        let order = match (left.version(), right.version()) {
            (Some(left), Some(right)) => compare(scheme, left, right),
            (left, right) => left.is_some().cmp(&right.is_some()),
        };
        order.then_with(|| left.rank().cmp(&right.rank()))
    });
    let mut ranges = Vec::new();
    let mut start: Option<Option<&str>> = None;
    let own = |version: Option<&str>| version.map(str::to_owned);
    for event in events {
        match event {
            Event::Start(version) => start = start.or(Some(version)),
            Event::End(version) => {
                if let Some(introduced) = start.take() {
                    ranges.push(Range {
                        introduced: own(introduced),
                        end: RangeEnd::Fixed(version.to_owned()),
                    });
                }
            }
            Event::Last(version) => {
                if let Some(introduced) = start.take() {
                    let end = RangeEnd::LastAffected(version.to_owned());
                    ranges.push(Range { introduced: own(introduced), end });
                }
            }
        }
    }
    if let Some(introduced) = start {
        ranges.push(Range { introduced: own(introduced), end: RangeEnd::Open });
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(events: &str) -> Vec<Range> {
        let json = format!("{{\"type\":\"SEMVER\",\"events\":{events}}}");
        intervals(Scheme::Semver, &serde_json::from_str(&json).unwrap())
    }

    #[test]
    fn sorts_events_before_it_makes_intervals() {
        let found =
            ranges(r#"[{"fixed":"2.5.0"},{"introduced":"2.0.0"},{"fixed":"1.9.9"},{"introduced":"0"}]"#);
        assert_eq!(found.len(), 2);
        let is_in = |version: &str| found.iter().any(|range| range.contains(Scheme::Semver, version));
        assert!(is_in("0.0.1") && is_in("1.9.8") && is_in("2.0.0") && is_in("2.4.9"));
        assert!(!is_in("1.9.9") && !is_in("1.10.0") && !is_in("2.5.0") && !is_in("3.0.0"));
    }

    #[test]
    fn knows_last_affected_versions_limits_and_open_ends() {
        let found = ranges(r#"[{"introduced":"1.0.0"},{"last_affected":"1.4.0"},{"introduced":"2.0.0"}]"#);
        let is_in = |version: &str| found.iter().any(|range| range.contains(Scheme::Semver, version));
        assert!(is_in("1.4.0") && !is_in("1.4.1") && is_in("99.0.0") && !is_in("0.9.0"));
        let limited = ranges(r#"[{"introduced":"0"},{"limit":"1.0.0"},{"limit":"*"}]"#);
        assert!(
            limited[0].contains(Scheme::Semver, "0.9.0") && !limited[0].contains(Scheme::Semver, "1.0.0")
        );
        assert_eq!(ranges(r#"[{"fixed":"1.0.0"}]"#), []);
    }
}
