//! CloudTrail: what was called, by whom and when.

mod lookup_events;

pub(super) use lookup_events::lookup_events;
