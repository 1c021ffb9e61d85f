//! Fetches advisories.
