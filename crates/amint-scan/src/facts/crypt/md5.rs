//! md5crypt, as Poul-Henning Kamp's `crypt(3)` made it: a thousand rounds of MD5.

use md5::{Digest, Md5};

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ROUNDS: usize = 1000;
const SALT_BYTES_MAX: usize = 8;

/// Tells whether a word belongs to `salt$hash`.
pub(super) fn is_password(rest: &str, word: &str) -> Option<bool> {
    let (salt, hash) = rest.split_once('$')?;
    let salt = salt.as_bytes();
    let salt = &salt[..salt.len().min(SALT_BYTES_MAX)];
    Some(encode(&digest(word.as_bytes(), salt)) == hash)
}

fn digest(word: &[u8], salt: &[u8]) -> [u8; 16] {
    let inner: [u8; 16] =
        Md5::new().chain_update(word).chain_update(salt).chain_update(word).finalize().into();
    let mut first = Md5::new().chain_update(word).chain_update(b"$1$").chain_update(salt);
    for start in (0..word.len()).step_by(16) {
        first.update(&inner[..(word.len() - start).min(16)]);
    }
    let mut bits = word.len();
    while bits > 0 {
        // A slip of the first implementation that all others have kept.
        first.update(if bits & 1 == 1 { &[0][..] } else { &word[..1] });
        bits >>= 1;
    }
    let mut last: [u8; 16] = first.finalize().into();
    for round in 0..ROUNDS {
        let mut next = Md5::new();
        next.update(if round & 1 == 1 { word } else { &last });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(word);
        }
        next.update(if round & 1 == 1 { &last } else { word });
        last = next.finalize().into();
    }
    last
}

fn encode(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(22);
    let mut push = |value: u32, letters: u32| {
        for index in 0..letters {
            text.push(char::from(ALPHABET[(value >> (6 * index)) as usize & 63]));
        }
    };
    for [high, middle, low] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        let value = u32::from(bytes[high]) << 16 | u32::from(bytes[middle]) << 8 | u32::from(bytes[low]);
        push(value, 4);
    }
    push(u32::from(bytes[11]), 2);
    text
}
