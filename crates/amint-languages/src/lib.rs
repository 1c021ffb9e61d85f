//! Packages of programming languages, found in an image's files.
