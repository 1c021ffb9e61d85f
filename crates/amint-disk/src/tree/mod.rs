//! File trees to read and to change.
