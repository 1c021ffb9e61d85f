//! The SSH client of the checks.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{self, AuthResult, Handle};
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use russh::{ChannelMsg, Disconnect, MethodKind};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::ssh::LoginKeyPair;

/// How long a key exchange may take. Under software emulation, on a busy computer, it takes seconds.
const HANDSHAKE_TIME: Duration = Duration::from_secs(90);
/// How long one authentication may take: PAM, DNS time-outs of the server, …
const AUTHENTICATION_TIME: Duration = Duration::from_secs(90);
/// What a command writes beyond this is dropped.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// Why SSH did not do what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SshError {
    /// Nobody listens yet, or the user-mode network took the connection and dropped it.
    #[error("no SSH server answers")]
    NotListening(#[source] io::Error),
    /// The server speaks, and something went wrong.
    #[error("SSH fails: {0}")]
    Protocol(#[from] russh::Error),
    /// The server shows another host key than before.
    #[error("the server shows another host key than before")]
    HostKeyChanged,
    /// The login was refused.
    #[error("`{user}` is refused; the server offers {}", offered(methods))]
    Refused {
        /// Who.
        user: String,
        /// What the server would take in place of it.
        methods: Vec<MethodKind>,
    },
    /// It took too long.
    #[error("{0} took too long")]
    Slow(&'static str),
}

/// Writes a list of authentication methods.
pub(crate) fn offered(methods: &[MethodKind]) -> String {
    if methods.is_empty() {
        return "nothing else".to_owned();
    }
    let names: Vec<&str> = methods.iter().map(Into::into).collect();
    names.join(", ")
}

/// An SSH server of one guest; remembers the host key that it showed first.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    address: SocketAddr,
    host_key: Arc<Mutex<Option<PublicKey>>>,
}

/// What a command did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// The exit code; none when a signal or the end of the connection stopped the command.
    pub(crate) exit_code: Option<u32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Output {
    /// Tells whether the command ended well.
    pub(crate) fn is_success(&self) -> bool {
        self.exit_code == Some(0)
    }
}

/// A connection on which somebody is logged in, or not yet.
pub(crate) struct Session(Handle<Listener>);

struct Listener {
    host_key: Arc<Mutex<Option<PublicKey>>>,
    is_changed: Arc<Mutex<bool>>,
}

impl client::Handler for Listener {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else { return Ok(false) };
        let mut known = self.host_key.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = known.get_or_insert_with(|| key.clone()).key_data() == key.key_data();
        *self.is_changed.lock().unwrap_or_else(PoisonError::into_inner) = !is_same;
        Ok(is_same)
    }
}

impl Target {
    /// Describes the server at `address`, whose host key is not known yet.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, host_key: Arc::default() }
    }

    /// Returns where the server is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the host key that the server showed.
    pub(crate) fn host_key(&self) -> Option<PublicKey> {
        self.host_key.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the host key: the next one is taken for the right one.
    pub(crate) fn forget_host_key(&self) {
        *self.host_key.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Waits at most `patience` for the server's first words. QEMU's network takes connections for ports where
    /// nobody listens yet; only words tell that somebody does.
    async fn greet(&self, patience: Duration) -> Result<TcpStream, SshError> {
        let not_listening = SshError::NotListening;
        let wait = async {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            match stream.peek(&mut [0; 1]).await? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(stream),
            }
        };
        timeout(patience, wait).await.map_err(|_| SshError::Slow("the greeting"))?.map_err(not_listening)
    }

    /// Connects and exchanges keys; nobody is logged in yet.
    pub(crate) async fn connect(&self, greeting_time: Duration) -> Result<Session, SshError> {
        let stream = self.greet(greeting_time).await?;
        let is_changed = Arc::new(Mutex::new(false));
        let listener = Listener { host_key: Arc::clone(&self.host_key), is_changed: Arc::clone(&is_changed) };
        let config = Arc::new(client::Config { nodelay: true, ..client::Config::default() });
        let outcome = timeout(HANDSHAKE_TIME, client::connect_stream(config, stream, listener))
            .await
            .map_err(|_| SshError::Slow("the key exchange"))?;
        match outcome {
            Ok(handle) => Ok(Session(handle)),
            Err(_) if *is_changed.lock().unwrap_or_else(PoisonError::into_inner) => {
                Err(SshError::HostKeyChanged)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Connects and logs in as `user` with `key`.
    pub(crate) async fn login(
        &self,
        user: &str,
        key: &LoginKeyPair,
        greeting_time: Duration,
    ) -> Result<Session, SshError> {
        let mut session = self.connect(greeting_time).await?;
        match session.authenticate_key(user, key).await? {
            AuthResult::Success => Ok(session),
            AuthResult::Failure { remaining_methods, .. } => {
                session.close().await;
                Err(SshError::Refused { user: user.to_owned(), methods: remaining_methods.to_vec() })
            }
        }
    }
}

impl Session {
    /// Tries a key.
    pub(crate) async fn authenticate_key(
        &mut self,
        user: &str,
        key: &LoginKeyPair,
    ) -> Result<AuthResult, SshError> {
        let attempt = self.0.authenticate_publickey(user, key.for_login());
        Ok(timeout(AUTHENTICATION_TIME, attempt).await.map_err(|_| SshError::Slow("the login"))??)
    }

    /// Asks to be let in without anything; the refusal names the methods that the server offers.
    pub(crate) async fn authenticate_none(&mut self, user: &str) -> Result<AuthResult, SshError> {
        let attempt = self.0.authenticate_none(user);
        Ok(timeout(AUTHENTICATION_TIME, attempt).await.map_err(|_| SshError::Slow("the login"))??)
    }

    /// Tries a password.
    pub(crate) async fn authenticate_password(
        &mut self,
        user: &str,
        password: &str,
    ) -> Result<AuthResult, SshError> {
        let attempt = self.0.authenticate_password(user, password);
        Ok(timeout(AUTHENTICATION_TIME, attempt).await.map_err(|_| SshError::Slow("the login"))??)
    }

    /// Runs `command` in the user's login shell, for at most `patience`.
    pub(crate) async fn run(&self, command: &str, patience: Duration) -> Result<Output, SshError> {
        timeout(patience, self.run_patiently(command)).await.map_err(|_| SshError::Slow("the command"))?
    }

    async fn run_patiently(&self, command: &str) -> Result<Output, SshError> {
        let mut channel = self.0.channel_open_session().await?;
        channel.exec(true, command).await?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut exit_code = None;
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => append(&mut stdout, &data),
                ChannelMsg::ExtendedData { data, .. } => append(&mut stderr, &data),
                ChannelMsg::ExitStatus { exit_status } => exit_code = Some(exit_status),
                ChannelMsg::Failure => return Err(russh::Error::RequestDenied.into()),
                _ => {}
            }
        }
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Output { exit_code, stdout: text(stdout), stderr: text(stderr) })
    }

    /// Tells whether the connection is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Says goodbye.
    pub(crate) async fn close(&self) {
        // The other side may be gone already, which is just as well.
        drop(self.0.disconnect(Disconnect::ByApplication, "", "en").await);
    }
}

fn append(target: &mut Vec<u8>, data: &[u8]) {
    let space = OUTPUT_BYTES_MAX.saturating_sub(target.len());
    target.extend_from_slice(&data[..data.len().min(space)]);
}
