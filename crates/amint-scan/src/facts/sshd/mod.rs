//! The effective configuration of the ssh server, as sshd itself would read it.
//!
//! Not a search for lines: the first value of a keyword wins, an `Include` counts where it stands, a `Match`
//! block lasts to the end of its file and beats the rest for whoever meets it, the command line of the unit
//! beats the file, and what nobody sets has sshd's compiled default. Rules in `sshd_config(5)`; checked
//! against `sshd -T` by a test.

mod algorithms;
mod command_line;
mod conditions;
mod config;
mod connection;
mod keywords;
mod lexer;
mod reader;
mod version;

pub use algorithms::KEYWORDS as ALGORITHM_KEYWORDS;
pub use conditions::{Condition, Criterion};
pub use config::{Directive, Place, Problem, Setting, SshdConfig, When};
pub use connection::Connection;
