//! Whole images, made with the system's own tools, looked into from the file to the document.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests: a failure is the end of the test, and one that is left out says so"
)]

mod containers;
mod damage;
mod disk;
mod folders;
mod free_space;
mod layouts;
mod owners;
mod passes;
mod root;
mod secrets;
mod support;
mod unread;
