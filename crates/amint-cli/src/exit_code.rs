//! Exit codes: part of amint's interface, the same for every command.

use std::process;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything is as it should be.
    Fine = 0,
    /// A gate failed: findings, a failed test, a difference.
    Gate = 1,
    /// The command line is wrong.
    Usage = 2,
    /// An input is invalid or cannot be read: a recipe, an image.
    Input = 3,
    /// Evidence is missing or too old to judge by.
    Evidence = 4,
    /// The cloud refused or failed.
    Cloud = 5,
    /// Some of the work was done, some was not.
    Partly = 6,
    /// The environment lacks something: a tool, a mirror, disk space, rights.
    Environment = 7,
    /// A defect of amint.
    Defect = 70,
    /// Interrupted by the user (128 + SIGINT, as shells report it).
    Interrupted = 130,
}

impl ExitCode {
    /// All codes, in order.
    pub const ALL: [Self; 10] = [
        Self::Fine,
        Self::Gate,
        Self::Usage,
        Self::Input,
        Self::Evidence,
        Self::Cloud,
        Self::Partly,
        Self::Environment,
        Self::Defect,
        Self::Interrupted,
    ];

    /// Returns what the code means, for the reference.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Gate => "a gate failed: findings, a failed test, a difference",
            Self::Usage => "the command line is wrong",
            Self::Input => "an input is invalid or cannot be read: a recipe, an image",
            Self::Evidence => "evidence is missing or too old to judge by",
            Self::Cloud => "the cloud refused or failed",
            Self::Partly => "partly done",
            Self::Environment => "the environment lacks something: a tool, a mirror, disk space, rights",
            Self::Defect => "a defect of amint",
            Self::Interrupted => "interrupted (Ctrl-C)",
        }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
