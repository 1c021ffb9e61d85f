//! What a set of sudoers files says.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) line: u32,
}

/// Who or what one element of a list of users, hosts or targets stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// Everyone, or everything.
    All,
    /// A name; in upper case, it may be the name of an alias.
    Name(String),
    /// The members of a group: `%wheel`.
    Group(String),
    /// The members of a group by its number: `%#10`.
    GroupId(String),
    /// A user by number: `#1000`.
    UserId(String),
    /// A netgroup: `+admins`.
    Netgroup(String),
    /// A group of another source: `%:Domain Admins`.
    ForeignGroup(String),
}

/// One element of a list; with an odd number of `!` it takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element<T> {
    pub(crate) is_negated: bool,
    pub(crate) value: T,
}

/// A list of users, hosts or targets.
pub(crate) type Members = Vec<Element<Member>>;

/// A command as it is written: `ALL`, an alias, a path with arguments, `sudoedit` with files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// The command and its arguments, without escapes.
    pub(crate) text: String,
    /// Checksums of which the program must have one.
    pub(crate) digests: Vec<String>,
}

/// One command of a privilege, with what counts for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandSpec {
    /// As whom; none when nothing is said, which means root.
    pub(crate) runas_users: Option<Members>,
    /// With which groups.
    pub(crate) runas_groups: Option<Members>,
    /// What `PASSWD` and `NOPASSWD` say.
    pub(crate) asks_password: Option<bool>,
    pub(crate) command: Element<Command>,
}

/// What users may do on some hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Privilege {
    pub(crate) hosts: Members,
    pub(crate) commands: Vec<CommandSpec>,
}

/// One line of users and their privileges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserSpec {
    pub(crate) users: Members,
    pub(crate) privileges: Vec<Privilege>,
    pub(crate) place: Place,
}

/// For whom a `Defaults` line counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// For everyone.
    Global,
    /// For some users: `Defaults:joe`.
    Users(Members),
    /// On some hosts: `Defaults@web`.
    Hosts(Members),
    /// For some targets: `Defaults>root`.
    Targets(Members),
    /// For some commands: `Defaults!/bin/ls`.
    Commands(Vec<Element<Command>>),
}

/// One setting of a `Defaults` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) scope: Scope,
    pub(crate) name: String,
    /// Whether the setting is turned off with `!`.
    pub(crate) is_negated: bool,
    pub(crate) value: Option<String>,
    pub(crate) place: Place,
}

/// A line that sudo does not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) place: Place,
    pub(crate) what: String,
}

/// Everything that the files say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sudoers {
    pub(crate) user_specs: Vec<UserSpec>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) user_aliases: BTreeMap<String, Members>,
    pub(crate) target_aliases: BTreeMap<String, Members>,
    pub(crate) host_aliases: BTreeMap<String, Members>,
    pub(crate) command_aliases: BTreeMap<String, Vec<Element<Command>>>,
    pub(crate) problems: Vec<Problem>,
    /// Every file that was read.
    pub(crate) files: Vec<PathBuf>,
}

impl Sudoers {
    /// Returns the setting of a name that counts for everyone: the last one.
    pub(crate) fn global(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|setting| setting.name == name && setting.scope == Scope::Global)
    }
}
