//! Advisories: building the database, matching, version orders.
