//! What an SSH server tells everybody before anyone is known: its algorithms (RFC 4253, section 7.1), and how each
//! user may log in.

use std::net::SocketAddr;
use std::time::Duration;

use russh::MethodKind;
use russh::client::AuthResult;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::checks::{Seen, Verdict, judged, weak_algorithms};
use crate::promises::Promises;
use crate::ssh::{SshError, Target, offered};

/// How long the server may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest line before the keys are exchanged (RFC 4253, section 4.2).
const LINE_BYTES_MAX: usize = 255;
/// A server may say something before it says who it is.
const LINES_MAX: usize = 50;
/// The longest packet that every side must take (RFC 4253, section 6.1).
const PACKET_BYTES_MAX: usize = 35_000;
const KEY_EXCHANGE_INIT: u8 = 20;
/// Key exchange, host keys, ciphers and codes in both directions.
const LISTS: usize = 6;
/// A name that no image has an account for.
const UNKNOWN_USER: &str = "no-such-user-4f1c";

/// What a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Its words about itself: `SSH-2.0-OpenSSH_9.2p1`.
    pub(crate) banner: String,
    /// Names of algorithms, all kinds together.
    pub(crate) algorithms: Vec<String>,
}

/// Asks for the server's algorithms and names the weak ones.
pub(crate) async fn algorithms(address: SocketAddr, promises: &Promises) -> Verdict {
    let offer =
        timeout(PATIENCE, offer(address)).await.unwrap_or_else(|_| Err("it took too long".to_owned()));
    let (seen, summary) = match offer {
        Ok(offer) => {
            let mut weak = weak_algorithms(offer.algorithms.iter().map(String::as_str));
            weak.dedup();
            let summary = format!("{} offers {} algorithms, none weak", offer.banner, offer.algorithms.len());
            let seen = if weak.is_empty() {
                Seen::Holds
            } else {
                Seen::Violated(format!("weak algorithms are offered: {}", weak.join(", ")))
            };
            (seen, summary)
        }
        Err(reason) => (Seen::Unknown(reason), String::new()),
    };
    judged(promises, vec![("SSH-011", seen)], &summary)
}

async fn offer(address: SocketAddr) -> Result<Offer, String> {
    let broken = |error: std::io::Error| format!("the connection fails: {error}");
    let mut stream = TcpStream::connect(address).await.map_err(broken)?;
    let mut banner = None;
    for _ in 0..LINES_MAX {
        let line = line(&mut stream).await?;
        if line.starts_with("SSH-") {
            banner = Some(line);
            break;
        }
    }
    let banner = banner.ok_or("the server does not say who it is")?;
    stream.write_all(b"SSH-2.0-amint_probe\r\n").await.map_err(broken)?;
    let length = usize::try_from(stream.read_u32().await.map_err(broken)?).unwrap_or(usize::MAX);
    if !(2..=PACKET_BYTES_MAX).contains(&length) {
        return Err(format!("a packet of {length} bytes"));
    }
    let mut packet = vec![0; length];
    stream.read_exact(&mut packet).await.map_err(broken)?;
    let algorithms = parse(&packet).ok_or("the list of algorithms is broken")?;
    Ok(Offer { banner, algorithms })
}

async fn line(stream: &mut TcpStream) -> Result<String, String> {
    let mut line = Vec::new();
    while line.len() <= LINE_BYTES_MAX {
        let byte = stream.read_u8().await.map_err(|error| format!("no greeting: {error}"))?;
        if byte == b'\n' {
            let text = String::from_utf8_lossy(&line);
            return Ok(text.chars().filter(|letter| !letter.is_control()).collect());
        }
        line.push(byte);
    }
    Err("a greeting without an end".to_owned())
}

/// Reads a packet: length of the padding, kind, 16 random bytes, lists of names behind their length.
fn parse(packet: &[u8]) -> Option<Vec<String>> {
    let padding = usize::from(*packet.first()?);
    let payload = packet.get(1..packet.len().checked_sub(padding)?)?;
    if *payload.first()? != KEY_EXCHANGE_INIT {
        return None;
    }
    let mut rest = payload.get(17..)?;
    let mut names = Vec::new();
    for _ in 0..LISTS {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let list = std::str::from_utf8(behind.get(..length)?).ok()?;
        for name in list.split(',').filter(|name| !name.is_empty()) {
            let name: String = name.chars().filter(char::is_ascii_graphic).take(80).collect();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        rest = behind.get(length..)?;
    }
    Some(names)
}

/// Asks how root, the login user and an unknown user may log in: by keys only, and all alike.
pub(crate) async fn methods(target: &Target, user: &str) -> Verdict {
    let mut told = Vec::new();
    let mut offences = Vec::new();
    let mut first: Option<Vec<MethodKind>> = None;
    for name in ["root", user, UNKNOWN_USER] {
        match methods_for(target, name).await {
            Ok(None) => offences.push(format!("`{name}` is let in without anything")),
            Ok(Some(methods)) => {
                if methods
                    .iter()
                    .any(|method| matches!(method, MethodKind::Password | MethodKind::KeyboardInteractive))
                {
                    offences.push(format!("`{name}` is asked for a password ({})", offered(&methods)));
                }
                if first.as_ref().is_some_and(|first| *first != methods) {
                    offences.push(format!("`{name}` is offered something else: {}", offered(&methods)));
                }
                told.push(format!("{name}: {}", offered(&methods)));
                first.get_or_insert(methods);
            }
            Err(error) => offences.push(format!("`{name}` could not be tried: {error}")),
        }
    }
    if offences.is_empty() { Verdict::pass(told.join("; ")) } else { Verdict::fail(offences.join("; ")) }
}

async fn methods_for(target: &Target, user: &str) -> Result<Option<Vec<MethodKind>>, SshError> {
    let mut session = crate::checks::connect_patiently(target).await?;
    let outcome = match session.authenticate_none(user).await? {
        AuthResult::Success => None,
        AuthResult::Failure { remaining_methods, .. } => Some(remaining_methods.to_vec()),
    };
    session.close().await;
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use amint_types::report::CheckOutcome;
    use proptest::prelude::*;
    use tokio::net::TcpListener;

    use super::*;
    use crate::ssh::fake_server::{Behaviour, FakeServer};

    fn packet(lists: &[&str]) -> Vec<u8> {
        let mut payload = vec![KEY_EXCHANGE_INIT];
        payload.extend([7; 16]);
        for list in lists {
            payload.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
            payload.extend(list.as_bytes());
        }
        let mut packet = vec![4];
        packet.extend(payload);
        packet.extend([0; 4]);
        packet
    }

    const LISTED: [&str; 6] =
        ["curve25519-sha256", "ssh-ed25519,ssh-rsa", "aes256-ctr", "aes128-cbc,aes256-ctr", "hmac-sha1", ""];

    async fn serve(words: Vec<u8>) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(&words).await.unwrap();
            // Held until the client goes.
            drop(stream.read_to_end(&mut Vec::new()).await);
        });
        address
    }

    #[tokio::test]
    async fn weak_algorithms_of_a_server_are_named() {
        let mut words = b"some words\r\nSSH-2.0-Fake\r\n".to_vec();
        let packet = packet(&LISTED);
        words.extend(u32::try_from(packet.len()).unwrap().to_be_bytes());
        words.extend(packet);
        let address = serve(words).await;
        let verdict = algorithms(address, &Promises::default()).await;
        assert_eq!(
            verdict.detail,
            "SSH-011 (low): weak algorithms are offered: ssh-rsa, aes128-cbc, hmac-sha1"
        );
    }

    #[tokio::test]
    async fn real_server_with_good_algorithms_passes() {
        let server = FakeServer::start(Behaviour::default()).await;
        let verdict = algorithms(server.address(), &Promises::default()).await;
        assert_eq!(verdict.seen.len(), 1);
        assert!(!matches!(verdict.seen[0].1, Seen::Unknown(_)), "{}", verdict.detail);
    }

    #[tokio::test]
    async fn server_that_is_none_is_no_pass() {
        for words in
            [&b""[..], b"SSH-2.0-x\r\n\xff\xff\xff\xff", b"SSH-2.0-x\r\n\0\0\0\x02\0\0", &[b'x'; 400]]
        {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let address = listener.local_addr().unwrap();
            let words = words.to_vec();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(&words).await.unwrap();
            });
            let verdict = algorithms(address, &Promises::default()).await;
            assert!(matches!(verdict.seen[0].1, Seen::Unknown(_)), "{}", verdict.detail);
        }
    }

    #[tokio::test]
    async fn users_are_treated_alike_or_that_is_told() {
        let server = FakeServer::start(Behaviour::default()).await;
        let verdict = methods(&server.target(), "ec2-user").await;
        assert_eq!(verdict.outcome, CheckOutcome::Pass, "{}", verdict.detail);
        let open = Behaviour { open_account: Some(UNKNOWN_USER), ..Behaviour::default() };
        let server = FakeServer::start(open).await;
        assert_eq!(methods(&server.target(), "ec2-user").await.outcome, CheckOutcome::Fail);
        let asking = Behaviour { asks: Some(MethodKind::Password), ..Behaviour::default() };
        let server = FakeServer::start(asking).await;
        let verdict = methods(&server.target(), "ec2-user").await;
        assert!(verdict.detail.contains("is asked for a password"), "{}", verdict.detail);
    }

    proptest! {
        #[test]
        fn any_packet_is_survived(bytes: Vec<u8>, cut in 0..200_usize) {
            parse(&bytes);
            let whole = packet(&LISTED);
            parse(&whole[..cut.min(whole.len())]);
        }
    }
}
