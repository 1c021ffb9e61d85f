//! Which names of protocols and ciphers are weak.

/// Returns the first protocol of a list of words that is no longer safe.
pub(super) fn weak_protocol<'text>(words: impl IntoIterator<Item = &'text str>) -> Option<&'text str> {
    words.into_iter().find(|word| {
        let bare = word.trim_start_matches(['+', '=', '>']).to_ascii_lowercase();
        ["sslv2", "sslv3", "tlsv1", "tlsv1.0", "tlsv1.1", "ssl3", "tls1.0", "tls1.1", "tlsv1_0", "tlsv1_1"]
            .contains(&bare.as_str())
    })
}

/// Returns the first part of a list of ciphers in the form of OpenSSL that lets weak ones in (`openssl-ciphers(1)`).
pub(super) fn weak_cipher(list: &str) -> Option<&str> {
    const WEAK: [&str; 14] = [
        "RC4", "3DES", "DES", "NULL", "eNULL", "aNULL", "EXPORT", "EXP", "MD5", "LOW", "ADH", "AECDH", "RC2",
        "IDEA",
    ];
    let parts: Vec<&str> =
        list.split([':', ',', ' ']).map(|part| part.trim_matches(['"', '\'', ';'])).collect();
    // `!X` takes X away for good, wherever it stands.
    let is_killed =
        |name: &str| parts.iter().any(|part| part.strip_prefix('!').is_some_and(|killed| killed == name));
    for part in parts.iter().filter(|part| !part.is_empty() && !part.starts_with(['!', '-', '@'])) {
        let bare = part.trim_start_matches('+');
        // `RSA+3DES` and `DES-CBC3-SHA` name several properties at once; `SECLEVEL` stands behind an at sign.
        let bare = bare.split('@').next().unwrap_or_default();
        let words: Vec<&str> = bare.split(['+', '-']).collect();
        let found = words.iter().find(|word| WEAK.contains(*word)).copied();
        if part.starts_with('+') && found.is_some() {
            // `+X` only moves what is there to the end.
            continue;
        }
        if found.is_some_and(|found| !is_killed(found) && !is_killed(bare)) || bare == "COMPLEMENTOFDEFAULT" {
            return Some(bare);
        }
        if bare == "ALL" && !is_killed("aNULL") {
            return Some(bare);
        }
    }
    let level = list.split("SECLEVEL=").nth(1).and_then(|rest| rest.chars().next());
    matches!(level, Some('0' | '1')).then(|| if level == Some('0') { "SECLEVEL=0" } else { "SECLEVEL=1" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_weak_ciphers_in_is_told_from_what_keeps_them_out() {
        for (list, expected) in [
            ("HIGH:!aNULL:!MD5", None),
            ("ECDHE+AESGCM:ECDHE-RSA-AES128-GCM-SHA256", None),
            ("ALL:!aNULL:!eNULL:!RC4", None),
            ("DEFAULT@SECLEVEL=2", None),
            ("DEFAULT:-RC4:!3DES", None),
            ("HIGH:RC4:!aNULL", Some("RC4")),
            ("RSA+3DES", Some("RSA+3DES")),
            ("ECDHE-RSA-DES-CBC3-SHA:HIGH", Some("ECDHE-RSA-DES-CBC3-SHA")),
            ("ALL", Some("ALL")),
            ("HIGH:3DES:!3DES", None),
            ("DEFAULT@SECLEVEL=0", Some("SECLEVEL=0")),
            ("DEFAULT:@SECLEVEL=1", Some("SECLEVEL=1")),
        ] {
            assert_eq!(weak_cipher(list), expected, "{list}");
        }
        assert_eq!(weak_protocol(["TLSv1.2", "TLSv1.3"]), None);
        assert_eq!(weak_protocol(["-all", "+TLSv1.1"]), Some("+TLSv1.1"));
        assert_eq!(weak_protocol([">=TLSv1"]), Some(">=TLSv1"));
        assert_eq!(weak_protocol(["all", "-SSLv3", "!TLSv1"]), None);
    }
}
