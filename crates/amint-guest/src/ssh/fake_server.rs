//! An SSH server within the test's process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::keys::{PrivateKey, PublicKey};
use russh::server::{self, Auth, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::ssh::Target;

/// How the server treats who knocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    /// The keys that are let in, as lines of `authorized_keys`.
    pub(crate) keys: Vec<String>,
    /// What is run in place of any command: nothing but these words.
    pub(crate) forced: Option<&'static str>,
    /// A method offered beside keys.
    pub(crate) asks: Option<MethodKind>,
    /// Whether passwords work, offered or not.
    pub(crate) takes_passwords: bool,
    /// An account without any protection.
    pub(crate) open_account: Option<&'static str>,
}

/// A running server; it ends with this value.
pub(crate) struct FakeServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Makes a host key out of one number.
pub(crate) fn host_key(seed: u8) -> PrivateKey {
    PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[seed; 32])), "").unwrap()
}

impl FakeServer {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        Self::start_with_host_keys(behaviour, vec![1]).await
    }

    /// Starts a server that shows another of `seeds`' host keys at each connection; the last one stays.
    pub(crate) async fn start_with_host_keys(behaviour: Behaviour, seeds: Vec<u8>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut connections = 0;
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let seed = seeds[connections.min(seeds.len() - 1)];
                connections += 1;
                let mut methods = MethodSet::empty();
                methods.push(MethodKind::PublicKey);
                if let Some(method) = behaviour.asks {
                    methods.push(method);
                }
                let config = server::Config {
                    methods,
                    auth_rejection_time: Duration::ZERO,
                    keys: vec![host_key(seed)],
                    ..server::Config::default()
                };
                let handler = Handler(behaviour.clone());
                tokio::spawn(async move {
                    if let Ok(session) = server::run_stream(Arc::new(config), stream, handler).await {
                        drop(session.await);
                    }
                });
            }
        });
        Self { address, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn target(&self) -> Target {
        Target::new(self.address)
    }
}

struct Handler(Behaviour);

impl server::Handler for Handler {
    type Error = russh::Error;

    async fn auth_none(&mut self, user: &str) -> Result<Auth, Self::Error> {
        Ok(if self.0.open_account == Some(user) { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_password(&mut self, _user: &str, _password: &str) -> Result<Auth, Self::Error> {
        Ok(if self.0.takes_passwords { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, _user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let is_known = self.0.keys.iter().any(|line| {
            PublicKey::from_openssh(line).is_ok_and(|known| known.key_data() == key.public_key.key_data())
        });
        Ok(if is_known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: server::ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        let (code, stdout, stderr) = if let Some(words) = self.0.forced {
            (142, words.as_bytes().to_vec(), Vec::new())
        } else {
            let command = String::from_utf8_lossy(command).into_owned();
            let output = Command::new("/bin/sh").args(["-c", &command]).output().await?;
            (output.status.code().unwrap_or(255), output.stdout, output.stderr)
        };
        session.data(channel, stdout)?;
        session.extended_data(channel, 1, stderr)?;
        session.exit_status_request(channel, u32::try_from(code).unwrap_or(255))?;
        session.eof(channel)?;
        session.close(channel)
    }
}
