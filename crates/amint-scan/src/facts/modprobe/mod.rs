//! Which kernel modules can be loaded, by modprobe's configuration.
//!
//! Follows modprobe.d(5), and kmod itself where the manual is silent: of several `install` lines that fit a module the
//! first counts, in the order of the files' names, and they may be patterns; and where a module softly depends on others
//! it is loaded, whatever `install` says. The tests ask modprobe.

#[cfg(test)]
mod differential;

use std::path::PathBuf;

use super::conf_files::conf_files;
use crate::{CheckError, Context, glob};

/// Most important first.
const FOLDERS: [&str; 5] = [
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
];
const LINES_MAX: usize = 100_000;
const BUILTIN: &str = "modules.builtin";
const SOFTDEP: &str = "modules.softdep";
const MODULES: &str = "/usr/lib/modules";

/// A line that says what is done instead of loading a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Install {
    /// The module, or a pattern.
    module: String,
    /// What is run by a shell.
    pub(crate) command: String,
    /// The file.
    pub(crate) path: PathBuf,
    /// The line on which it begins, from 1.
    pub(crate) line: u32,
}

/// The configuration of modprobe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Modprobe {
    installs: Vec<Install>,
    /// Modules, or patterns, and whether they softly depend on others: then no `install` counts. Of several the first
    /// counts.
    soft: Vec<(String, bool)>,
    /// Modules that are part of every kernel of the image.
    builtin: Vec<String>,
}

impl Modprobe {
    /// Reads all files.
    pub(crate) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut modprobe = Self { builtin: builtin(cx)?, ..Self::default() };
        let mut lines = 0_usize;
        for path in conf_files(cx, &FOLDERS)? {
            for (line, text) in joined(&cx.text(&path)?.unwrap_or_default()) {
                lines += 1;
                if lines > LINES_MAX {
                    return Err(CheckError::Limit { path, limit: LINES_MAX, what: "lines" });
                }
                if let Some((module, command)) = install(&text) {
                    modprobe.installs.push(Install { module, command, path: path.clone(), line });
                }
                modprobe.soft.extend(soft(&text));
            }
        }
        for entry in cx.list(MODULES)? {
            let path = PathBuf::from(MODULES).join(&entry.name).join(SOFTDEP);
            let text = cx.text(&path)?.unwrap_or_default();
            modprobe.soft.extend(text.lines().take(LINES_MAX).filter_map(soft));
        }
        Ok(modprobe)
    }

    /// Returns what is done instead of loading a module.
    pub(crate) fn install(&self, module: &str) -> Option<&Install> {
        let module = plain(module);
        let soft = self.soft.iter().find(|(pattern, _)| glob::is_match(pattern, &module));
        if soft.is_some_and(|(_, is_dependent)| *is_dependent) {
            return None;
        }
        self.installs.iter().find(|install| glob::is_match(&install.module, &module))
    }

    /// Tells whether a module is part of every kernel, so that there is nothing to load.
    pub(crate) fn is_builtin(&self, module: &str) -> bool {
        self.builtin.contains(&plain(module))
    }

    /// Tells whether loading a module does nothing.
    pub(crate) fn is_blocked(&self, module: &str) -> bool {
        self.install(module).is_some_and(|install| does_nothing(&install.command))
    }
}

/// Tells whether a command is one of those that do nothing, alone.
fn does_nothing(command: &str) -> bool {
    let mut words = command.split_ascii_whitespace();
    let program = words.next().unwrap_or_default();
    let is_idle = matches!(
        program,
        "/bin/false" | "/bin/true" | "/usr/bin/false" | "/usr/bin/true" | ":" | "false" | "true"
    );
    // Words behind such a program change nothing, but what a shell makes another command of does.
    is_idle && !command.contains([';', '&', '|', '$', '`', '(', '<', '>'])
}

/// Reads a line `install MODULE COMMAND`.
fn install(line: &str) -> Option<(String, String)> {
    let line = line.trim_start_matches([' ', '\t']);
    let rest = line.strip_prefix("install")?;
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start_matches([' ', '\t']);
    let (module, command) = rest.split_once([' ', '\t'])?;
    Some((plain(module), command.trim_start_matches([' ', '\t']).to_owned()))
}

/// Reads a line `softdep MODULE pre: … post: …`: the module, and whether it depends on any.
fn soft(line: &str) -> Option<(String, bool)> {
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    if words.next() != Some("softdep") {
        return None;
    }
    let module = plain(words.next()?);
    Some((module, words.any(|word| !matches!(word, "pre:" | "post:"))))
}

/// Returns the lines with their numbers; a line that ends with a backslash goes on in the next.
fn joined(text: &str) -> Vec<(u32, String)> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    let mut open: Option<(u32, String)> = None;
    for (number, line) in (1_u32..).zip(text.split('\n')) {
        let (start, mut whole) = open.take().unwrap_or((number, String::new()));
        if let Some(line) = line.strip_suffix('\\') {
            whole.push_str(line);
            open = Some((start, whole));
        } else {
            whole.push_str(line);
            lines.push((start, whole));
        }
    }
    lines.extend(open);
    lines
}

/// Writes a module's name as the kernel does: `-` and `_` are the same, but within the brackets of a pattern.
fn plain(module: &str) -> String {
    let mut is_set = false;
    let letter = |letter: char| {
        match letter {
            '[' => is_set = true,
            ']' => is_set = false,
            '-' if !is_set => return '_',
            _ => {}
        }
        letter
    };
    module.chars().map(letter).collect()
}

/// Lists the modules that all kernels of the image have built in.
fn builtin(cx: &Context<'_>) -> Result<Vec<String>, CheckError> {
    let mut common: Option<Vec<String>> = None;
    for entry in cx.list(MODULES)? {
        let path = PathBuf::from(MODULES).join(&entry.name).join(BUILTIN);
        let Some(text) = cx.text(&path)? else { continue };
        let name = |line: &str| Some(plain(line.rsplit('/').next()?.split(".ko").next()?));
        let here: Vec<String> = text.lines().filter_map(name).collect();
        common = Some(match common {
            Some(known) => known.into_iter().filter(|module| here.contains(module)).collect(),
            None => here,
        });
    }
    Ok(common.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn the_first_line_that_fits_counts() {
        let fixture = Fixture::new()
            .file(
                "/etc/modprobe.d/10.conf",
                "install hfs /sbin/modprobe --ignore-install hfs\ninstall usb-* \\\n /bin/true\n",
            )
            .file("/etc/modprobe.d/20.conf", "install hfs /bin/false\ninstall\tsctp\t /bin/false # no\n")
            .file("/usr/lib/modprobe.d/20.conf", "install rds /bin/false\n")
            .file("/etc/modprobe.d/30", "install udf /bin/false\n")
            .file(
                "/etc/modprobe.d/40.conf",
                "install tipc /bin/true; insmod /x.ko\n#install dccp /bin/false\n",
            );
        let modprobe = fixture.with(|cx| Modprobe::load(cx).unwrap());
        let modules = ["hfs", "usb_storage", "usb-storage", "sctp", "rds", "udf", "tipc", "dccp"];
        let found: Vec<&str> = modules.into_iter().filter(|module| modprobe.is_blocked(module)).collect();
        assert_eq!(found, ["usb_storage", "usb-storage", "sctp"]);
        assert_eq!(modprobe.install("usb-storage").unwrap().line, 2);
    }

    #[test]
    fn what_every_kernel_has_built_in_is_never_loaded() {
        let fixture = Fixture::new()
            .file(
                "/usr/lib/modules/6.1/modules.builtin",
                "kernel/fs/squashfs/squashfs.ko\nkernel/fs/udf/udf.ko\n",
            )
            .file("/usr/lib/modules/6.2/modules.builtin", "kernel/fs/squashfs/squashfs.ko.xz\n");
        let modprobe = fixture.with(|cx| Modprobe::load(cx).unwrap());
        assert!(modprobe.is_builtin("squashfs") && !modprobe.is_builtin("udf"));
    }
}
