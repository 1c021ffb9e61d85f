//! Logging in to a guest and running commands there.

mod client;
#[cfg(test)]
mod client_tests;
mod key;

pub(crate) use client::{Output, Session, SshError, Target, offered};
pub(crate) use key::LoginKeyPair;

/// Quotes `text` as one word for a POSIX shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
pub(crate) mod fake_server;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_one_word_whatever_it_holds() {
        for text in ["", "a b", "it's", "$(reboot)", "`x`;\n|&", "''"] {
            let output = std::process::Command::new("/bin/sh")
                .args(["-c", &format!("printf %s {}", quoted(text))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
