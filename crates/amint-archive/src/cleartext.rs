//! Texts with a signature inside (RFC 9580, section 7): which bytes are signed, and by what.
//!
//! Deliberately narrower than the format: nothing may stand before or after, `Hash` is the only header, and every line
//! of the text that begins with a dash must be escaped. What another reader could take for text is either signed or
//! refused.

/// Longest `InRelease` and `Release` that are read.
pub(crate) const RELEASE_BYTES_MAX: usize = 16 * 1024 * 1024;

const BEGIN_MESSAGE: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";
pub(crate) const BEGIN_SIGNATURE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";
pub(crate) const END_SIGNATURE: &[u8] = b"-----END PGP SIGNATURE-----";

/// A text and the signature that stood below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleartext {
    /// The text that is signed, lines ended by `\n` but for the last: unescaped, without white space at line ends.
    pub text: Vec<u8>,
    /// The armoured signatures.
    pub armour: Vec<u8>,
}

/// A file is no text with a signature inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CleartextError {
    /// There is no signature at all.
    #[error("it has no signature")]
    NotSigned,
    /// Text stands before or after what is signed.
    #[error("line {line} stands outside of what is signed")]
    Outside {
        /// The line, from 1.
        line: usize,
    },
    /// The file ends early, or has a line that must not be there.
    #[error("line {line} {problem}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The file is longer than any Release can be.
    #[error("it is longer than {} MiB", RELEASE_BYTES_MAX / 1024 / 1024)]
    TooLong,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Start,
    Headers,
    Text,
    Signature,
    End,
}

impl Cleartext {
    /// Takes a file apart.
    pub fn split(bytes: &[u8]) -> Result<Self, CleartextError> {
        if bytes.len() > RELEASE_BYTES_MAX {
            return Err(CleartextError::TooLong);
        }
        let mut part = Part::Start;
        let mut text = Vec::with_capacity(bytes.len());
        let mut armour = Vec::new();
        let mut is_first = true;
        let mut line = 0;
        for whole in bytes.split_inclusive(|byte| *byte == b'\n') {
            line += 1;
            let content = trim_end(whole);
            let malformed = |problem| Err(CleartextError::Malformed { line, problem });
            part = match part {
                Part::Start if content == BEGIN_MESSAGE => Part::Headers,
                Part::Start if has_message(bytes) => return Err(CleartextError::Outside { line }),
                Part::Start => return Err(CleartextError::NotSigned),
                Part::Headers if content.is_empty() => Part::Text,
                Part::Headers if is_hash_header(content) => Part::Headers,
                Part::Headers => return malformed("is no header of a signed message"),
                Part::Text if content == BEGIN_SIGNATURE => {
                    push_line(&mut armour, content);
                    Part::Signature
                }
                Part::Text => {
                    let unescaped = match content {
                        [b'-', b' ', rest @ ..] => rest,
                        // Only white space followed the escaped dash's space.
                        [b'-'] if whole.starts_with(b"- ") => b"",
                        [b'-', ..] => return malformed("begins with a dash that is not escaped"),
                        other => other,
                    };
                    if unescaped.iter().any(|byte| *byte < b' ' && *byte != b'\t') {
                        return malformed("has a control character");
                    }
                    if !std::mem::take(&mut is_first) {
                        text.push(b'\n');
                    }
                    text.extend_from_slice(unescaped);
                    Part::Text
                }
                Part::Signature => {
                    push_line(&mut armour, content);
                    if content == END_SIGNATURE { Part::End } else { Part::Signature }
                }
                Part::End if content.is_empty() => Part::End,
                Part::End => return Err(CleartextError::Outside { line }),
            };
        }
        match part {
            Part::End => Ok(Self { text, armour }),
            Part::Start | Part::Text => Err(CleartextError::NotSigned),
            _ => Err(CleartextError::Malformed { line: line + 1, problem: "is missing" }),
        }
    }

    /// Returns the bytes that the signature is made over: lines ended by CR and LF, but for the last.
    pub fn canonical(&self) -> Vec<u8> {
        let mut canonical = Vec::with_capacity(self.text.len() + self.text.len() / 32);
        for byte in &self.text {
            if *byte == b'\n' {
                canonical.push(b'\r');
            }
            canonical.push(*byte);
        }
        canonical
    }
}

fn push_line(armour: &mut Vec<u8>, line: &[u8]) {
    armour.extend_from_slice(line);
    armour.push(b'\n');
}

fn has_message(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').any(|line| trim_end(line) == BEGIN_MESSAGE)
}

/// Removes white space at the end of a line, which no signature covers.
fn trim_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    end.map_or(&[], |end| &line[..=end])
}

fn is_hash_header(line: &[u8]) -> bool {
    line.strip_prefix(b"Hash: ").is_some_and(|names| {
        names.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b',' | b' '))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n";

    fn split(text: &str) -> Result<Cleartext, CleartextError> {
        Cleartext::split(text.replace("@@", SIGNATURE).as_bytes())
    }

    #[test]
    fn gives_the_signed_text_unescaped_and_without_trailing_space() {
        let text = "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA512, SHA256\n\na: b  \t\r\n- - c\n\n- -----x\n- \n\n@@\n \n";
        let found = split(text).unwrap();
        assert_eq!(found.text, b"a: b\n- c\n\n-----x\n\n");
        assert_eq!(found.canonical(), b"a: b\r\n- c\r\n\r\n-----x\r\n\r\n");
        assert_eq!(found.armour, SIGNATURE.as_bytes());
    }

    #[test]
    fn refuses_text_outside_of_what_is_signed() {
        let good = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\na: b\n@@";
        assert!(split(good).is_ok());
        let before = split(&format!("x: y\n{good}")).unwrap_err();
        assert_eq!(before, CleartextError::Outside { line: 1 });
        let after = split(&format!("{good}\nx: y\n")).unwrap_err();
        assert!(matches!(after, CleartextError::Outside { line: 10 }), "{after}");
        let twice = split(&format!("{good}{good}")).unwrap_err();
        assert!(matches!(twice, CleartextError::Outside { .. }), "{twice}");
    }

    #[test]
    fn refuses_what_readers_could_disagree_on() {
        for (text, problem) in [
            ("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\nPackage: x\n\na: b\n@@", "header"),
            ("-----BEGIN PGP SIGNED MESSAGE-----\n\n-a: b\n@@", "dash"),
            ("-----BEGIN PGP SIGNED MESSAGE-----\n\na: b\rc: d\n@@", "control"),
            ("-----BEGIN PGP SIGNED MESSAGE-----\n\na: b\n-----BEGIN PGP SIGNATURE-----\n", "missing"),
        ] {
            let error = split(text).unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
        assert_eq!(split("Origin: Debian\n").unwrap_err(), CleartextError::NotSigned);
        assert_eq!(
            split("-----BEGIN PGP SIGNED MESSAGE-----\n\na: b\n").unwrap_err(),
            CleartextError::NotSigned
        );
        assert_eq!(split("").unwrap_err(), CleartextError::NotSigned);
        assert_eq!(
            Cleartext::split(&vec![b'a'; RELEASE_BYTES_MAX + 1]).unwrap_err(),
            CleartextError::TooLong
        );
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = Cleartext::split(&bytes);
        }

        #[test]
        fn never_panics_inside_of_a_message(
            lines in proptest::collection::vec("(-----(BEGIN|END) PGP (SIGNATURE|SIGNED MESSAGE)-----|Hash: [A-Z]*|- .{0,4}|-|)\r?", 0..12)
        ) {
            let text = format!("-----BEGIN PGP SIGNED MESSAGE-----\n{}", lines.join("\n"));
            if let Ok(found) = Cleartext::split(text.as_bytes()) {
                prop_assert!(!found.text.contains(&b'\r'));
            }
        }
    }
}
