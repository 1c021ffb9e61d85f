//! The tests that the recipe brings.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::boot::Guest;
use crate::checks::Verdict;
use crate::checks::boot_facts::{shortened, words};
use crate::checks::http::{Answer, destination, get};
use crate::checks::identity_files::{names_identity, with_identity};
use crate::error::GuestError;
use crate::spec::{GuestTest, HeaderExpectation};

/// How soon a test that may still pass is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// A server that sends nothing by itself must hold the connection for so long. QEMU's network takes every
/// connection and drops it when the guest refuses.
const HOLD_TIME: Duration = Duration::from_secs(2);
/// What is read of a banner.
const BANNER_BYTES_MAX: usize = 16 * 1024;

/// Refuses tests that cannot be asked.
pub(crate) fn validate(tests: &[GuestTest]) -> Result<(), GuestError> {
    for test in tests {
        let outcome = match test {
            GuestTest::Http { url, .. } => destination(url).map(drop),
            GuestTest::Tcp { port: 0, .. } => Err("there is no port 0".to_owned()),
            GuestTest::Tcp { .. } | GuestTest::Command { .. } => Ok(()),
        };
        outcome.map_err(|reason| GuestError::InvalidTest { name: test.name().to_owned(), reason })?;
    }
    Ok(())
}

/// Returns the TCP ports of the guest that `tests` ask from outside.
pub(crate) fn guest_ports(tests: &[GuestTest]) -> Vec<u16> {
    let port = |test: &GuestTest| match test {
        GuestTest::Http { url, .. } => destination(url).ok().map(|destination| destination.port),
        GuestTest::Tcp { port, .. } => Some(*port),
        GuestTest::Command { .. } => None,
    };
    tests.iter().filter_map(port).collect()
}

/// Runs one test; `identity_problem` says why the folder with identity documents is missing.
pub(crate) async fn recipe_test(
    guest: &Guest,
    addresses: &BTreeMap<u16, SocketAddr>,
    test: &GuestTest,
    identity_problem: Option<&String>,
) -> Verdict {
    match (test, identity_problem) {
        (GuestTest::Command { command, .. }, Some(problem)) if names_identity(command) => {
            return Verdict::fail(problem);
        }
        _ => {}
    }
    match test {
        GuestTest::Http { url, status, body_contains, header_contains, deadline, .. } => {
            let Ok(destination) = destination(url) else { return Verdict::fail("the URL is not understood") };
            let Some(address) = addresses.get(&destination.port) else {
                return Verdict::fail("the port is not forwarded");
            };
            let expected = HttpExpectation {
                status: *status,
                body: body_contains.as_deref(),
                header: header_contains.as_ref(),
            };
            until(*deadline, async || {
                let answer = get(*address, &destination).await?;
                expected.judge(&answer)
            })
            .await
        }
        GuestTest::Tcp { port, expect, deadline, .. } => {
            let Some(address) = addresses.get(port) else {
                return Verdict::fail("the port is not forwarded");
            };
            until(*deadline, async || banner(*address, expect.as_deref()).await).await
        }
        GuestTest::Command { command, exit_code, stdout_contains, deadline, .. } => {
            let output = guest.run_within(&with_identity(command), *deadline).await;
            output.map(|output| judge_command(&output, *exit_code, stdout_contains.as_deref())).into()
        }
    }
}

/// Tries again until the test passes or `deadline` is over.
async fn until(deadline: Duration, attempt: impl AsyncFn() -> Result<String, String>) -> Verdict {
    let end = Instant::now() + deadline;
    let mut last = String::new();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match timeout(left, attempt()).await {
            Ok(Ok(detail)) => return Verdict::pass(detail),
            Ok(Err(reason)) => last = reason,
            Err(_) if last.is_empty() => "no answer".clone_into(&mut last),
            Err(_) => {}
        }
        if Instant::now() + PAUSE >= end {
            return Verdict::fail(format!("{last} (tried for {} s)", deadline.as_secs()));
        }
        sleep(PAUSE).await;
    }
}

struct HttpExpectation<'a> {
    status: Option<u16>,
    body: Option<&'a str>,
    header: Option<&'a HeaderExpectation>,
}

impl HttpExpectation<'_> {
    fn judge(&self, answer: &Answer) -> Result<String, String> {
        let is_status_good = self.status.map_or(answer.status < 400, |status| answer.status == status);
        let body = shortened(answer.body.trim(), 200);
        if !is_status_good {
            let wanted = self.status.map_or("below 400".to_owned(), |status| status.to_string());
            return Err(format!("status {} instead of {wanted}; body: {body}", answer.status));
        }
        if let Some(HeaderExpectation { name, value_contains }) = self.header {
            let name = name.to_ascii_lowercase();
            let values: Vec<&str> = answer
                .headers
                .iter()
                .filter(|(seen, _)| *seen == name)
                .map(|(_, value)| value.as_str())
                .collect();
            if !values.iter().any(|value| value.contains(value_contains.as_str())) {
                let seen = shortened(&values.join(", "), 200);
                return Err(format!("header `{name}` should contain `{value_contains}`, is: {seen}"));
            }
        }
        if let Some(wanted) = self.body
            && !answer.body.contains(wanted)
        {
            return Err(format!("status {}, body without `{wanted}`: {body}", answer.status));
        }
        Ok(format!("status {}, {} bytes", answer.status, answer.body.len()))
    }
}

async fn banner(address: SocketAddr, expected: Option<&str>) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).await.map_err(|error| format!("no connection: {error}"))?;
    let mut seen = Vec::new();
    loop {
        let mut chunk = [0; 1024];
        let read = match (timeout(HOLD_TIME, stream.read(&mut chunk)).await, expected) {
            (Ok(Ok(read)), _) => read,
            (Ok(Err(error)), _) => return Err(format!("the connection broke: {error}")),
            (Err(_), None) => return Ok("the connection is taken and held".to_owned()),
            // The caller's deadline ends the wait for a banner.
            (Err(_), Some(_)) => continue,
        };
        seen.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        match expected {
            None if read > 0 => return Ok(format!("it says `{}`", shortened(text.trim(), 80))),
            Some(expected) if text.contains(expected) => {
                return Ok(format!("it says `{}`", shortened(text.trim(), 80)));
            }
            _ if read == 0 || seen.len() > BANNER_BYTES_MAX => {
                return Err(format!("the connection was closed after `{}`", shortened(text.trim(), 80)));
            }
            _ => {}
        }
    }
}

fn judge_command(output: &crate::ssh::Output, exit_code: i32, stdout_contains: Option<&str>) -> Verdict {
    let is_code_good = output.exit_code.is_some_and(|code| i64::from(code) == i64::from(exit_code));
    let said = words(output);
    if !is_code_good {
        return Verdict::fail(format!("{said}; exit code {exit_code} was expected"));
    }
    match stdout_contains {
        Some(wanted) if !output.stdout.contains(wanted) => {
            Verdict::fail(format!("{said}; standard output should contain `{wanted}`"))
        }
        _ => Verdict::pass(said),
    }
}

#[cfg(test)]
mod tests {
    use amint_types::report::CheckOutcome;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::ssh::Output;

    #[test]
    fn http_answer_must_meet_every_expectation() {
        let answer = Answer {
            status: 200,
            headers: vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())],
            body: "<h1>Welcome</h1>".to_owned(),
        };
        let header = |value: &str| HeaderExpectation {
            name: "Content-Type".to_owned(),
            value_contains: value.to_owned(),
        };
        let judge = |status, body, header: Option<&HeaderExpectation>| {
            HttpExpectation { status, body, header }.judge(&answer).is_ok()
        };
        assert!(judge(Some(200), Some("Welcome"), Some(&header("utf-8"))));
        assert!(judge(None, None, Some(&header(""))));
        assert!(!judge(Some(204), None, None));
        assert!(!judge(None, Some("Goodbye"), None));
        assert!(!judge(None, None, Some(&header("json"))));
        let broken = Answer { status: 500, ..answer.clone() };
        assert!(HttpExpectation { status: None, body: None, header: None }.judge(&broken).is_err());
    }

    #[test]
    fn command_must_end_as_expected_and_say_so() {
        let output =
            |exit_code, stdout: &str| Output { exit_code, stdout: stdout.to_owned(), stderr: String::new() };
        let outcome = |output, code, wanted| judge_command(&output, code, wanted).outcome;
        assert_eq!(outcome(output(Some(0), "ready"), 0, Some("ready")), CheckOutcome::Pass);
        assert_eq!(outcome(output(Some(3), ""), 3, None), CheckOutcome::Pass);
        assert_eq!(outcome(output(Some(0), "no"), 0, Some("ready")), CheckOutcome::Fail);
        assert_eq!(outcome(output(Some(1), ""), 0, None), CheckOutcome::Fail);
        assert_eq!(outcome(output(None, ""), 0, None), CheckOutcome::Fail);
    }

    async fn serve(words: &'static [u8]) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(words).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn banner_is_compared_and_a_hang_up_is_no_pass() {
        let address = serve(b"220 mail ESMTP\r\n").await;
        assert!(banner(address, Some("ESMTP")).await.is_ok());
        assert!(banner(address, Some("IMAP")).await.is_err());
        assert!(banner(address, None).await.is_ok());
        let silent = serve(b"").await;
        assert!(banner(silent, None).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn test_that_never_passes_ends_at_its_deadline() {
        let verdict = until(Duration::from_secs(30), async || Err("refused".to_owned())).await;
        assert_eq!(verdict, Verdict::fail("refused (tried for 30 s)"));
    }
}
