//! Reading the configuration files as sshd does.

use std::path::{Path, PathBuf};

use super::command_line::{self, CommandLine};
use super::conditions::{self, Condition};
use super::config::{Directive, Place, Problem, SshdConfig};
use super::keywords::{self, Known};
use super::lexer;
use super::version::{Installed, PROGRAM};
use crate::{CheckError, Context, glob};

const MAIN: &str = "/etc/ssh/sshd_config";
/// Where distributions with an empty /etc keep their own file.
const VENDOR: &str = "/usr/etc/ssh/sshd_config";
/// How deep includes may nest: one more and sshd refuses to start.
const DEPTH_MAX: u32 = 16;
/// How many directives are read in all: includes may multiply.
const DIRECTIVES_MAX: usize = 100_000;

/// Reads the configuration; none when there is no ssh server.
pub(super) fn load(cx: &Context<'_>) -> Result<Option<SshdConfig>, CheckError> {
    let has_main = cx.metadata(MAIN)?.is_some();
    let has_vendor = cx.metadata(VENDOR)?.is_some();
    if !cx.exists(PROGRAM)? && !has_main && !has_vendor {
        return Ok(None);
    }
    let installed = Installed::load(cx)?;
    let CommandLine { lines, file } = command_line::load(cx)?;
    let usual = if has_vendor && !has_main { VENDOR } else { MAIN };
    let main = file.unwrap_or_else(|| PathBuf::from(usual));
    let config = SshdConfig {
        main: main.clone(),
        version: installed.version,
        is_suse: is_suse(cx)?,
        ..SshdConfig::default()
    };
    let mut reader = Reader { cx, config, installed, lines_read: 0 };
    for (place, line) in lines {
        reader.line(&line, &place, &mut Block::default(), 0)?;
    }
    if !reader.file(&main, None, 0)? {
        let place = Place { path: main, line: 1 };
        reader.config.problems.push(Problem { place, what: "the configuration file is missing".to_owned() });
    }
    Ok(Some(reader.config))
}

/// Tells whether the system is one of SUSE's, whose older servers were compiled to let root in.
fn is_suse(cx: &Context<'_>) -> Result<bool, CheckError> {
    let text = cx.text("/etc/os-release")?.or(cx.text("/usr/lib/os-release")?).unwrap_or_default();
    let id = text.lines().find_map(|line| line.strip_prefix("ID=")).unwrap_or_default();
    let id = id.trim_matches('"');
    Ok(id.starts_with("sle") || id == "opensuse-leap")
}

/// What counts at a place of a file.
#[derive(Clone, Default)]
struct Block {
    /// The condition around the file, from an Include inside a `Match` block.
    outer: Option<Condition>,
    /// The condition now.
    current: Option<Condition>,
}

struct Reader<'cx, 'scan> {
    cx: &'cx Context<'scan>,
    config: SshdConfig,
    installed: Installed,
    lines_read: usize,
}

impl Reader<'_, '_> {
    /// Reads one file; a `Match` block in it ends with it.
    fn file(&mut self, path: &Path, outer: Option<&Condition>, depth: u32) -> Result<bool, CheckError> {
        let Some(text) = self.cx.text(path)? else { return Ok(false) };
        let mut block = Block { outer: outer.cloned(), current: outer.cloned() };
        for (index, line) in text.split('\n').enumerate() {
            let line_number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            let place = Place { path: path.to_owned(), line: line_number };
            self.line(line, &place, &mut block, depth)?;
        }
        Ok(true)
    }

    fn line(&mut self, line: &str, place: &Place, block: &mut Block, depth: u32) -> Result<(), CheckError> {
        self.lines_read += 1;
        if self.lines_read > DIRECTIVES_MAX {
            return Err(CheckError::Limit { path: place.path.clone(), limit: DIRECTIVES_MAX, what: "lines" });
        }
        let (name, arguments) = match lexer::split(line) {
            Ok(Some(words)) => words,
            Ok(None) => return Ok(()),
            Err(what) => {
                self.problem(place, what.to_owned());
                return Ok(());
            }
        };
        let keyword = keywords::canonical(&name);
        let known = match keywords::known(&name, self.config.version) {
            // The program itself knows better than a table of versions.
            Known::Unknown if self.installed.has_keyword(&name) => keywords::known(keyword, None),
            known => known,
        };
        if known == Known::Unknown && self.installed.has_keyword(&name) {
            return Ok(());
        }
        let is_conditional = block.current.as_ref().is_some_and(|condition| !condition.is_always());
        match known {
            Known::Unknown => self.problem(place, format!("sshd does not know `{name}` and will not start")),
            Known::Global | Known::Ignored if is_conditional => {
                self.problem(place, format!("`{name}` inside a Match block: sshd will not start"));
            }
            Known::Ignored => {}
            _ if arguments.is_empty() => {
                self.problem(place, format!("`{name}` has no value: sshd will not start"));
            }
            _ if keyword == "match" => self.enter(&arguments, place, block),
            _ if keyword == "include" => self.include(&arguments, place, block, depth)?,
            _ => self.config.directives.push(Directive {
                keyword: keyword.to_owned(),
                arguments,
                place: place.clone(),
                condition: block.current.clone(),
            }),
        }
        Ok(())
    }

    fn enter(&mut self, words: &[String], place: &Place, block: &mut Block) {
        match conditions::parse(words, self.config.version) {
            Ok(criteria) => {
                let outer = block.outer.iter().flat_map(|condition| condition.criteria.clone());
                block.current = Some(Condition { criteria: outer.chain(criteria).collect() });
            }
            Err(what) => self.problem(place, format!("bad Match condition: {what}; sshd will not start")),
        }
    }

    fn include(
        &mut self,
        patterns: &[String],
        place: &Place,
        block: &Block,
        depth: u32,
    ) -> Result<(), CheckError> {
        for pattern in patterns {
            let pattern =
                if pattern.starts_with('/') { pattern.clone() } else { format!("/etc/ssh/{pattern}") };
            for path in glob::expand(self.cx, &pattern)? {
                if depth >= DEPTH_MAX {
                    self.problem(
                        place,
                        format!("includes nest deeper than {DEPTH_MAX}: sshd will not start"),
                    );
                    return Ok(());
                }
                self.file(&path, block.current.as_ref(), depth + 1)?;
            }
        }
        Ok(())
    }

    fn problem(&mut self, place: &Place, what: String) {
        self.config.problems.push(Problem { place: place.clone(), what });
    }
}
