//! Text from C and to C.

use std::ffi::{CStr, c_char};

/// Longer than any text that is compared or any path.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Reads a text; `None` for a null pointer, for what is no UTF-8 and for what is too long.
///
/// # Safety
///
/// `text` is null or points to bytes that end with a zero and stay as they are during `'a`.
pub(crate) unsafe fn read<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller promises a string that ends with a zero.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().ok().filter(|text| text.len() <= TEXT_BYTES_MAX)
}

/// Reads bytes; `None` for a null pointer.
///
/// # Safety
///
/// `bytes` is null or points to `length` bytes that stay as they are during `'a`.
pub(crate) unsafe fn bytes<'a>(bytes: *const u8, length: usize) -> Option<&'a [u8]> {
    if bytes.is_null() || isize::try_from(length).is_err() {
        return None;
    }
    // SAFETY: the caller promises `length` bytes; a slice may not be longer than isize::MAX, which was checked.
    Some(unsafe { std::slice::from_raw_parts(bytes, length) })
}

/// Writes a text with a zero at its end, cut between characters where it does not fit.
///
/// # Safety
///
/// `target` is null or points to `capacity` bytes that may be written.
pub(crate) unsafe fn write(text: &str, target: *mut c_char, capacity: usize) {
    if target.is_null() || capacity == 0 {
        return;
    }
    let mut length = text.len().min(capacity - 1);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    // SAFETY: the caller promises `capacity` bytes; `length` is less. Text of Rust and the target do not overlap,
    // because nothing of Rust is at an address that the caller may write to.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), target.cast::<u8>(), length);
        *target.add(length) = 0;
    }
}
