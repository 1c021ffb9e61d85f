//! Numbers of any length, and the bits of text around them.

use std::cmp::Ordering;

/// Compares two runs of digits as numbers.
pub(super) fn compare_digits(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Tells whether the text is a number: at least one digit and nothing else.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Tells whether a run of digits is zero; the empty run is.
pub(super) fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|byte| byte == b'0')
}

/// Splits the longest start off whose bytes are all accepted. Only ASCII may be accepted.
pub(super) fn take_while(text: &str, accepts: impl Fn(u8) -> bool) -> (&str, &str) {
    let length = text.bytes().take_while(|byte| byte.is_ascii() && accepts(*byte)).count();
    text.split_at_checked(length).unwrap_or((text, ""))
}

/// Compares two sequences item by item; an item that is missing is `filler`.
pub(super) fn compare_padded<T: Copy>(
    left: &[T],
    right: &[T],
    filler: T,
    compare: impl Fn(T, T) -> Ordering,
) -> Ordering {
    let count = left.len().max(right.len());
    (0..count)
        .map(|index| {
            let item = |items: &[T]| items.get(index).copied().unwrap_or(filler);
            compare(item(left), item(right))
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}
