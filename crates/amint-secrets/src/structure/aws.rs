//! Ids of AWS: four letters that tell the type, then 16 characters of base32
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>).

use crate::engine::{begins_apart, ends_apart};
use crate::kind::{Hit, Window};

const ID_BYTES: usize = 20;
const PREFIX_BYTES: usize = 4;
const ACCOUNT_MASK: u64 = 0x7FFF_FFFF_FF80;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The id of an access key, with the account that it belongs to.
pub(crate) fn key_id(window: &Window<'_>) -> Option<Hit> {
    let (mut hit, id) = id(window)?;
    hit.note = account(id).map(|account| format!("of account {account:012}"));
    Some(hit)
}

/// The id of something else than a key.
pub(crate) fn unique_id(window: &Window<'_>) -> Option<Hit> {
    id(window).map(|(hit, _)| hit)
}

fn id<'a>(window: &Window<'a>) -> Option<(Hit, &'a [u8])> {
    let end = window.at.checked_add(ID_BYTES)?;
    let id = window.bytes.get(window.at..end)?;
    // Manuals end theirs in `EXAMPLE`, which is base32 too.
    let is_id = id.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_key =
        is_id && (id.iter().skip(PREFIX_BYTES).all(|byte| BASE32.contains(byte)) || id.ends_with(b"EXAMPLE"));
    if !is_key || !begins_apart(window.bytes, window.at) || !ends_apart(window.bytes, end) {
        return None;
    }
    let shown = String::from_utf8_lossy(id.get(..PREFIX_BYTES)?).into_owned();
    Some((Hit { start: window.at, end, shown, ..Hit::default() }, id))
}

/// The account number is in the first bits behind the prefix, in ids of today's form (they begin with a letter after `I`).
fn account(id: &[u8]) -> Option<u64> {
    let digits = id.get(PREFIX_BYTES..PREFIX_BYTES + 10)?;
    let mut bits = 0_u64;
    for digit in digits {
        let value = BASE32.iter().position(|known| known == digit)?;
        bits = bits << 5 | value as u64;
    }
    // 50 bits: the account is in the 48 first of them.
    let account = ((bits >> 2) & ACCOUNT_MASK) >> 7;
    (*digits.first()? >= b'Q' || digits.first()?.is_ascii_digit())
        .then_some(account)
        .filter(|account| *account < 1_000_000_000_000)
}
