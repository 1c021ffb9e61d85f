//! Trying a few words against a password hash.
//!
//! Knows the forms of md5crypt, sha256crypt, sha512crypt, bcrypt and yescrypt. DES and the other old forms are
//! not tried: they are weak whatever the word is. The work of one try is bounded.

mod md5;

use sha_crypt::PasswordVerifier;

/// The most rounds of sha256crypt and sha512crypt that are tried; the usual number is 5000.
const SHA_ROUNDS_MAX: u32 = 100_000;
/// The highest cost of bcrypt that is tried.
const BCRYPT_COST_MAX: u32 = 12;

/// Tells whether a word is the password of a hash; none when hashes of this form are not tried.
pub(crate) fn is_password(hash: &str, word: &str) -> Option<bool> {
    let (kind, rest) = hash.strip_prefix('$')?.split_once('$')?;
    match kind {
        "1" => md5::is_password(rest, word),
        "5" | "6" => {
            let rounds = rest.strip_prefix("rounds=").and_then(|rest| rest.split('$').next());
            let is_bearable = rounds
                .is_none_or(|rounds| rounds.parse::<u32>().is_ok_and(|rounds| rounds <= SHA_ROUNDS_MAX));
            is_bearable.then(|| sha_crypt::ShaCrypt::default().verify_password(word.as_bytes(), hash).is_ok())
        }
        "2a" | "2b" | "2x" | "2y" => {
            let cost: u32 = rest.split('$').next()?.parse().ok()?;
            if cost > BCRYPT_COST_MAX {
                return None;
            }
            bcrypt::verify(word, hash).ok()
        }
        "y" => {
            // The two letters behind `j` say how much memory is taken; `j9T` is what distributions use.
            let params = rest.split('$').next()?;
            if !matches!(params.get(..2)?, "j5" | "j6" | "j7" | "j8" | "j9") {
                return None;
            }
            Some(yescrypt::Yescrypt::default().verify_password(word.as_bytes(), hash).is_ok())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_tells_the_right_word_from_a_wrong_one() {
        // Made with crypt(3) of Debian from the word `password`.
        for hash in HASHES {
            assert_eq!(is_password(hash, "password"), Some(true), "{hash}");
            assert_eq!(is_password(hash, "passwort"), Some(false), "{hash}");
        }
        assert_eq!(is_password("abJnggxhB/yWI", "password"), None);
        assert_eq!(is_password("$2b$31$aaaaaaaaaaaaaaaaaaaaaa", "password"), None);
        assert_eq!(is_password("$6$rounds=999999999$a$b", "password"), None);
        assert_eq!(is_password("$6$", ""), Some(false));
    }

    const HASHES: [&str; 6] = [
        "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
        "$5$saltsalt$gOjOtoMpVhru2uyjeJSEc/JaLQWOXMNmlOnj6T4AtC.",
        "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/",
        "$6$rounds=1000$saltsalt$Z/J9iYO1iE9xnr8JPQL57ZWsVRtVjrUv3CiWc/wKWseqXgSqn3HFYJ/Ng7YXa8XlLj.wpdAwHOJJzuGFqBBRa0",
        "$2b$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm",
        "$y$j75$saltsalt$eWasoMp7uF0.AeHT3DZ8Zkum32fPmPJWiMVRQdwiBb4",
    ];
}
