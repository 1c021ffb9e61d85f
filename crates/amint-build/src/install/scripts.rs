//! The scripts of packages, run by the tree's own shell and dpkg inside the sandbox.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use amint_types::{Cancel, Event, EventSink};

use super::InstallError;
use super::package::Candidate;
use crate::command::CommandError;
use crate::sandbox::Sandboxed;

/// Keeps scripts from starting services (`invoke-rc.d(8)`).
const POLICY: &str = "usr/sbin/policy-rc.d";
/// Programs that do nothing while packages are configured: the build makes the initramfs once, at the end.
const SILENCED: [&str; 1] = ["usr/sbin/update-initramfs"];
/// Host keys are made by each instance for itself: a key in an image would be everybody's. All other uses pass.
const KEY_MAKER: &str = "usr/bin/ssh-keygen";
/// Where the real one is shown meanwhile.
const REAL_KEY_MAKER: &str = "/run/amint/ssh-keygen";

/// Runs scripts in a tree.
pub(super) struct Scripts<'a> {
    pub(super) tree: &'a Path,
    /// A private folder for what is shown inside the sandbox.
    pub(super) work: &'a Path,
    /// Seconds since 1970 that scripts should take for the present.
    pub(super) source_epoch: i64,
    pub(super) step: &'a str,
    pub(super) sink: &'a dyn EventSink,
    pub(super) cancel: &'a Cancel,
}

impl Scripts<'_> {
    /// Runs the `preinst` of packages whose control files are in the database.
    pub(super) fn before_unpacking(
        &self,
        candidates: &[Candidate],
        indexes: &[usize],
    ) -> Result<(), InstallError> {
        let has_script = |index: &&usize| candidates[**index].deb.control_file("preinst").is_some();
        let mut order: Vec<usize> = indexes.iter().filter(has_script).copied().collect();
        // The accounts that all others name.
        order.sort_by_key(|index| candidates[*index].name != "base-passwd");
        if order.is_empty() {
            return Ok(());
        }
        let mut script = "set -eu\n\
            run() {\n\
              echo \"Preparing $1\"\n\
              env DPKG_MAINTSCRIPT_PACKAGE=\"$1\" DPKG_MAINTSCRIPT_ARCH=\"$2\" DPKG_MAINTSCRIPT_NAME=preinst \\\n\
                DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 DPKG_ADMINDIR=/var/lib/dpkg DPKG_ROOT= \\\n\
                \"/var/lib/dpkg/info/$3.preinst\" install || { echo \"the preinst of $1 failed\" >&2; exit 1; }\n\
            }\n"
        .to_owned();
        for index in order {
            let candidate = &candidates[index];
            let architecture = candidate.deb.control().get("Architecture").unwrap_or_default();
            let _ = writeln!(script, "run '{}' '{architecture}' '{}'", candidate.name, candidate.info_name);
        }
        self.run("preparing packages", &script, self.sink)
    }

    /// Configures all packages that are unpacked; returns which took longest.
    pub(super) fn configure(&self, is_base: bool) -> Result<Vec<(String, Duration)>, InstallError> {
        let watch = Watch { sink: self.sink, step: self.step, state: Mutex::default() };
        let mut script =
            "set -eu\nexport DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true\n".to_owned();
        if is_base {
            // What base packages use without naming it: accounts, and awk before its alternative is set.
            script.push_str(
                "[ -e /usr/bin/awk ] || [ ! -e /usr/bin/mawk ] || ln -s mawk /usr/bin/awk\n\
                 dpkg --force-depends --no-triggers --configure base-passwd\n",
            );
        }
        script.push_str("dpkg --force-confnew --configure -a\n");
        self.run("configuring packages", &script, &watch)?;
        Ok(watch.longest())
    }

    fn run(&self, what: &str, script: &str, sink: &dyn EventSink) -> Result<(), InstallError> {
        let policy = self.tree.join(POLICY);
        let has_policy = policy.exists();
        if !has_policy {
            write_program(&policy, "#!/bin/sh\nexit 101\n")?;
        }
        let nothing = self.work.join("nothing");
        write_program(&nothing, "#!/bin/sh\nexit 0\n")?;
        let keys = self.work.join("ssh-keygen");
        write_program(
            &keys,
            &format!(
                "#!/bin/sh\ncase \" $* \" in *' /etc/ssh/ssh_host_'*) exit 0;; esac\nexec {REAL_KEY_MAKER} \"$@\"\n"
            ),
        )?;
        let mut sandboxed = Sandboxed::new(self.tree, what, ["sh", "-c", script])
            .variable("SOURCE_DATE_EPOCH", &self.source_epoch.to_string())
            .without_sync();
        for path in SILENCED {
            if self.tree.join(path).is_file() {
                sandboxed = sandboxed.bind(&nothing, &format!("/{path}"));
            }
        }
        let real: PathBuf = self.tree.join(KEY_MAKER);
        if real.is_file() {
            sandboxed = sandboxed.bind(&real, REAL_KEY_MAKER).bind(&keys, &format!("/{KEY_MAKER}"));
        }
        let result = sandboxed.run(self.step, sink, self.cancel);
        if !has_policy {
            fs::remove_file(&policy).map_err(|source| InstallError::Database { path: policy, source })?;
        }
        result.map_err(|error| match error {
            CommandError::Cancelled(cancelled) => cancelled.into(),
            error => InstallError::Configure(error),
        })
    }
}

/// Writes a program that everybody may run.
fn write_program(path: &Path, content: &str) -> Result<(), InstallError> {
    let write = || -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
    };
    write().map_err(|source| InstallError::Database { path: path.to_owned(), source })
}

/// Passes on what dpkg writes, and times each package by the lines that begin its work.
struct Watch<'a> {
    sink: &'a dyn EventSink,
    step: &'a str,
    state: Mutex<WatchState>,
}

#[derive(Default)]
struct WatchState {
    current: Option<(String, Instant)>,
    times: HashMap<String, Duration>,
}

impl WatchState {
    fn end(&mut self) {
        if let Some((name, started)) = self.current.take() {
            *self.times.entry(name).or_default() += started.elapsed();
        }
    }
}

impl Watch<'_> {
    /// Returns the packages by the time they took, the longest first.
    fn longest(&self) -> Vec<(String, Duration)> {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.end();
        let mut times: Vec<_> = state.times.drain().collect();
        times.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
        times
    }
}

impl EventSink for Watch<'_> {
    fn emit(&self, event: Event) {
        if let Event::Log { line, .. } = &event
            && let Some(name) = begins(line)
        {
            let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            state.end();
            state.current = Some((name.to_owned(), Instant::now()));
            self.sink.step_progress(self.step, 0, None, Some(name));
        }
        self.sink.emit(event);
    }
}

/// Returns the package that a line of dpkg's begins to work on.
fn begins(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("Setting up ").or_else(|| line.strip_prefix("Processing triggers for "))?;
    rest.split(' ').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_lines_that_begin_a_package() {
        assert_eq!(begins("Setting up libc6:amd64 (2.41-12) ..."), Some("libc6:amd64"));
        assert_eq!(begins("Processing triggers for systemd (257.13-1) ..."), Some("systemd"));
        assert_eq!(begins("Creating group 'x'"), None);
    }
}
