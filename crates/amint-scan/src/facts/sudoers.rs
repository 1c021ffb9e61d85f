//! Who may become root, as far as it is granted to everybody's full extent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{CheckError, Context};

pub(crate) const MAIN: &str = "/etc/sudoers";
/// How deep includes may nest.
const DEPTH_MAX: u32 = 32;

/// One grant of all commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// A user, `%group`, or `ALL`.
    pub(crate) subject: String,
    /// Whether no password is asked for.
    pub(crate) is_passwordless: bool,
    pub(crate) path: PathBuf,
    pub(crate) line: u32,
}

/// Lists the grants of all commands; none when sudo is not installed.
pub(crate) fn grants(cx: &Context<'_>) -> Result<Vec<Grant>, CheckError> {
    let mut reader = Reader { cx, grants: Vec::new(), aliases: BTreeMap::new() };
    if cx.exists("/usr/bin/sudo")? {
        reader.file(Path::new(MAIN), 0)?;
    }
    Ok(reader.grants)
}

struct Reader<'cx, 'scan> {
    cx: &'cx Context<'scan>,
    grants: Vec<Grant>,
    aliases: BTreeMap<String, Vec<String>>,
}

impl Reader<'_, '_> {
    fn file(&mut self, path: &Path, depth: u32) -> Result<(), CheckError> {
        if depth > DEPTH_MAX {
            return Err(CheckError::Limit {
                path: path.to_owned(),
                limit: DEPTH_MAX as usize,
                what: "nested includes",
            });
        }
        let text = self.cx.text(path)?.unwrap_or_default();
        let mut joined = String::new();
        for (line, text) in (1_u32..).zip(text.lines()) {
            joined.push_str(text);
            if joined.ends_with('\\') {
                joined.pop();
                continue;
            }
            let whole = std::mem::take(&mut joined);
            self.line(whole.trim(), path, line, depth)?;
        }
        Ok(())
    }

    fn line(&mut self, text: &str, path: &Path, line: u32, depth: u32) -> Result<(), CheckError> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = rest.trim().trim_matches('"');
        match word {
            "@include" | "#include" => return self.file(&absolute(argument), depth + 1),
            "@includedir" | "#includedir" => return self.folder(&absolute(argument), depth),
            "User_Alias" => {
                for definition in rest.split(':') {
                    if let Some((name, members)) = definition.split_once('=') {
                        let members = members.split(',').map(|member| member.trim().to_owned()).collect();
                        self.aliases.insert(name.trim().to_owned(), members);
                    }
                }
                return Ok(());
            }
            _ => {}
        }
        let is_other =
            word.starts_with(['#', '@']) || word.starts_with("Defaults") || word.ends_with("_Alias");
        let Some((subjects, specification)) = text.split_once('=').filter(|_| !is_other) else {
            return Ok(());
        };
        // Left of `=` stand the users and, as the last word, the hosts.
        let subjects = subjects.trim().rsplit_once(char::is_whitespace).map_or("", |(users, _)| users);
        let command = specification.split(')').next_back().unwrap_or_default();
        let commands: Vec<&str> = command.split([',', ':']).map(str::trim).collect();
        if !commands.contains(&"ALL") {
            return Ok(());
        }
        for subject in subjects.split(',').map(str::trim) {
            let members = self.aliases.get(subject).cloned().unwrap_or_else(|| vec![subject.to_owned()]);
            let is_passwordless = commands.contains(&"NOPASSWD");
            self.grants.extend(members.into_iter().map(|subject| Grant {
                subject,
                is_passwordless,
                path: path.to_owned(),
                line,
            }));
        }
        Ok(())
    }

    fn folder(&mut self, path: &Path, depth: u32) -> Result<(), CheckError> {
        for entry in self.cx.list(path)? {
            let name = entry.name.to_string_lossy();
            // sudo skips these, so that backups of editors and packages do not count.
            if !name.contains('.') && !name.ends_with('~') {
                self.file(&path.join(&entry.name), depth + 1)?;
            }
        }
        Ok(())
    }
}

fn absolute(path: &str) -> PathBuf {
    Path::new("/etc").join(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn includes_aliases_and_passwords_are_told_apart() {
        let fixture = Fixture::new()
            .file("/usr/bin/sudo", "")
            .file(MAIN, "Defaults env_reset\nUser_Alias ADMINS = joe, %ops\n%sudo ALL=(ALL:ALL) ALL\nADMINS ALL = \\\n (ALL) NOPASSWD: ALL\n@includedir /etc/sudoers.d\njim ALL=(root) /bin/ls\n")
            .file("/etc/sudoers.d/90-cloud", "ec2-user ALL=(ALL) NOPASSWD:ALL\n")
            .file("/etc/sudoers.d/x.bak", "evil ALL=(ALL) NOPASSWD:ALL\n");
        let grants = fixture.with(|cx| grants(cx).unwrap());
        let found: Vec<_> =
            grants.iter().map(|grant| (grant.subject.as_str(), grant.is_passwordless)).collect();
        assert_eq!(found, [("%sudo", false), ("joe", true), ("%ops", true), ("ec2-user", true)]);
        assert_eq!((grants[1].line, grants[3].line), (5, 1));
    }
}
