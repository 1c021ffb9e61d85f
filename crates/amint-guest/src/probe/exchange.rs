//! One question to a service and its answer, with limits; over TLS where the service wants it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

/// How long a service may take to begin an answer.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 4 });
/// How long it may go on.
const ANSWER_TIME: Duration = Duration::from_secs(8);
/// What is read of one answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A service and how it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) is_tls: bool,
}

impl Service {
    /// Sends `question` and returns what comes until `is_enough` says so, silence or the end.
    pub(crate) fn ask(&self, question: &[u8], is_enough: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
        let stream = connect(self.address)?;
        if self.is_tls {
            let mut stream = StreamOwned::new(client()?, stream);
            stream.write_all(question)?;
            return Ok(listen(&mut stream, is_enough));
        }
        let mut stream = stream;
        stream.write_all(question)?;
        Ok(listen(&mut stream, is_enough))
    }

    /// Waits for a word, answers it, and returns all that came.
    pub(crate) fn converse(
        &self,
        is_enough: impl Fn(&[u8]) -> bool,
        reply: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
    ) -> io::Result<Vec<u8>> {
        let mut stream = connect(self.address)?;
        let mut words = listen(&mut stream, is_enough);
        if let Some(reply) = reply(&words) {
            stream.write_all(&reply)?;
            words = listen(&mut stream, |answer| !answer.is_empty());
        }
        Ok(words)
    }
}

/// Connects with limits.
pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads what comes; an error is the end.
pub(crate) fn listen(stream: &mut impl Read, is_enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let end = Instant::now() + ANSWER_TIME;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while answer.len() < ANSWER_BYTES_MAX && Instant::now() < end {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        }
        if is_enough(&answer) {
            break;
        }
    }
    answer
}

/// Makes a TLS client that looks at any certificate and believes none.
pub(crate) fn client() -> io::Result<ClientConnection> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(LookOnly(schemes)))
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").map_err(io::Error::other)?;
    ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)
}

/// Takes every certificate: what is sent over the connection is a question to a guest of our own, no secret.
#[derive(Debug)]
struct LookOnly(Vec<SignatureScheme>);

impl ServerCertVerifier for LookOnly {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
