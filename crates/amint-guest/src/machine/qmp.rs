//! A small client of QEMU's control protocol (QMP): one JSON object per line over a Unix socket.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The longest line that is taken; what QEMU says to our questions is far shorter.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// Events that nobody read are dropped beyond this many.
const EVENTS_MAX: usize = 256;
/// How long one answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Why QEMU could not be controlled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QmpError {
    /// The socket failed.
    #[error("failed to use the control socket")]
    Io(#[from] io::Error),
    /// QEMU closed the socket, mostly because it ended.
    #[error("failed to read from the control socket: it is closed")]
    Closed,
    /// What came is not the protocol.
    #[error("failed to understand the control socket: {0}")]
    Protocol(String),
    /// QEMU refused a command.
    #[error("`{command}`: {description}")]
    Refused {
        /// The command.
        command: String,
        /// What QEMU said.
        description: String,
    },
    /// No answer came in time.
    #[error("failed to wait for an answer to `{0}`")]
    Silent(String),
}

/// A connection to QEMU's control socket.
#[derive(Debug)]
pub struct Qmp {
    writer: OwnedWriteHalf,
    answers: mpsc::Receiver<Result<Value, QmpError>>,
    events: mpsc::Receiver<String>,
    reader: JoinHandle<()>,
    next_id: u64,
}

impl Drop for Qmp {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Qmp {
    /// Connects to the socket at `path` and greets.
    pub async fn connect(path: &Path) -> Result<Self, QmpError> {
        Self::greet(UnixStream::connect(path).await?).await
    }

    async fn greet(stream: UnixStream) -> Result<Self, QmpError> {
        let (read, writer) = stream.into_split();
        let mut lines = Lines(BufReader::new(read));
        let greeting = timeout(ANSWER_TIME, lines.next())
            .await
            .map_err(|_| QmpError::Silent("the greeting".to_owned()))??;
        if greeting.get("QMP").is_none() {
            return Err(QmpError::Protocol("no greeting".to_owned()));
        }
        let (answer_sender, answers) = mpsc::channel(16);
        let (event_sender, events) = mpsc::channel(EVENTS_MAX);
        let reader = tokio::spawn(distribute(lines, answer_sender, event_sender));
        let mut qmp = Self { writer, answers, events, reader, next_id: 0 };
        qmp.execute("qmp_capabilities").await?;
        Ok(qmp)
    }

    /// Runs `command`, which needs no arguments, and returns its result.
    pub async fn execute(&mut self, command: &str) -> Result<Value, QmpError> {
        self.execute_with(command, json!({})).await
    }

    /// Runs a line of the monitor that people use; it says nothing when all is well.
    pub(crate) async fn monitor(&mut self, line: &str) -> Result<(), QmpError> {
        let command = "human-monitor-command";
        let answer = self.execute_with(command, json!({ "command-line": line })).await?;
        let description = answer.as_str().unwrap_or_default().trim().to_owned();
        if description.is_empty() {
            return Ok(());
        }
        Err(QmpError::Refused { command: line.to_owned(), description })
    }

    pub(crate) async fn execute_with(&mut self, command: &str, arguments: Value) -> Result<Value, QmpError> {
        self.next_id += 1;
        let id = self.next_id;
        let mut line = json!({ "execute": command, "arguments": arguments, "id": id }).to_string();
        line.push('\n');
        self.writer.write_all(line.as_bytes()).await?;
        timeout(ANSWER_TIME, self.answer(id, command))
            .await
            .map_err(|_| QmpError::Silent(command.to_owned()))?
    }

    async fn answer(&mut self, id: u64, command: &str) -> Result<Value, QmpError> {
        loop {
            let mut answer = self.answers.recv().await.ok_or(QmpError::Closed)??;
            // Answers to commands that were given up on are passed over.
            if answer.get("id").and_then(Value::as_u64) != Some(id) {
                continue;
            }
            if let Some(result) = answer.get_mut("return") {
                return Ok(result.take());
            }
            let description = answer.pointer("/error/desc").and_then(Value::as_str).unwrap_or("no reason");
            return Err(QmpError::Refused {
                command: command.to_owned(),
                description: description.to_owned(),
            });
        }
    }

    /// Returns the state of the machine: `running`, `internal-error`, …
    pub async fn status(&mut self) -> Result<String, QmpError> {
        let answer = self.execute("query-status").await?;
        let status = answer.get("status").and_then(Value::as_str);
        status.map(ToOwned::to_owned).ok_or_else(|| QmpError::Protocol(answer.to_string()))
    }

    /// Presses the power button.
    pub async fn power_down(&mut self) -> Result<(), QmpError> {
        self.execute("system_powerdown").await.map(drop)
    }

    /// Ends QEMU at once.
    pub async fn quit(&mut self) -> Result<(), QmpError> {
        match self.execute("quit").await {
            // QEMU may be gone before its answer is read.
            Ok(_) | Err(QmpError::Closed) => Ok(()),
            Err(QmpError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes the name of an event that came, if any: `RESET`, `SHUTDOWN`.
    pub fn take_event(&mut self) -> Option<String> {
        self.events.try_recv().ok()
    }
}

struct Lines(BufReader<OwnedReadHalf>);

impl Lines {
    async fn next(&mut self) -> Result<Value, QmpError> {
        let mut line = Vec::new();
        let read = (&mut self.0).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Err(QmpError::Closed);
        }
        if !line.ends_with(b"\n") && read as u64 == LINE_BYTES_MAX {
            return Err(QmpError::Protocol("a line without an end".to_owned()));
        }
        serde_json::from_slice(&line).map_err(|error| QmpError::Protocol(error.to_string()))
    }
}

async fn distribute(
    mut lines: Lines,
    answers: mpsc::Sender<Result<Value, QmpError>>,
    events: mpsc::Sender<String>,
) {
    loop {
        match lines.next().await {
            Ok(message) => {
                if let Some(name) = message.get("event").and_then(Value::as_str) {
                    // A full queue means that nobody is interested.
                    drop(events.try_send(name.to_owned()));
                } else if answers.send(Ok(message)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                drop(answers.send(Err(error)).await);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays QEMU: greets, then answers each line that comes with the next of `answers`.
    async fn connect_to(answers: Vec<&'static str>) -> Result<Qmp, QmpError> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        tokio::spawn(async move {
            let (read, mut write) = theirs.into_split();
            let mut questions = BufReader::new(read).lines();
            let mut answers = answers.into_iter();
            let Some(greeting) = answers.next() else { return };
            write.write_all(greeting.as_bytes()).await.unwrap();
            while let (Ok(Some(question)), Some(answer)) = (questions.next_line().await, answers.next()) {
                let id = serde_json::from_str::<Value>(&question).unwrap()["id"].to_string();
                write.write_all(answer.replace("$ID", &id).as_bytes()).await.unwrap();
            }
        });
        Qmp::greet(ours).await
    }

    const GREETING: &str = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";
    const EMPTY: &str = "{\"return\": {}, \"id\": $ID}\r\n";

    #[tokio::test]
    async fn tells_the_state_and_keeps_events_apart() {
        let status = "{\"event\": \"RESET\", \"data\": {}}\r\n\
            {\"return\": {\"status\": \"running\", \"running\": true}, \"id\": $ID}\r\n";
        let mut qmp = connect_to(vec![GREETING, EMPTY, status]).await.unwrap();
        assert_eq!(qmp.status().await.unwrap(), "running");
        assert_eq!(qmp.take_event().as_deref(), Some("RESET"));
        assert_eq!(qmp.take_event(), None);
    }

    #[tokio::test]
    async fn passes_on_why_a_command_was_refused() {
        let refusal = "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"unknown\"}, \"id\": $ID}\r\n";
        let mut qmp = connect_to(vec![GREETING, EMPTY, refusal]).await.unwrap();
        let error = qmp.power_down().await.unwrap_err();
        assert_eq!(error.to_string(), "`system_powerdown`: unknown");
    }

    #[tokio::test]
    async fn monitor_that_says_something_refuses() {
        let words = "{\"return\": \"invalid host forwarding rule\\r\\n\", \"id\": $ID}\r\n";
        let silence = "{\"return\": \"\", \"id\": $ID}\r\n";
        let mut qmp = connect_to(vec![GREETING, EMPTY, silence, words]).await.unwrap();
        qmp.monitor("hostfwd_add").await.unwrap();
        let error = qmp.monitor("hostfwd_add").await.unwrap_err();
        assert_eq!(error.to_string(), "`hostfwd_add`: invalid host forwarding rule");
    }

    #[tokio::test]
    async fn quit_is_fine_when_qemu_goes_without_an_answer() {
        let mut qmp = connect_to(vec![GREETING, EMPTY]).await.unwrap();
        qmp.quit().await.unwrap();
        assert!(qmp.status().await.is_err());
    }

    #[tokio::test]
    async fn refuses_what_is_not_the_protocol() {
        assert!(matches!(connect_to(vec!["hello\n"]).await, Err(QmpError::Protocol(_))));
        assert!(matches!(connect_to(vec!["{}\n"]).await, Err(QmpError::Protocol(_))));
        assert!(matches!(connect_to(vec![]).await, Err(QmpError::Closed)));
    }
}
