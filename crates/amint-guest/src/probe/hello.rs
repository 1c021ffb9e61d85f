//! Which versions and ciphers of TLS does a server take? Asked with hand-made hellos (RFC 5246, section 7.4.1.2),
//! because no library that is kept up offers what must be found here.

use std::io::Write;
use std::net::SocketAddr;

use crate::probe::exchange::{connect, listen};

/// A version, as the protocol writes it.
pub(crate) type Version = [u8; 2];

pub(crate) const SSL_3_0: Version = [3, 0];
pub(crate) const TLS_1_0: Version = [3, 1];
pub(crate) const TLS_1_1: Version = [3, 2];
pub(crate) const TLS_1_2: Version = [3, 3];

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const SERVER_HELLO: u8 = 2;
/// The longest record (RFC 5246, section 6.2.3), with its header.
const RECORD_BYTES_MAX: usize = 5 + 16_384 + 2048;

/// Ciphers that are in use, strong ones and the common old ones (IANA, "TLS Cipher Suites").
const USUAL: [u16; 20] = [
    0xc02f, 0xc030, 0xc02b, 0xc02c, 0xcca8, 0xcca9, 0xc027, 0xc028, 0xc023, 0xc024, 0xc013, 0xc014, 0xc009,
    0xc00a, 0x009c, 0x009d, 0x003c, 0x003d, 0x002f, 0x0035,
];
/// Ciphers that nobody should take: without encryption, without authentication, for export, RC4, DES and
/// Triple DES.
const WEAK: [(u16, &str); 20] = [
    (0x0001, "RSA_WITH_NULL_MD5"),
    (0x0002, "RSA_WITH_NULL_SHA"),
    (0x003b, "RSA_WITH_NULL_SHA256"),
    (0xc006, "ECDHE_ECDSA_WITH_NULL_SHA"),
    (0xc010, "ECDHE_RSA_WITH_NULL_SHA"),
    (0x0003, "RSA_EXPORT_WITH_RC4_40_MD5"),
    (0x0008, "RSA_EXPORT_WITH_DES40_CBC_SHA"),
    (0x0014, "DHE_RSA_EXPORT_WITH_DES40_CBC_SHA"),
    (0x0004, "RSA_WITH_RC4_128_MD5"),
    (0x0005, "RSA_WITH_RC4_128_SHA"),
    (0xc007, "ECDHE_ECDSA_WITH_RC4_128_SHA"),
    (0xc011, "ECDHE_RSA_WITH_RC4_128_SHA"),
    (0x0009, "RSA_WITH_DES_CBC_SHA"),
    (0x0015, "DHE_RSA_WITH_DES_CBC_SHA"),
    (0x000a, "RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0016, "DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0xc008, "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"),
    (0xc012, "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0034, "DH_anon_WITH_AES_128_CBC_SHA"),
    (0xc018, "ECDH_anon_WITH_AES_128_CBC_SHA"),
];

/// What a server said to a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It goes on with this version and cipher.
    Agreed(Version, u16),
    /// It speaks TLS and refuses.
    Refused,
    /// What it says is no TLS, or nothing.
    NotTls,
}

/// Sends a hello and reads the answer.
pub(crate) fn hello(address: SocketAddr, version: Version, ciphers: &[u16]) -> Answer {
    let Ok(mut stream) = connect(address) else { return Answer::NotTls };
    if stream.write_all(&client_hello(version, ciphers)).is_err() {
        return Answer::NotTls;
    }
    parse(&listen(&mut stream, is_enough))
}

/// Tells whether a server takes `version`, with any usual or weak cipher.
pub(crate) fn takes(address: SocketAddr, version: Version) -> bool {
    let ciphers: Vec<u16> = USUAL.iter().copied().chain(WEAK.iter().map(|(cipher, _)| *cipher)).collect();
    matches!(hello(address, version, &ciphers), Answer::Agreed(agreed, _) if agreed == version)
}

/// Tells whether a server speaks TLS at all; a refusal is an answer too.
pub(crate) fn is_tls(address: SocketAddr) -> bool {
    hello(address, TLS_1_2, &USUAL) != Answer::NotTls
}

/// Returns the weak ciphers that a server takes, in its own order.
pub(crate) fn weak_ciphers(address: SocketAddr, version: Version) -> Vec<&'static str> {
    let mut left: Vec<(u16, &str)> = WEAK.to_vec();
    let mut taken = Vec::new();
    while !left.is_empty() {
        let ciphers: Vec<u16> = left.iter().map(|(cipher, _)| *cipher).collect();
        let Answer::Agreed(_, cipher) = hello(address, version, &ciphers) else { break };
        // A server that agrees to what was not offered would be asked for ever.
        let Some(at) = left.iter().position(|(offered, _)| *offered == cipher) else { break };
        taken.push(left.remove(at).1);
    }
    taken
}

fn client_hello(version: Version, ciphers: &[u16]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([0x5a; 32]);
    body.push(0);
    let list: Vec<u8> = ciphers.iter().flat_map(|cipher| cipher.to_be_bytes()).collect();
    put(&mut body, &list);
    // No compression.
    body.extend([1, 0]);
    if version != SSL_3_0 {
        put(&mut body, &extensions());
    }
    let mut message = vec![1, 0];
    put(&mut message, &body);
    let mut record = vec![HANDSHAKE, 3, u8::from(version != SSL_3_0)];
    put(&mut record, &message);
    record
}

/// Groups, forms of points, signatures and secure renegotiation: what servers of today insist on.
fn extensions() -> Vec<u8> {
    let mut all = Vec::new();
    for (kind, content) in [
        (10_u16, &[0, 6, 0, 0x1d, 0, 0x17, 0, 0x18][..]),
        (11, &[1, 0]),
        (13, &[0, 14, 4, 3, 4, 1, 8, 4, 5, 1, 6, 1, 2, 1, 2, 3]),
        (0xff01, &[0]),
    ] {
        all.extend(kind.to_be_bytes());
        put(&mut all, content);
    }
    all
}

/// Appends `content` behind its length in two bytes.
fn put(target: &mut Vec<u8>, content: &[u8]) {
    target.extend(u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes());
    target.extend(content);
}

fn is_enough(bytes: &[u8]) -> bool {
    match bytes.first() {
        Some(&(HANDSHAKE | ALERT)) => {
            let Some(length) = bytes.get(3..5) else { return false };
            let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
            // The first 44 bytes of a hello say everything, wherever the record ends.
            bytes.len() >= (5 + length).min(RECORD_BYTES_MAX)
        }
        Some(_) => true,
        None => false,
    }
}

fn parse(bytes: &[u8]) -> Answer {
    read(bytes).unwrap_or(Answer::NotTls)
}

fn read(bytes: &[u8]) -> Option<Answer> {
    if *bytes.get(1)? != 3 {
        return None;
    }
    match *bytes.first()? {
        ALERT if bytes.len() >= 7 => Some(Answer::Refused),
        HANDSHAKE if *bytes.get(5)? == SERVER_HELLO => {
            let version = [*bytes.get(9)?, *bytes.get(10)?];
            let session = usize::from(*bytes.get(43)?);
            let cipher = [*bytes.get(44 + session)?, *bytes.get(45 + session)?];
            Some(Answer::Agreed(version, u16::from_be_bytes(cipher)))
        }
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use proptest::prelude::*;

    use super::*;

    /// A server that agrees to the highest of its versions that is not above the asked one, and to the first of
    /// its ciphers that is offered; otherwise it sends an alert. It serves until the test ends.
    pub(crate) fn fake(versions: &'static [Version], ciphers: &'static [u16]) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut header = [0; 5];
                if stream.read_exact(&mut header).is_err() {
                    continue;
                }
                let mut message = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
                stream.read_exact(&mut message).unwrap();
                let asked = [message[4], message[5]];
                let count = usize::from(u16::from_be_bytes([message[39], message[40]]));
                let offered: Vec<u16> = message[41..41 + count]
                    .chunks(2)
                    .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                    .collect();
                let version = versions.iter().filter(|version| **version <= asked).max();
                let cipher = ciphers.iter().find(|cipher| offered.contains(cipher));
                let answer = match (version, cipher) {
                    (Some(version), Some(cipher)) => {
                        let mut hello = vec![SERVER_HELLO, 0, 0, 38];
                        hello.extend(version);
                        hello.extend([1; 32]);
                        hello.push(0);
                        hello.extend(cipher.to_be_bytes());
                        hello.push(0);
                        let mut record = vec![HANDSHAKE, 3, 3];
                        put(&mut record, &hello);
                        record
                    }
                    _ => vec![ALERT, 3, 3, 0, 2, 2, 40],
                };
                stream.write_all(&answer).unwrap();
            }
        });
        address
    }

    #[test]
    fn old_versions_are_found_and_only_those_that_are_taken() {
        let address = fake(&[TLS_1_0, TLS_1_2], &[0xc02f, 0x002f]);
        assert!(is_tls(address));
        assert_eq!(
            [SSL_3_0, TLS_1_0, TLS_1_1, TLS_1_2].map(|version| takes(address, version)),
            [false, true, false, true]
        );
        assert_eq!(weak_ciphers(address, TLS_1_2), Vec::<&str>::new());
    }

    #[test]
    fn every_weak_cipher_is_named() {
        let address = fake(&[TLS_1_2], &[0x000a, 0xc011, 0xc02f]);
        assert_eq!(
            weak_ciphers(address, TLS_1_2),
            ["RSA_WITH_3DES_EDE_CBC_SHA", "ECDHE_RSA_WITH_RC4_128_SHA"]
        );
    }

    #[test]
    fn server_that_refuses_everything_speaks_tls_all_the_same() {
        let address = fake(&[], &[]);
        assert!(is_tls(address));
        assert!(!takes(address, TLS_1_2));
    }

    proptest! {
        #[test]
        fn any_answer_is_survived(mut bytes: Vec<u8>, kind in 20..24_u8) {
            parse(&bytes);
            is_enough(&bytes);
            bytes.splice(0..0, [kind, 3, 3, 0, 40, SERVER_HELLO]);
            parse(&bytes);
            is_enough(&bytes);
        }
    }
}
