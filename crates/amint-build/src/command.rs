//! Runs programs: output streamed as events, last lines kept for the error, stopped when asked.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use amint_types::{Cancel, Cancelled, EventSink, Hint, Stream};

/// Lines of output kept for the error message of a program that failed.
const TAIL_LINES_MAX: usize = 30;
/// Longest line passed on; the rest of a longer one is dropped.
const LINE_BYTES_MAX: usize = 4096;
/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(3);

/// A program could not be run, or did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The program is not installed.
    #[error("`{program}` is not installed")]
    Missing {
        /// The program.
        program: String,
    },
    /// The program could not be started.
    #[error("could not start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program ended with a failure.
    #[error("{what} failed ({status})")]
    Failed {
        /// What it was doing, for people: a program or a step's name.
        what: String,
        /// How it ended.
        status: String,
        /// The last lines it wrote; events have told them all.
        tail: Vec<String>,
    },
    /// The program ran longer than it may.
    #[error("{what} did not end within {seconds} s")]
    Deadline {
        /// What it was doing.
        what: String,
        /// The deadline.
        seconds: u64,
        /// The last lines it wrote; events have told them all.
        tail: Vec<String>,
    },
    /// Its output could not be read.
    #[error("could not talk to `{program}`")]
    Pipe {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Hint for CommandError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { program } => Some(format!(
                "install `{}` (Debian and Ubuntu: `apt install {}`)",
                program,
                package_of(program)
            )),
            Self::Failed { tail, .. } if tail.iter().any(|line| line.contains("No space left on device")) => {
                Some(
                    "the disk is full: free some space, or set AMINT_TMPDIR to a folder with more".to_owned(),
                )
            }
            _ => None,
        }
    }
}

/// Returns the Debian package that brings `program`.
pub fn package_of(program: &str) -> &str {
    match program {
        "bwrap" => "bubblewrap",
        "unshare" | "setpriv" => "util-linux",
        "newuidmap" | "newgidmap" => "uidmap",
        other => other,
    }
}

/// A program to run.
pub(crate) struct Program<'a> {
    /// The program's name or path.
    pub(crate) name: &'a str,
    /// What it does, for error messages.
    pub(crate) what: String,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// Variables set for it, on top of ours.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Bytes for its standard input.
    pub(crate) input: Vec<u8>,
    /// How long it may run.
    pub(crate) deadline: Option<Duration>,
}

impl<'a> Program<'a> {
    pub(crate) fn new(program: &'a str) -> Self {
        Self {
            name: program,
            what: format!("`{program}`"),
            arguments: Vec::new(),
            environment: Vec::new(),
            input: Vec::new(),
            deadline: None,
        }
    }

    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn arguments<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Runs the program to its end, passing on its lines as events of `step`.
    pub(crate) fn run(self, step: &str, sink: &dyn EventSink, cancel: &Cancel) -> Result<(), CommandError> {
        cancel.check()?;
        let mut child = self.spawn()?;
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let status = thread::scope(|scope| {
            if let Some(stdin) = child.stdin.take() {
                scope.spawn(|| feed(stdin, &self.input));
            }
            if let Some(stdout) = child.stdout.take() {
                scope.spawn(|| pass_on(stdout, Stream::Stdout, step, sink, &tail));
            }
            if let Some(stderr) = child.stderr.take() {
                scope.spawn(|| pass_on(stderr, Stream::Stderr, step, sink, &tail));
            }
            self.wait(&mut child, cancel)
        });
        let tail: Vec<String> = tail.lock().map(|mut lines| lines.drain(..).collect()).unwrap_or_default();
        match status? {
            Ended::With(status) if status.success() => Ok(()),
            Ended::With(status) => {
                Err(CommandError::Failed { what: self.what, status: describe(status), tail })
            }
            Ended::Late(seconds) => Err(CommandError::Deadline { what: self.what, seconds, tail }),
        }
    }

    fn spawn(&self) -> Result<Child, CommandError> {
        Command::new(self.name)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // An own process group: Ctrl-C reaches us, and we end the whole group in order.
            .process_group(0)
            .spawn()
            .map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => CommandError::Missing { program: self.name.to_owned() },
                _ => CommandError::Start { program: self.name.to_owned(), source },
            })
    }

    fn wait(&self, child: &mut Child, cancel: &Cancel) -> Result<Ended, CommandError> {
        let started = Instant::now();
        loop {
            let status = child
                .try_wait()
                .map_err(|source| CommandError::Pipe { program: self.name.to_owned(), source })?;
            if let Some(status) = status {
                return Ok(Ended::With(status));
            }
            if cancel.is_cancelled() {
                end(child);
                return Err(Cancelled.into());
            }
            if let Some(deadline) = self.deadline
                && started.elapsed() > deadline
            {
                end(child);
                return Ok(Ended::Late(deadline.as_secs()));
            }
            thread::sleep(POLL);
        }
    }
}

enum Ended {
    With(ExitStatus),
    Late(u64),
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown end".to_owned(),
    }
}

fn end(child: &mut Child) {
    if let Ok(raw) = i32::try_from(child.id())
        && let Some(group) = rustix::process::Pid::from_raw(raw)
    {
        // The group may be gone already; then there is nothing left to end.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn feed(mut stdin: impl Write, input: &[u8]) {
    // A program that ends without reading all of its input is judged by its exit code.
    let _ = stdin.write_all(input);
}

fn pass_on(
    output: impl Read,
    stream: Stream,
    step: &str,
    sink: &dyn EventSink,
    tail: &Mutex<VecDeque<String>>,
) {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        match reader.by_ref().take(limit).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        sink.log(step, stream, text);
        if let Ok(mut lines) = tail.lock() {
            if lines.len() == TAIL_LINES_MAX {
                lines.pop_front();
            }
            lines.push_back(text.to_owned());
        }
    }
}

/// Finds `program` on the search path, with the folders of administrators added.
pub fn find_program(program: &str) -> Result<PathBuf, CommandError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let administrators = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(administrators)
        .map(|folder| folder.join(program))
        .find(|candidate| is_executable(candidate))
        .ok_or_else(|| CommandError::Missing { program: program.to_owned() })
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use amint_types::{Event, NullSink};

    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl EventSink for Lines {
        fn emit(&self, event: Event) {
            if let Event::Log { line, .. } = event {
                self.0.lock().unwrap().push(line);
            }
        }
    }

    fn shell(script: &str) -> Program<'_> {
        Program::new("sh").argument("-c").argument(script)
    }

    #[test]
    fn streams_lines_as_they_come() {
        let lines = Lines::default();
        shell("echo one; echo two").run("step", &lines, &Cancel::new()).unwrap();
        assert_eq!(*lines.0.lock().unwrap(), ["one", "two"]);
    }

    #[test]
    fn keeps_the_last_lines_of_a_program_that_failed() {
        let error = shell("seq 100; exit 3").run("step", &NullSink, &Cancel::new()).unwrap_err();
        let CommandError::Failed { tail, .. } = &error else { panic!("{error}") };
        assert_eq!((tail.len(), tail.last().map(String::as_str)), (30, Some("100")));
        assert!(error.to_string().contains("exit code 3"), "{error}");
    }

    #[test]
    fn names_the_package_of_a_program_that_is_missing() {
        let error =
            Program::new("bwrap-that-is-not-there").run("step", &NullSink, &Cancel::new()).unwrap_err();
        assert!(matches!(error, CommandError::Missing { .. }));
        let bwrap = CommandError::Missing { program: "bwrap".to_owned() };
        assert!(bwrap.hint().unwrap().contains("apt install bubblewrap"));
    }

    #[test]
    fn ends_the_whole_group_when_cancelled() {
        let cancel = Cancel::new();
        cancel.cancel();
        let started = Instant::now();
        let late = Cancel::new();
        let flag = late.clone();
        let waiter =
            thread::spawn(move || shell("echo up; sleep 600 & wait").run("step", &Raise(flag), &late));
        let result = waiter.join().unwrap();
        assert!(matches!(result, Err(CommandError::Cancelled(_))));
        assert!(started.elapsed() < Duration::from_mins(1));
        assert!(shell("true").run("step", &NullSink, &cancel).is_err());
    }

    struct Raise(Cancel);

    impl EventSink for Raise {
        fn emit(&self, _event: Event) {
            self.0.cancel();
        }
    }

    #[test]
    fn ends_a_program_at_its_deadline() {
        let mut program = shell("echo started; sleep 600");
        program.deadline = Some(Duration::from_millis(300));
        let error = program.run("step", &NullSink, &Cancel::new()).unwrap_err();
        assert!(matches!(error, CommandError::Deadline { .. }), "{error}");
    }
}
