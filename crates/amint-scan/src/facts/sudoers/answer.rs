//! What the statements come to for somebody.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::grammar::is_alias_name;
use super::model::{Command, Element, Member, Members, Place, Scope, Sudoers, UserSpec};
use crate::glob;

/// How deep aliases may stand for aliases.
const DEPTH_MAX: u32 = 32;
/// How many aliases are looked into for one question: aliases of aliases multiply.
const STEPS_MAX: u32 = 20_000;

/// Somebody, as sudo sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) uid: u32,
    /// Names and numbers of all groups.
    pub(crate) groups: Vec<(String, u32)>,
}

/// A command that somebody may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Users, `%groups` or `ALL`, with aliases replaced.
    pub(crate) subjects: Vec<String>,
    /// The command, with aliases replaced; `ALL` is every command.
    pub(crate) command: String,
    /// Whether a password is asked for.
    pub(crate) asks_password: bool,
    /// Whether root may be the target.
    pub(crate) reaches_root: bool,
    pub(crate) place: Place,
}

/// How far one question may still go through aliases.
struct Walk {
    depth: Cell<u32>,
    steps: Cell<u32>,
}

impl Walk {
    fn new() -> Self {
        Self { depth: Cell::new(0), steps: Cell::new(0) }
    }

    /// Looks into an alias; nothing is found where that goes too deep or on for too long.
    fn through_alias<T: Default>(&self, look: impl FnOnce() -> T) -> T {
        if self.depth.get() >= DEPTH_MAX || self.steps.get() >= STEPS_MAX {
            return T::default();
        }
        self.depth.set(self.depth.get() + 1);
        self.steps.set(self.steps.get() + 1);
        let found = look();
        self.depth.set(self.depth.get() - 1);
        found
    }
}

impl Sudoers {
    /// Tells whether somebody may run any command as root, and if so, whether a password is asked for.
    ///
    /// Of all lines that fit, the last one counts.
    pub(crate) fn full_access(&self, identity: &Identity) -> Option<bool> {
        // A command that only `ALL` stands for, or a pattern that is as wide.
        const ANY: &str = "/bin/sh";
        for spec in self.user_specs.iter().rev() {
            if self.match_user(&spec.users, identity) != Some(true) {
                continue;
            }
            for privilege in spec.privileges.iter().rev() {
                let is_here = self.match_host(&privilege.hosts);
                for command in privilege.commands.iter().rev().filter(|_| is_here == Some(true)) {
                    if !self.reaches_root(command.runas_users.as_ref(), command.runas_groups.is_some()) {
                        continue;
                    }
                    match self.match_command(std::slice::from_ref(&command.command), ANY, &Walk::new()) {
                        Some(true) => {
                            return Some(
                                command
                                    .asks_password
                                    .unwrap_or_else(|| self.authenticates(Some(identity), Some(ANY))),
                            );
                        }
                        Some(false) => return None,
                        None => {}
                    }
                }
            }
        }
        None
    }

    /// Lists every command that is granted to somebody, aliases replaced.
    pub(crate) fn grants(&self) -> Vec<Grant> {
        let mut found = Vec::new();
        for spec in &self.user_specs {
            let subjects = self.subjects(&spec.users, &Walk::new());
            for command in spec.privileges.iter().flat_map(|privilege| &privilege.commands) {
                let reaches_root =
                    self.reaches_root(command.runas_users.as_ref(), command.runas_groups.is_some());
                for text in self.commands(std::slice::from_ref(&command.command), &Walk::new()) {
                    let asks_password = command.asks_password.unwrap_or_else(|| {
                        self.authenticates(None, Some(&text)) && self.authenticates_all_of(spec)
                    });
                    let place = spec.place.clone();
                    let subjects = subjects.clone();
                    found.push(Grant { subjects, command: text, asks_password, reaches_root, place });
                }
            }
        }
        found
    }

    /// Tells whether `Defaults` let sudo ask for a password; a narrower scope counts after the global one.
    fn authenticates(&self, identity: Option<&Identity>, command: Option<&str>) -> bool {
        let mut asks = true;
        let settings = || self.settings.iter().filter(|setting| setting.name == "authenticate");
        for setting in settings().filter(|setting| setting.scope == Scope::Global) {
            asks = !setting.is_negated;
        }
        for setting in settings() {
            let is_meant = match &setting.scope {
                Scope::Global => false,
                Scope::Users(users) => {
                    identity.is_some_and(|identity| self.match_user(users, identity) == Some(true))
                }
                Scope::Hosts(hosts) => self.match_host(hosts) == Some(true),
                Scope::Targets(targets) => self.reaches_root(Some(targets), false),
                Scope::Commands(commands) => command
                    .is_some_and(|command| self.match_command(commands, command, &Walk::new()) == Some(true)),
            };
            if is_meant {
                asks = !setting.is_negated;
            }
        }
        asks
    }

    /// Tells whether no `Defaults:user !authenticate` names somebody of a line.
    fn authenticates_all_of(&self, spec: &UserSpec) -> bool {
        let subjects = self.subjects(&spec.users, &Walk::new());
        !self.settings.iter().any(|setting| match &setting.scope {
            Scope::Users(users) if setting.name == "authenticate" && setting.is_negated => {
                let named = self.subjects(users, &Walk::new());
                named.iter().any(|name| name == "ALL" || subjects.contains(name))
            }
            _ => false,
        })
    }

    fn reaches_root(&self, users: Option<&Members>, has_groups: bool) -> bool {
        match users {
            // Nothing said is root; with a group alone, it is the caller with another group.
            None => !has_groups,
            Some(users) => {
                let root = Identity { name: "root".to_owned(), uid: 0, groups: vec![("root".to_owned(), 0)] };
                match_identity(users, &root, &self.target_aliases, &Walk::new()) == Some(true)
            }
        }
    }

    fn match_user(&self, users: &Members, identity: &Identity) -> Option<bool> {
        match_identity(users, identity, &self.user_aliases, &Walk::new())
    }

    fn match_host(&self, hosts: &Members) -> Option<bool> {
        match_any_host(hosts, &self.host_aliases, &Walk::new())
    }

    fn match_command(&self, commands: &[Element<Command>], text: &str, walk: &Walk) -> Option<bool> {
        commands.iter().rev().find_map(|element| {
            let pattern = &element.value.text;
            let is_matched = match self.command_aliases.get(pattern) {
                _ if pattern == "ALL" => Some(true),
                Some(inner) => walk.through_alias(|| self.match_command(inner, text, walk)),
                None => is_command_match(pattern, text).then_some(true),
            };
            is_matched.map(|matched| matched != element.is_negated)
        })
    }

    fn subjects(&self, members: &Members, walk: &Walk) -> Vec<String> {
        let mut found = Vec::new();
        for element in members.iter().filter(|element| !element.is_negated) {
            match &element.value {
                Member::Name(name) if is_alias_name(name) && self.user_aliases.contains_key(name) => {
                    let inner = &self.user_aliases[name];
                    found.extend(walk.through_alias(|| self.subjects(inner, walk)));
                }
                Member::All => found.push("ALL".to_owned()),
                Member::Name(name) => found.push(name.clone()),
                Member::Group(name) => found.push(format!("%{name}")),
                Member::GroupId(number) => found.push(format!("%#{number}")),
                Member::UserId(number) => found.push(format!("#{number}")),
                Member::Netgroup(name) => found.push(format!("+{name}")),
                Member::ForeignGroup(name) => found.push(format!("%:{name}")),
            }
        }
        found
    }

    fn commands(&self, commands: &[Element<Command>], walk: &Walk) -> Vec<String> {
        let mut found = Vec::new();
        for element in commands.iter().filter(|element| !element.is_negated) {
            match self.command_aliases.get(&element.value.text) {
                Some(inner) => found.extend(walk.through_alias(|| self.commands(inner, walk))),
                None => found.push(element.value.text.clone()),
            }
        }
        found
    }
}

fn match_identity(
    members: &Members,
    identity: &Identity,
    aliases: &BTreeMap<String, Members>,
    walk: &Walk,
) -> Option<bool> {
    members.iter().rev().find_map(|element| {
        let is_matched = match &element.value {
            Member::All => Some(true),
            Member::Name(name) => match aliases.get(name) {
                Some(inner) => walk.through_alias(|| match_identity(inner, identity, aliases, walk)),
                None => (*name == identity.name).then_some(true),
            },
            Member::Group(name) => identity.groups.iter().any(|(group, _)| group == name).then_some(true),
            Member::GroupId(number) => {
                identity.groups.iter().any(|(_, gid)| gid.to_string() == *number).then_some(true)
            }
            Member::UserId(number) => (identity.uid.to_string() == *number).then_some(true),
            Member::Netgroup(_) | Member::ForeignGroup(_) => None,
        };
        is_matched.map(|matched| matched != element.is_negated)
    })
}

/// Matches a host whose name is not known: only what stands for every host does.
fn match_any_host(hosts: &Members, aliases: &BTreeMap<String, Members>, walk: &Walk) -> Option<bool> {
    hosts.iter().rev().find_map(|element| {
        let is_matched = match &element.value {
            Member::All => Some(true),
            Member::Name(name) => match aliases.get(name) {
                Some(inner) => walk.through_alias(|| match_any_host(inner, aliases, walk)),
                None => matches!(name.as_str(), "localhost" | "*").then_some(true),
            },
            _ => None,
        };
        is_matched.map(|matched| matched != element.is_negated)
    })
}

/// Matches a path without arguments; a pattern that ends with `/` is a folder of programs.
fn is_command_match(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('/') {
        Some(folder) => text.rsplit_once('/').is_some_and(|(parent, _)| parent == folder),
        None => glob::is_match(pattern, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn read(text: &str) -> Sudoers {
        let fixture = Fixture::new().file("/usr/bin/sudo", "").file(super::super::MAIN, text);
        let sudoers = fixture.with(|cx| Sudoers::load(cx).unwrap());
        assert_eq!(sudoers.problems, []);
        sudoers
    }

    fn joe() -> Identity {
        Identity { name: "joe".into(), uid: 1000, groups: vec![("wheel".into(), 10)] }
    }

    #[test]
    fn the_last_line_that_fits_decides() {
        for (text, expected) in [
            ("joe ALL=(ALL) NOPASSWD: ALL\n", Some(false)),
            ("joe ALL=(ALL) NOPASSWD: ALL\njoe ALL=(ALL) ALL\n", Some(true)),
            ("joe ALL=(ALL) NOPASSWD: ALL\n%wheel ALL=(ALL) PASSWD: ALL\n", Some(true)),
            ("joe ALL=(ALL) NOPASSWD: ALL, !/bin/sh\n", None),
            ("joe ALL=(ALL) NOPASSWD: ALL, !/bin/ls\n", Some(false)),
            ("%#10 ALL=ALL\n", Some(true)),
            ("#1000 ALL=NOPASSWD:ALL\n", Some(false)),
            ("joe web=(ALL) NOPASSWD: ALL\n", None),
            ("joe ALL=(postgres) NOPASSWD: ALL\n", None),
            ("joe ALL=(:adm) NOPASSWD: ALL\n", None),
            ("joe ALL=(ALL,!root) NOPASSWD: ALL\n", None),
            ("User_Alias A = ALL, !joe\nA ALL=NOPASSWD: ALL\n", None),
            ("User_Alias A = B : B = joe\nA ALL=NOPASSWD: ALL\n", Some(false)),
            ("User_Alias A = A\nA ALL=NOPASSWD: ALL\n", None),
            ("Defaults !authenticate\njoe ALL=ALL\n", Some(false)),
            ("Defaults !authenticate\njoe ALL=PASSWD: ALL\n", Some(true)),
            ("Defaults:jim !authenticate\njoe ALL=ALL\n", Some(true)),
            ("Defaults:%wheel !authenticate\njoe ALL=ALL\n", Some(false)),
            ("Defaults>root !authenticate\njoe ALL=ALL\n", Some(false)),
            ("Defaults!/bin/ls !authenticate\njoe ALL=ALL\n", Some(true)),
            ("Cmnd_Alias SHELLS = /bin/\njoe ALL = NOPASSWD: SHELLS\n", Some(false)),
        ] {
            assert_eq!(read(text).full_access(&joe()), expected, "{text}");
        }
    }

    #[test]
    fn grants_are_told_with_aliases_replaced() {
        let sudoers = read(
            "User_Alias ADMINS = joe, %ops, !bob\nCmnd_Alias PAGERS = /bin/less, !/bin/more, sha224:AAAA== /bin/cat -n\n\
             Defaults:%ops !authenticate\nADMINS ALL = (www) NOPASSWD: PAGERS, (root) PASSWD: /bin/a\\,b x\\=y\n%ops ALL=ALL\n",
        );
        let found: Vec<_> = sudoers
            .grants()
            .into_iter()
            .map(|grant| (grant.subjects.join("+"), grant.command, grant.asks_password, grant.reaches_root))
            .collect();
        let who = "joe+%ops".to_owned();
        assert_eq!(
            found,
            [
                (who.clone(), "/bin/less".to_owned(), false, false),
                (who.clone(), "/bin/cat -n".to_owned(), false, false),
                (who, "/bin/a,b x=y".to_owned(), true, true),
                ("%ops".to_owned(), "ALL".to_owned(), false, true)
            ]
        );
    }

    #[test]
    fn aliases_that_multiply_end() {
        let mut text = "User_Alias A0 = jim, jim\n".to_owned();
        for level in 1..40 {
            let inner = format!("A{}", level - 1);
            text = format!("{text}User_Alias A{level} = {inner}, {inner}, {inner}\n");
        }
        text.push_str("A39 ALL=(ALL) NOPASSWD: ALL\n");
        let sudoers = read(&text);
        assert_eq!(sudoers.full_access(&joe()), None);
        assert!(sudoers.grants()[0].subjects.len() < 100_000);
    }

    #[test]
    fn includes_skip_backups_and_a_broken_line_is_told() {
        let fixture = Fixture::new()
            .file("/usr/bin/sudo", "")
            .file("/etc/sudoers", "@includedir sudoers.d\njoe ALL=(ALL\n#include /etc/more\n")
            .file("/etc/more", "jim ALL=ALL\n")
            .file("/etc/sudoers.d/90-cloud", "ec2-user ALL=(ALL) NOPASSWD:ALL\n")
            .file("/etc/sudoers.d/x.bak", "evil ALL=ALL\n")
            .file("/etc/sudoers.d/x~", "evil ALL=ALL\n");
        let sudoers = fixture.with(|cx| Sudoers::load(cx).unwrap());
        let names: Vec<String> = sudoers.grants().into_iter().flat_map(|grant| grant.subjects).collect();
        assert_eq!(names, ["ec2-user", "jim"]);
        assert_eq!((sudoers.problems.len(), sudoers.problems[0].place.line), (1, 2));
    }

    #[test]
    fn includes_that_go_round_in_circles_are_not_evaluated() {
        let fixture = Fixture::new().file("/usr/bin/sudo", "").file("/etc/sudoers", "@include sudoers\n");
        assert!(fixture.with(|cx| Sudoers::load(cx).is_err()));
    }
}
