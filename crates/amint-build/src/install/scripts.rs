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
use super::order::is_for_upgrades_only;
use super::package::Candidate;
use crate::command::CommandError;
use crate::sandbox::Sandboxed;

/// A program that takes long and whose outcome no script waits for: its calls are handed over and done beside, on another
/// processor. `py3compile(1)` only makes files that Python would make itself.
const DEFERRED: &str = "usr/bin/py3compile";
/// Certificates are asked for more than once and made once, beside, as long as nothing changes that they are made from; only
/// where no other package's scripts look at what comes of it.
const CERTIFICATES: &str = "usr/sbin/update-ca-certificates";
/// Where what is deferred is written down, inside the sandbox.
const NOTES: &str = "/run/amint-deferred";
/// Keeps scripts from starting services (`invoke-rc.d(8)`).
const POLICY: &str = "usr/sbin/policy-rc.d";
/// Programs that do nothing while packages are configured: the build makes the initramfs once, at the end.
const SILENCED: [&str; 1] = ["usr/sbin/update-initramfs"];
/// Host keys are made by each instance for itself: a key in an image would be everybody's. All other uses pass.
const KEY_MAKER: &str = "usr/bin/ssh-keygen";
/// Where the real one is shown meanwhile.
const REAL_KEY_MAKER: &str = "/run/amint/ssh-keygen";

/// Does what is handed over while packages are configured, on another processor: each line of the pipe is a program and its
/// words, quoted for the shell. An empty line ends it.
const BESIDE: &str = r#"
certificates_from() {
  ls -lRL --time-style=full-iso /etc/ca-certificates.conf /etc/ca-certificates /usr/share/ca-certificates \
    /usr/local/share/ca-certificates 2>&1 | cksum
}
mkfifo /run/amint-deferred/beside
exec 9<>/run/amint-deferred/beside
{
  failed=0
  while read -r line <&9 && [ -n "$line" ]; do
    eval "set -- $line"
    program=$1
    shift
    if [ "$program" = update-ca-certificates ]; then
      # Once now; whether that was the last word is seen in the end.
      [ ! -e /run/amint-deferred/certificates ] || continue
      certificates_from >/run/amint-deferred/certificates
      set --
    fi
    "/run/amint-real/$program" "$@" || failed=1
  done
  exit "$failed"
} 9<&9 &
beside=$!
"#;

/// Waits for what was done beside, and makes certificates again where something changed since.
const AFTERWARDS: &str = r#"
echo >&9
wait "$beside"
if [ -e /run/amint-deferred/certificates ] &&
  [ "$(certificates_from)" != "$(cat /run/amint-deferred/certificates)" ]; then
  echo "Deferred: update-ca-certificates"
  /run/amint-real/update-ca-certificates --fresh
fi
"#;

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
    /// Whether certificates may be made last.
    pub(super) defers_certificates: bool,
}

/// Tells whether no script of a package looks at what `update-ca-certificates` makes.
pub(super) fn may_defer_certificates(candidates: &[Candidate]) -> bool {
    let looks = |content: &[u8]| {
        let text = String::from_utf8_lossy(content);
        text.contains("/ssl/certs") || text.contains("update-ca-certificates")
    };
    let scripts = ["preinst", "postinst", "config"];
    candidates
        .iter()
        .filter(|candidate| candidate.name != "ca-certificates")
        .all(|candidate| scripts.iter().all(|script| !candidate.deb.control_file(script).is_some_and(looks)))
}

impl Scripts<'_> {
    /// Runs the `preinst` of packages whose control files are in the database.
    pub(super) fn before_unpacking(
        &self,
        candidates: &[Candidate],
        indexes: &[usize],
    ) -> Result<(), InstallError> {
        let has_script = |index: &&usize| {
            let script = candidates[**index].deb.control_file("preinst");
            script.is_some_and(|script| !is_for_upgrades_only(script))
        };
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
        script.push_str(BESIDE);
        // Its children have no use for the pipe's other end.
        script.push_str("dpkg --force-confnew --configure -a 9<&-\n");
        script.push_str(AFTERWARDS);
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
        let notes = self.work.join("deferred");
        fs::create_dir_all(&notes)
            .map_err(|source| InstallError::Database { path: notes.clone(), source })?;
        let certificates = self.defers_certificates.then_some(CERTIFICATES);
        for path in std::iter::once(DEFERRED).chain(certificates) {
            let name = path.rsplit('/').next().unwrap_or(path);
            let real = self.tree.join(path);
            if !real.is_file() {
                continue;
            }
            let stub = self.work.join(format!("defer-{name}"));
            write_program(&stub, &deferring(name))?;
            sandboxed =
                sandboxed.bind(&real, &format!("/run/amint-real/{name}")).bind(&stub, &format!("/{path}"));
        }
        sandboxed = sandboxed.bind_writable(&notes, NOTES);
        let result = sandboxed.run(self.step, sink, self.cancel);
        fs::remove_dir_all(&notes).map_err(|source| InstallError::Database { path: notes, source })?;
        if !has_policy {
            fs::remove_file(&policy).map_err(|source| InstallError::Database { path: policy, source })?;
        }
        result.map_err(|error| match error {
            CommandError::Cancelled(cancelled) => cancelled.into(),
            error => InstallError::Configure(error),
        })
    }
}

/// Returns a program that hands over its words, or does its work now where nobody takes them.
fn deferring(name: &str) -> String {
    format!(
        "#!/bin/sh\n\
         [ -p {NOTES}/beside ] || exec /run/amint-real/{name} \"$@\"\n\
         case \"$*\" in *\"'\"*) exec /run/amint-real/{name} \"$@\";; esac\n\
         {{ for word in {name} \"$@\"; do printf \"'%s' \" \"$word\"; done; echo; }} >>{NOTES}/beside\n"
    )
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
    let rest = ["Setting up ", "Processing triggers for ", "Deferred: "]
        .iter()
        .find_map(|beginning| line.strip_prefix(beginning))?;
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
