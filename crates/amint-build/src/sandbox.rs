//! Runs programs inside the tree, cut off from the host.
//!
//! The sandbox is bubblewrap (`bwrap(1)`): own mount, process, IPC and host-name namespaces, a minimal
//! `/dev`, empty `/run` and `/tmp`, and no network unless asked for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use amint_types::{Cancel, EventSink};

use crate::command::{CommandError, Program};
use crate::no_sync;

/// The search path inside the image.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program to run inside a tree.
pub(crate) struct Sandboxed<'a> {
    tree: &'a Path,
    what: String,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    binds: Vec<(PathBuf, String)>,
    writable: Vec<(PathBuf, String)>,
    has_network: bool,
    has_sync: bool,
    deadline: Option<Duration>,
}

impl<'a> Sandboxed<'a> {
    /// Prepares to run `arguments` (a program of the image and its arguments) inside `tree`.
    pub(crate) fn new<I, S>(tree: &'a Path, what: &str, arguments: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<OsString>,
    {
        Self {
            tree,
            what: what.to_owned(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            binds: Vec::new(),
            writable: Vec::new(),
            has_network: false,
            has_sync: true,
            deadline: None,
        }
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Shows a file of the host, read-only, at `target` below `/run`.
    pub(crate) fn bind(mut self, source: &Path, target: &str) -> Self {
        self.binds.push((source.to_owned(), target.to_owned()));
        self
    }

    /// Shows a folder of the host at `target` below `/run`, to write into.
    pub(crate) fn bind_writable(mut self, source: &Path, target: &str) -> Self {
        self.writable.push((source.to_owned(), target.to_owned()));
        self
    }

    /// Lets the program use the host's network and its resolver settings.
    pub(crate) fn network(mut self, has_network: bool) -> Self {
        self.has_network = has_network;
        self
    }

    /// Answers requests to write data to the disk at once, without doing it.
    pub(crate) fn without_sync(mut self) -> Self {
        self.has_sync = false;
        self
    }

    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Runs the program to its end.
    pub(crate) fn run(self, step: &str, sink: &dyn EventSink, cancel: &Cancel) -> Result<(), CommandError> {
        let mut program = Program::new("bwrap")
            .argument("--bind")
            .argument(self.tree)
            .argument("/")
            .arguments(["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run"])
            // Programs that give up their rights, as apt does to fetch, need a place as well.
            .arguments(["--perms", "1777", "--tmpfs", "/tmp"])
            .arguments(["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "localhost"])
            .arguments(["--die-with-parent", "--new-session", "--clearenv", "--chdir", "/"])
            .arguments(["--cap-add", "ALL"]);
        if self.has_network {
            program = program.arguments(["--dir", "/run/systemd/resolve"]);
            for target in resolver_files(self.tree) {
                program = program.arguments(["--ro-bind", "/etc/resolv.conf"]).argument(target);
            }
        } else {
            program = program.argument("--unshare-net");
        }
        for (source, target) in &self.binds {
            program = program.argument("--ro-bind").argument(source).argument(target);
        }
        for (source, target) in &self.writable {
            program = program.argument("--bind").argument(source).argument(target);
        }
        let defaults = [
            ("PATH", SEARCH_PATH),
            ("HOME", "/root"),
            ("LC_ALL", "C.UTF-8"),
            ("TZ", "UTC"),
            ("DEBIAN_FRONTEND", "noninteractive"),
        ];
        for (name, value) in defaults {
            program = program.arguments(["--setenv", name, value]);
        }
        for (name, value) in &self.environment {
            program = program.arguments(["--setenv", name, value]);
        }
        if let Some(filter) = no_sync::filter().filter(|_| !self.has_sync) {
            // bubblewrap reads the filter to its end from standard input, so the program finds that empty.
            program = program.arguments(["--seccomp", "0"]);
            program.input = filter;
        }
        program = program.argument("--").arguments(&self.arguments);
        program.what = self.what;
        program.deadline = self.deadline;
        program.run(step, sink, cancel)
    }
}

/// Where the host's resolver settings have to appear so that the image's `/etc/resolv.conf` finds them.
fn resolver_files(tree: &Path) -> Vec<String> {
    let resolver = tree.join("etc/resolv.conf");
    match resolver.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => vec![
            "/run/systemd/resolve/stub-resolv.conf".to_owned(),
            "/run/systemd/resolve/resolv.conf".to_owned(),
        ],
        Ok(_) => vec!["/etc/resolv.conf".to_owned()],
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use amint_types::NullSink;

    use super::*;

    #[test]
    fn requests_to_write_data_to_the_disk_succeed_without_being_made() {
        if crate::find_program("bwrap").is_err() || no_sync::filter().is_none() {
            eprintln!("SKIPPED: needs bubblewrap and a known architecture");
            return;
        }
        // A device refuses fsync(2): only a call that is not made succeeds.
        let sync = || Sandboxed::new(Path::new("/"), "sync", ["sync", "/dev/null"]);
        let run = |sandboxed: Sandboxed<'_>| sandboxed.run("step", &NullSink, &Cancel::new());
        match run(Sandboxed::new(Path::new("/"), "true", ["true"])) {
            Ok(()) => {}
            Err(error) => {
                eprintln!("SKIPPED: bubblewrap does not work here: {error}");
                return;
            }
        }
        assert!(run(sync()).is_err());
        run(sync().without_sync()).unwrap();
    }

    #[test]
    fn programs_that_gave_up_their_rights_can_write_temporary_files() {
        if crate::find_program("bwrap").is_err() {
            eprintln!("SKIPPED: needs bubblewrap");
            return;
        }
        let run = |words: &[&str]| {
            Sandboxed::new(Path::new("/"), "test", words).run("step", &NullSink, &Cancel::new())
        };
        if let Err(error) = run(&["true"]) {
            eprintln!("SKIPPED: bubblewrap does not work here: {error}");
            return;
        }
        run(&["sh", "-c", "test \"$(stat -c %a /tmp)\" = 1777"]).unwrap();
    }
}
