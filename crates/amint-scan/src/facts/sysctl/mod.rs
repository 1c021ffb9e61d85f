//! What the kernel's settings are after all files were applied.
//!
//! Follows systemd-sysctl (sysctl.d(5), and the program itself where the manual is silent); the tests ask that program.
//! Without systemd, procps and OpenRC read the same folders and `/etc/sysctl.conf` after them (sysctl(8), `--system`).

#[cfg(test)]
mod differential;

use std::path::PathBuf;

use super::conf_files::conf_files;
use crate::{CheckError, Context, glob};

/// Most important first.
const FOLDERS: [&str; 5] =
    ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];
/// Read last by everybody but systemd, which reads it where a link in its folders leads to it.
const MAIN: &str = "/etc/sysctl.conf";
const SYSTEMD: [&str; 2] = ["/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl"];
/// The system's manager, whose package has the program above.
const MANAGER: &str = "/usr/lib/systemd/systemd";
const LINES_MAX: usize = 100_000;

/// One assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// With slashes between the parts, as below `/proc/sys`; perhaps a pattern.
    key: String,
    /// None for a key that patterns shall leave alone.
    assigned: Option<String>,
    /// What it is set to.
    pub(crate) value: String,
    /// The file.
    pub(crate) path: PathBuf,
    /// The line, from 1.
    pub(crate) line: u32,
}

/// All assignments, in the order in which they are applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings(Vec<Setting>);

impl Settings {
    /// Reads all files.
    pub(crate) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut files = conf_files(cx, &FOLDERS)?;
        let mut has_systemd = cx.exists(MANAGER)?;
        for program in SYSTEMD {
            has_systemd |= cx.exists(program)?;
        }
        if !has_systemd {
            files.push(PathBuf::from(MAIN));
        }
        let mut settings = Self::default();
        let mut lines = 0_usize;
        for path in files {
            for (number, line) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
                lines += 1;
                if lines > LINES_MAX {
                    return Err(CheckError::Limit { path, limit: LINES_MAX, what: "lines" });
                }
                if let Some((key, assigned)) = assignment(line) {
                    let value = assigned.clone().unwrap_or_default();
                    settings.add(Setting { key, assigned, value, path: path.clone(), line: number });
                }
            }
        }
        Ok(settings)
    }

    /// Takes an assignment; one that says what was said before keeps the place of the first.
    fn add(&mut self, setting: Setting) {
        if let Some(at) = self.0.iter().position(|known| known.key == setting.key) {
            if self.0[at].assigned == setting.assigned {
                return;
            }
            self.0.remove(at);
        }
        self.0.push(setting);
    }

    /// Returns the assignment that counts for a key, which is written with dots: the one for the key itself, else the last
    /// pattern that fits. None where nothing sets it.
    pub(crate) fn effective(&self, key: &str) -> Option<&Setting> {
        let key = normal(key);
        if let Some(own) = self.0.iter().find(|setting| setting.key == key) {
            return own.assigned.is_some().then_some(own);
        }
        self.0.iter().rev().find(|setting| {
            setting.assigned.is_some() && is_pattern(&setting.key) && fits(&setting.key, &key)
        })
    }
}

/// Reads a line: a key, and what it is set to.
fn assignment(line: &str) -> Option<(String, Option<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return None;
    }
    match line.split_once('=') {
        // A minus in front says that failing does not matter.
        Some((key, value)) => {
            let key = key.strip_prefix('-').unwrap_or(key);
            Some((normal(key.trim()), Some(value.trim().to_owned())))
        }
        None => Some((normal(line.strip_prefix('-')?.trim()), None)),
    }
}

/// Writes a key with slashes between its parts. Where the first of both separators is a slash it is written so already;
/// else dots separate, and a slash stands for a dot in a name: `net.ipv4.conf.enp3s0/200.forwarding`.
fn normal(key: &str) -> String {
    let is_slashed = key.find(['.', '/']).is_some_and(|at| key.as_bytes()[at] == b'/');
    if is_slashed {
        return key.to_owned();
    }
    let swap = |letter| match letter {
        '/' => '.',
        '.' => '/',
        other => other,
    };
    key.chars().map(swap).collect()
}

fn is_pattern(key: &str) -> bool {
    key.contains(['*', '?', '['])
}

/// Matches part by part: no pattern reaches over a slash (glob(7)).
fn fits(pattern: &str, key: &str) -> bool {
    let (patterns, parts) = (pattern.split('/'), key.split('/'));
    patterns.clone().count() == parts.clone().count()
        && patterns.zip(parts).all(|(pattern, part)| glob::is_match(pattern, part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn value(fixture: &Fixture, key: &str) -> Option<String> {
        fixture.with(|cx| {
            let settings = Settings::load(cx).unwrap();
            settings.effective(key).map(|setting| setting.value.clone())
        })
    }

    #[test]
    fn the_main_file_counts_only_where_it_is_read() {
        let main =
            Fixture::new().file("/etc/sysctl.conf", "a.b = 2\n").file("/etc/sysctl.d/50.conf", "a.b = 1\n");
        assert_eq!(value(&main, "a.b").as_deref(), Some("2"));
        let systemd = main.file("/usr/lib/systemd/systemd-sysctl", "");
        assert_eq!(value(&systemd, "a.b").as_deref(), Some("1"));
        let linked = systemd.link("../sysctl.conf", "/etc/sysctl.d/99-sysctl.conf");
        assert_eq!(value(&linked, "a.b").as_deref(), Some("2"));
    }

    #[test]
    fn what_is_masked_hidden_or_of_another_ending_is_not_read() {
        let fixture = Fixture::new()
            .file("/usr/lib/sysctl.d/10.conf", "a.masked = 1\n")
            .link("/dev/null", "/etc/sysctl.d/10.conf")
            .file("/usr/lib/sysctl.d/20.conf", "a.emptied = 1\n")
            .file("/etc/sysctl.d/20.conf", "")
            .file("/etc/sysctl.d/30.conf.bak", "a.old = 1\n")
            .file("/etc/sysctl.d/.40.conf", "a.dotted = 1\n")
            .dir("/etc/sysctl.d/50.conf")
            .file("/usr/lib/sysctl.d/50.conf", "a.below = 1\n");
        for key in ["a.masked", "a.emptied", "a.old", "a.dotted"] {
            assert_eq!(value(&fixture, key), None, "{key}");
        }
        assert_eq!(value(&fixture, "a.below").as_deref(), Some("1"));
    }

    #[test]
    fn patterns_spare_what_is_set_or_excluded() {
        let fixture = Fixture::new().file(
            "/etc/sysctl.d/1.conf",
            "-net.ipv4.conf.lo.x\nnet/ipv4/conf/enp3s0.200/x = 3\nnet.ipv4.conf.*.x = 1\n-net.ipv4.conf.all.y=2\n\
             net.*.x = 9\n",
        );
        assert_eq!(value(&fixture, "net.ipv4.conf.all.x").as_deref(), Some("1"));
        assert_eq!(value(&fixture, "net.ipv4.conf.lo.x"), None);
        assert_eq!(value(&fixture, "net.ipv4.conf.enp3s0/200.x").as_deref(), Some("3"));
        assert_eq!(value(&fixture, "net.ipv4.conf.all.y").as_deref(), Some("2"));
    }
}
