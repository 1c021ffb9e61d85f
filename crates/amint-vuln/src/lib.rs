//! Advisories: building the database, matching, version orders.

pub mod versions;
