//! Makes values of a form at run time, so that nothing that looks like a secret stands in the repository.

use amint_secrets::{Limits, Looked, Scanner, SecretFinding, scan_source};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Random numbers that are the same in each run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_le_bytes()[4]
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    pub(crate) fn of(&mut self, set: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(set[usize::from(self.byte()) % set.len()])).collect()
    }
}

/// Fills a form: `{a36}` stands for 36 letters and digits, and so on; see the table in the function.
pub(crate) fn fill(form: &str, random: &mut Random) -> String {
    let mut text = String::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((inner, behind)) = after.split_once('}').filter(|(inner, _)| {
            inner.len() > 1 && inner.is_ascii() && inner[1..].bytes().all(|byte| byte.is_ascii_digit())
        }) else {
            text.push_str(before);
            text.push('{');
            rest = after;
            continue;
        };
        text.push_str(before);
        text.push_str(&piece(&inner[..1], inner[1..].parse().unwrap(), random));
        rest = behind;
    }
    text + rest
}

fn piece(set: &str, count: usize, random: &mut Random) -> String {
    const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let set: &[u8] = match set {
        "a" => ALNUM,
        "h" => b"0123456789abcdef",
        "H" => b"0123456789ABCDEF",
        "l" => b"abcdefghijklmnopqrstuvwxyz0123456789",
        "u" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "A" => &ALNUM[..52],
        "d" => b"1234567890",
        "3" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "5" => b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
        "8" => b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
        "p" => b"abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789!+-=",
        "E" => {
            let bytes = random.bytes(count);
            return STANDARD.encode(bytes);
        }
        "g" => {
            let mut part = |count| random.of(b"0123456789abcdef", count);
            return format!("{}-{}-4{}-a{}-{}", part(8), part(4), part(3), part(3), part(12));
        }
        "J" => {
            let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
            let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"{}"}}"#, random.of(ALNUM, 8)));
            return format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(random.bytes(count)));
        }
        other => panic!("unknown set {other}"),
    };
    random.of(set, count)
}

/// What the engine tells about bytes, in one push.
pub(crate) fn scan(path: &str, bytes: &[u8]) -> (Vec<SecretFinding>, Looked) {
    let mut found = Vec::new();
    let mut scanner = Scanner::new(path, &Limits::default());
    scanner.push(bytes, &mut |finding| found.push(finding));
    let looked = scanner.finish(&mut |finding| found.push(finding));
    (found, looked)
}

/// The same through [`scan_source`], which unpacks.
pub(crate) fn scan_file(path: &str, bytes: &[u8], limits: &Limits) -> (Vec<SecretFinding>, Looked) {
    let mut found = Vec::new();
    let looked = scan_source(path, bytes_of(bytes), limits, &mut |finding| found.push(finding)).unwrap();
    (found, looked)
}

fn bytes_of(bytes: &[u8]) -> &dyn amint_types::ReadAt {
    // A slice is no sized type; a reference to one is, and reads the same.
    Box::leak(Box::new(bytes.to_vec()))
}

pub(crate) fn kinds_of(found: &[SecretFinding]) -> Vec<&'static str> {
    found.iter().map(|finding| finding.kind).collect()
}

/// A PEM key of PKCS #1 with random numbers.
pub(crate) fn rsa_pem(random: &mut Random) -> String {
    armour("RSA PRIVATE KEY", &rsa_der(random))
}

pub(crate) fn armour(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let dashes = "-".repeat(5);
    format!("{dashes}BEGIN {label}{dashes}\n{}\n{dashes}END {label}{dashes}\n", lines.join("\n"))
}

/// One element of DER.
pub(crate) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match content.len() {
        short @ 0..128 => bytes.push(u8::try_from(short).unwrap()),
        middle @ 128..256 => bytes.extend([0x81, u8::try_from(middle).unwrap()]),
        long => {
            bytes.push(0x82);
            bytes.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    bytes.extend(content);
    bytes
}

/// The structure of PKCS #1 with random numbers: no key that opens anything.
pub(crate) fn rsa_der(random: &mut Random) -> Vec<u8> {
    let mut number = |count: usize| {
        let mut bytes = random.bytes(count);
        bytes[0] |= 0x80;
        bytes[count - 1] |= 1;
        bytes.insert(0, 0);
        der(2, &bytes)
    };
    let mut content = der(2, &[0]);
    content.extend(number(256));
    content.extend(der(2, &[1, 0, 1]));
    for count in [256, 128, 128, 128, 128, 128] {
        content.extend(number(count));
    }
    der(0x30, &content)
}
