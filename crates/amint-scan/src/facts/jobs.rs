//! Commands that run without anybody asking: cron, at, units, scripts of boot and login, udev.

use std::path::{Path, PathBuf};

use amint_disk::tree::DirEntry;

use crate::facts::units;
use crate::{CheckError, Context, glob};

/// How many commands are gathered.
const JOBS_MAX: usize = 200_000;
/// A longer script is no script.
const SCRIPT_BYTES_MAX: u64 = 1 << 20;
/// Folders of scripts that cron runs.
const CRON_FOLDERS: [&str; 10] = [
    "/etc/cron.hourly",
    "/etc/cron.daily",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
    "/etc/cron.yearly",
    "/etc/periodic/15min",
    "/etc/periodic/hourly",
    "/etc/periodic/daily",
    "/etc/periodic/weekly",
    "/etc/periodic/monthly",
];
/// Folders of the tables of single users.
const USER_TABLES: [&str; 4] =
    ["/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs", "/etc/crontabs"];
/// Folders of jobs that run once.
const AT_FOLDERS: [&str; 3] = ["/var/spool/cron/atjobs", "/var/spool/at", "/var/spool/atjobs"];
/// Scripts that the boot runs.
const BOOT_SCRIPTS: [&str; 4] =
    ["/etc/rc.local", "/etc/rc.d/rc.local", "/etc/init.d/boot.local", "/etc/init.d/rc.local"];
/// Files that shells read when somebody logs in.
const LOGIN_FILES: [&str; 6] = [
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/etc/zsh/zshrc",
    "/etc/zsh/zprofile",
    "/etc/environment",
];
/// The same in a home.
const HOME_FILES: [&str; 8] =
    [".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshrc", ".zprofile", ".zshenv"];

/// What runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// cron or anacron.
    Cron,
    /// at.
    At,
    /// A unit of systemd that is enabled.
    Unit,
    /// A script of the boot.
    Boot,
    /// A shell, when somebody logs in.
    Login,
    /// udev, when a device appears.
    Device,
}

impl JobKind {
    /// Names it for people.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Cron => "a job of cron",
            Self::At => "a job of at",
            Self::Unit => "a unit",
            Self::Boot => "a script of the boot",
            Self::Login => "a script of the login",
            Self::Device => "a rule of udev",
        }
    }
}

/// One command, or one line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) kind: JobKind,
    pub(crate) path: PathBuf,
    pub(crate) line: u32,
    pub(crate) command: String,
}

/// All of them.
pub(crate) struct Jobs(pub(crate) Vec<Job>);

impl Jobs {
    /// Gathers them.
    pub(crate) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut jobs = Self(Vec::new());
        jobs.cron(cx)?;
        jobs.units(cx)?;
        for folder in AT_FOLDERS {
            for path in files(cx, folder, |_| true)? {
                jobs.script(cx, JobKind::At, &path)?;
            }
        }
        for path in BOOT_SCRIPTS {
            if is_executable(cx, Path::new(path))? {
                jobs.script(cx, JobKind::Boot, Path::new(path))?;
            }
        }
        for path in glob::expand(cx, "/etc/local.d/*.start")? {
            jobs.script(cx, JobKind::Boot, &path)?;
        }
        let mut login: Vec<PathBuf> = LOGIN_FILES.iter().map(PathBuf::from).collect();
        login.extend(glob::expand(cx, "/etc/profile.d/*.sh")?);
        login.extend(glob::expand(cx, "/etc/update-motd.d/*")?);
        for home in cx.homes()? {
            login.extend(HOME_FILES.iter().map(|name| home.join(name)));
        }
        for path in login {
            jobs.script(cx, JobKind::Login, &path)?;
        }
        for path in glob::expand(cx, "/etc/udev/rules.d/*.rules")? {
            jobs.script(cx, JobKind::Device, &path)?;
        }
        Ok(jobs)
    }

    fn push(&mut self, kind: JobKind, path: &Path, line: u32, command: &str) -> Result<(), CheckError> {
        if self.0.len() >= JOBS_MAX {
            return Err(CheckError::Limit { path: path.to_owned(), limit: JOBS_MAX, what: "commands" });
        }
        self.0.push(Job { kind, path: path.to_owned(), line, command: command.to_owned() });
        Ok(())
    }

    /// Takes every line of a script that is no comment; lines that go on are joined.
    fn script(&mut self, cx: &Context<'_>, kind: JobKind, path: &Path) -> Result<(), CheckError> {
        let Some(metadata) = cx.metadata_following(path)? else { return Ok(()) };
        if !metadata.is_file() || metadata.bytes > SCRIPT_BYTES_MAX {
            return Ok(());
        }
        let text = cx.text(path)?.unwrap_or_default();
        if text.starts_with("\u{7f}ELF") {
            return Ok(());
        }
        let mut joined = String::new();
        let mut first = 1;
        for (line, text) in (1_u32..).zip(text.lines()) {
            if joined.is_empty() {
                first = line;
                if text.trim_start().starts_with('#') {
                    continue;
                }
            }
            joined.push_str(text.trim());
            if joined.ends_with('\\') {
                joined.pop();
                continue;
            }
            let whole = std::mem::take(&mut joined);
            if !whole.is_empty() {
                self.push(kind, path, first, &whole)?;
            }
        }
        Ok(())
    }

    fn cron(&mut self, cx: &Context<'_>) -> Result<(), CheckError> {
        self.table(cx, Path::new("/etc/crontab"), 1)?;
        for path in files(cx, "/etc/cron.d", is_cron_name)? {
            self.table(cx, &path, 1)?;
        }
        for folder in USER_TABLES {
            for path in files(cx, folder, |name| !name.starts_with('.'))? {
                self.table(cx, &path, 0)?;
            }
        }
        for (line, text) in (1_u32..).zip(cx.text("/etc/anacrontab")?.unwrap_or_default().lines()) {
            // Period, delay and name stand before the command.
            if let Some(command) = after_words(text, 3).filter(|_| !is_setting(text)) {
                self.push(JobKind::Cron, Path::new("/etc/anacrontab"), line, command)?;
            }
        }
        for folder in CRON_FOLDERS {
            for path in files(cx, folder, is_cron_name)? {
                if is_executable(cx, &path)? {
                    self.script(cx, JobKind::Cron, &path)?;
                }
            }
        }
        Ok(())
    }

    /// Reads a table; between time and command stand `user_words` words.
    fn table(&mut self, cx: &Context<'_>, path: &Path, user_words: usize) -> Result<(), CheckError> {
        for (line, text) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
            let text = text.trim();
            if is_setting(text) {
                continue;
            }
            let time_words = if text.starts_with('@') { 1 } else { 5 };
            if let Some(command) = after_words(text, time_words + user_words) {
                self.push(JobKind::Cron, path, line, command)?;
            }
        }
        Ok(())
    }

    fn units(&mut self, cx: &Context<'_>) -> Result<(), CheckError> {
        for name in units::names(cx)?.into_iter().filter(|name| name.ends_with(".service")) {
            let stem = name.trim_end_matches(".service");
            let mut is_enabled = false;
            for kind in ["service", "timer", "socket", "path"] {
                is_enabled = is_enabled || units::is_enabled(cx, &format!("{stem}.{kind}"))?;
            }
            let Some(unit) = (if is_enabled { units::load(cx, &name)? } else { None }) else { continue };
            for key in ["ExecStartPre", "ExecStart", "ExecStartPost", "ExecStop", "ExecStopPost"] {
                for entry in units::values(&unit, "Service", key) {
                    self.push(JobKind::Unit, &entry.path, entry.line, &entry.value)?;
                }
            }
        }
        Ok(())
    }
}

/// Comments, and lines that set a variable.
fn is_setting(text: &str) -> bool {
    let text = text.trim();
    let name = text.split(['=', ' ', '\t']).next().unwrap_or_default();
    let is_assignment = text[name.len()..].trim_start().starts_with('=')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '"');
    text.is_empty() || text.starts_with('#') || is_assignment
}

/// Returns what stands behind some words.
fn after_words(text: &str, count: usize) -> Option<&str> {
    let mut rest = text.trim();
    for _ in 0..count {
        rest = rest.split_once(char::is_whitespace)?.1.trim_start();
    }
    (!rest.is_empty()).then_some(rest)
}

/// Names that cron and run-parts read; backups and what packages left over are passed over.
fn is_cron_name(name: &str) -> bool {
    let is_left_over =
        [".rpmsave", ".rpmnew", ".rpmorig", ".swp", ".bak", "~"].iter().any(|ending| name.ends_with(ending));
    !name.starts_with('.') && !name.contains(".dpkg-") && !is_left_over && !name.starts_with("README")
}

fn files(
    cx: &Context<'_>,
    folder: &str,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    for DirEntry { name, .. } in cx.list(folder)? {
        let path = Path::new(folder).join(&name);
        let is_file = cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file());
        if is_file && is_wanted(&name.to_string_lossy()) {
            found.push(path);
        }
    }
    Ok(found)
}

fn is_executable(cx: &Context<'_>, path: &Path) -> Result<bool, CheckError> {
    Ok(cx.metadata_following(path)?.is_some_and(|metadata| metadata.is_file() && metadata.mode & 0o111 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn commands_of_every_place_are_gathered_and_settings_are_not() {
        let fixture = Fixture::new()
            .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
            .file("/etc/crontab", "# x\nSHELL=/bin/sh\n17 * * * * root run a=b\n@reboot root once\n")
            .file("/etc/cron.d/x.dpkg-old", "* * * * * root old\n")
            .file("/var/spool/cron/crontabs/root", "* * * * * mine\n")
            .file("/etc/anacrontab", "RANDOM_DELAY=45\n1 5 cron.daily nice run-parts\n")
            .file("/etc/cron.daily/job", "#!/bin/sh\none \\\n  two\n")
            .mode("/etc/cron.daily/job", 0o755)
            .file("/etc/cron.daily/off", "off\n")
            .file("/etc/rc.local", "exit 0\n")
            .file("/root/.bashrc", "alias x=y\n")
            .file("/etc/systemd/system/w.service", "[Service]\nExecStart=/bin/w\n")
            .file("/etc/systemd/system/w.timer", "[Timer]\n")
            .link("../w.timer", "/etc/systemd/system/timers.target.wants/w.timer");
        let found = fixture.with(|cx| Jobs::load(cx).unwrap());
        let commands: Vec<&str> = found.0.iter().map(|job| job.command.as_str()).collect();
        assert_eq!(commands, ["run a=b", "once", "mine", "nice run-parts", "one two", "/bin/w", "alias x=y"]);
        assert_eq!(found.0[4].line, 2);
    }
}
