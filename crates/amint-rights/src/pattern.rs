//! Names with `*` for any text.

/// Tells whether a name fits a pattern; only `*` is special. Takes time of at most both lengths multiplied.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = name.split_once(part) else { return false };
        name = after;
    }
    name.ends_with(last)
}

/// Tells whether a name fits one of several patterns, and none of those that begin with `!`.
pub(crate) fn fits_any(patterns: &[&str], name: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(other) if fits(other, name) => return false,
            Some(_) => {}
            None => found = found || fits(pattern, name),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, name) in [
            ("a", "a"),
            ("*", ""),
            ("*", "x"),
            ("a*", "a"),
            ("a*c", "abc"),
            ("a*b*c", "a-b-c"),
            ("a**c", "ac"),
            ("*b", "ab"),
            ("*b*", "abc"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a", "ab"), ("a*", "ba"), ("a*c", "ab"), ("ab*b", "ab"), ("*b", "ba"), ("*b*a", "ab")]
        {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn takes_out_what_an_exclamation_mark_names() {
        assert!(fits_any(&["nvidia-*", "!nvidia-open*"], "nvidia-driver"));
        assert!(!fits_any(&["nvidia-*", "!nvidia-open*"], "nvidia-open-570"));
    }
}
