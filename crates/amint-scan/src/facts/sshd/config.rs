//! What the ssh server's configuration comes to.

use std::path::PathBuf;

use super::algorithms;
use super::conditions::Condition;
use super::keywords::{self, Version};
use super::reader;
use crate::{CheckError, Context};

/// Where a directive stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: u32,
}

/// One directive, in the order in which sshd reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The keyword, in lower case and by its proper name.
    pub keyword: String,
    /// The arguments.
    pub arguments: Vec<String>,
    /// Where it stands.
    pub place: Place,
    /// The `Match` block around it.
    pub condition: Option<Condition>,
}

/// For whom a setting counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// For everyone whom no `Match` block treats otherwise.
    Always,
    /// For whoever meets a `Match` block; the text is its condition.
    Match(String),
}

/// A value that a keyword takes for somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The arguments, in comparable form.
    pub arguments: Vec<String>,
    /// Where it is set; none for sshd's compiled default.
    pub place: Option<Place>,
    /// For whom it counts.
    pub when: When,
}

impl Setting {
    /// Returns the arguments as one text.
    pub fn text(&self) -> String {
        self.arguments.join(" ")
    }
}

/// Something that sshd refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, as a lower-case fragment.
    pub what: String,
}

/// The effective configuration of the ssh server.
#[derive(Clone, Debug, Default)]
pub struct SshdConfig {
    pub(super) directives: Vec<Directive>,
    pub(super) problems: Vec<Problem>,
    pub(super) main: PathBuf,
    pub(super) version: Option<Version>,
    pub(super) is_suse: bool,
}

impl SshdConfig {
    /// Reads the configuration; none when there is no ssh server.
    pub fn load(cx: &Context<'_>) -> Result<Option<Self>, CheckError> {
        reader::load(cx)
    }

    /// Returns the main configuration file.
    pub fn main(&self) -> &std::path::Path {
        &self.main
    }

    /// Returns major and minor version of the installed server, when they are known.
    pub fn version(&self) -> Option<(u32, u32)> {
        self.version
    }

    /// Returns all directives, in the order in which sshd reads them.
    pub fn directives(&self) -> &[Directive] {
        &self.directives
    }

    /// Returns what sshd refuses: with any of it, it does not start.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the value of a keyword for a connection that no conditional block matches, as `sshd -T` tells.
    pub fn global(&self, keyword: &str) -> Setting {
        let keyword = keyword.to_ascii_lowercase();
        let mut directives = self.of(&keyword);
        let first =
            directives.find(|directive| directive.condition.as_ref().is_none_or(Condition::is_always));
        first.map_or_else(|| self.default(&keyword), |found| self.setting(found, When::Always))
    }

    /// Returns the value of a keyword for one connection; `meets` judges each conditional block.
    pub fn effective(&self, keyword: &str, meets: &dyn Fn(&Condition) -> bool) -> Setting {
        let keyword = keyword.to_ascii_lowercase();
        let found = self.of(&keyword).find_map(|directive| {
            let condition = directive.condition.as_ref()?;
            meets(condition).then(|| self.setting(directive, When::Match(condition.text())))
        });
        found.unwrap_or_else(|| self.global(&keyword))
    }

    /// Returns every value that a keyword takes for somebody, or for one user when `user` is given.
    pub fn reachable(&self, keyword: &str, user: Option<&str>) -> Vec<Setting> {
        let keyword = keyword.to_ascii_lowercase();
        let mut settings = Vec::new();
        let mut seen: Vec<&Condition> = Vec::new();
        for directive in self.of(&keyword) {
            let Some(condition) = &directive.condition else { continue };
            let is_possible = user.is_none_or(|user| condition.may_match_user(user));
            // Of several blocks that somebody meets, the first one that sets the keyword wins.
            if !is_possible || seen.contains(&condition) {
                continue;
            }
            settings.push(self.setting(directive, When::Match(condition.text())));
            if condition.is_always() {
                return settings;
            }
            seen.push(condition);
        }
        settings.insert(0, self.global(&keyword));
        settings
    }

    /// Returns all values of a keyword whose values add up, with the defaults when there are none.
    pub fn all(&self, keyword: &str) -> Vec<Setting> {
        let keyword = keyword.to_ascii_lowercase();
        let found: Vec<Setting> = self
            .of(&keyword)
            .map(|directive| {
                let when = directive.condition.as_ref().map_or(When::Always, |met| When::Match(met.text()));
                self.setting(directive, when)
            })
            .collect();
        let is_missing = found.iter().all(|setting| setting.when != When::Always);
        if is_missing && keywords::default(&keyword).is_some() {
            return std::iter::once(self.default(&keyword)).chain(found).collect();
        }
        found
    }

    fn of<'config>(&'config self, keyword: &'config str) -> impl Iterator<Item = &'config Directive> {
        self.directives.iter().filter(move |directive| directive.keyword == keyword)
    }

    fn default(&self, keyword: &str) -> Setting {
        let algorithms = algorithms::default(keyword, self.version);
        let value = match keyword {
            // Compiled so by SUSE until its servers read /usr/etc.
            "permitrootlogin" if self.is_suse && self.version.is_none_or(|version| version < (9, 0)) => "yes",
            _ => algorithms.as_deref().or(keywords::default(keyword)).unwrap_or_default(),
        };
        Setting {
            arguments: value.split_ascii_whitespace().map(str::to_owned).collect(),
            place: None,
            when: When::Always,
        }
    }

    fn setting(&self, directive: &Directive, when: When) -> Setting {
        let default = algorithms::default(&directive.keyword, self.version);
        let value = |text: &String| match &default {
            Some(default) => algorithms::assemble(default, text),
            None => keywords::canonical_value(text),
        };
        Setting {
            arguments: directive.arguments.iter().map(value).collect(),
            place: Some(directive.place.clone()),
            when,
        }
    }
}
