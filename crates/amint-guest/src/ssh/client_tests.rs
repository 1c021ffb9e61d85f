//! The client against a server within this process.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::boot::{Guest, LoginWait};
use crate::ssh::fake_server::{Behaviour, FakeServer};
use crate::ssh::{LoginKeyPair, SshError, Target};

const PATIENCE: Duration = Duration::from_secs(20);

fn key_and_behaviour() -> (LoginKeyPair, Behaviour) {
    let key = LoginKeyPair::generate("test").unwrap();
    let keys = vec![key.public_line().unwrap()];
    (key, Behaviour { keys, ..Behaviour::default() })
}

#[tokio::test]
async fn command_is_run_and_its_end_is_told() {
    let (key, behaviour) = key_and_behaviour();
    let server = FakeServer::start(behaviour).await;
    let session = server.target().login("user", &key, PATIENCE).await.unwrap();
    let output = session.run("echo out; echo err >&2; exit 7", PATIENCE).await.unwrap();
    assert_eq!(
        (output.exit_code, output.stdout.as_str(), output.stderr.as_str()),
        (Some(7), "out\n", "err\n")
    );
}

#[tokio::test]
async fn script_reaches_the_shell_of_the_guest_unchanged() {
    let (key, behaviour) = key_and_behaviour();
    let server = FakeServer::start(behaviour).await;
    let session = server.target().login("user", &key, PATIENCE).await.unwrap();
    let guest = Guest::new(server.target(), "user", key, session);
    let output = guest.run("for word in \"it's\" '$HOME'; do\n echo \"<$word>\"\ndone").await.unwrap();
    assert_eq!(output.stdout, "<it's>\n<$HOME>\n");
}

#[tokio::test]
async fn refused_login_tells_what_the_server_offers() {
    let server = FakeServer::start(Behaviour::default()).await;
    let key = LoginKeyPair::generate("test").unwrap();
    let Err(error) = server.target().login("user", &key, PATIENCE).await else { panic!("let in") };
    assert_eq!(error.to_string(), "`user` is refused; the server offers publickey");
}

#[tokio::test]
async fn lost_connection_is_made_anew() {
    let (key, behaviour) = key_and_behaviour();
    let server = FakeServer::start(behaviour).await;
    let session = server.target().login("user", &key, PATIENCE).await.unwrap();
    let guest = Guest::new(server.target(), "user", key, session);
    guest.close().await;
    while !guest.is_closed() {
        tokio::task::yield_now().await;
    }
    assert_eq!(guest.run("echo again").await.unwrap().stdout, "again\n");
}

#[tokio::test]
async fn changed_host_key_is_noticed() {
    let (key, behaviour) = key_and_behaviour();
    let server = FakeServer::start_with_host_keys(behaviour, vec![1, 2]).await;
    let target = server.target();
    target.login("user", &key, PATIENCE).await.unwrap();
    let outcome = target.login("user", &key, PATIENCE).await;
    assert!(matches!(outcome, Err(SshError::HostKeyChanged)));
}

#[tokio::test]
async fn wait_for_login_survives_a_host_key_that_the_first_boot_replaces() {
    let (key, behaviour) = key_and_behaviour();
    let server = FakeServer::start_with_host_keys(behaviour, vec![1, 2]).await;
    let target = server.target();
    drop(target.connect(PATIENCE).await.unwrap());
    let wait = LoginWait::default();
    let session = wait.wait(&target, "user", &key).await;
    assert!(session.run("true", PATIENCE).await.unwrap().is_success());
    assert_eq!(wait.steps.get(), 1);
}

#[tokio::test]
async fn connection_that_is_taken_and_dropped_is_no_server() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let target = Target::new(listener.local_addr().unwrap());
    let dropping = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let outcome = target.connect(PATIENCE).await;
    assert!(matches!(outcome, Err(SshError::NotListening(_))));
    dropping.await.unwrap();
}

#[tokio::test]
async fn server_that_says_nothing_is_not_waited_for_for_ever() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let target = Target::new(listener.local_addr().unwrap());
    let outcome = target.connect(Duration::from_millis(50)).await;
    assert!(matches!(outcome, Err(SshError::Slow(_))));
}
