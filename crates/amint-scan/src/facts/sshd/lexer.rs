//! Words of a line of `sshd_config`.

/// Splits a line into its keyword, in lower case, and its arguments; none for an empty line or a comment.
///
/// As sshd does: the keyword ends at white space or one `=`; arguments may be quoted with either quote, a
/// backslash escapes a quote or a backslash (and a space outside quotes), and a word that begins with `#`
/// ends the line.
pub(super) fn split(line: &str) -> Result<Option<(String, Vec<String>)>, &'static str> {
    let line = line.trim_matches(|letter: char| letter.is_ascii_whitespace() || letter == '\0');
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (keyword, rest) = keyword(line)?;
    Ok(Some((keyword.to_ascii_lowercase(), words(rest)?)))
}

fn keyword(line: &str) -> Result<(&str, &str), &'static str> {
    if let Some(quoted) = line.strip_prefix('"') {
        let (keyword, rest) = quoted.split_once('"').ok_or("a quote is not closed")?;
        return Ok((keyword, rest));
    }
    let is_end = |letter: char| letter.is_ascii_whitespace() || letter == '=';
    let (keyword, rest) = line.split_at(line.find(is_end).unwrap_or(line.len()));
    let rest = rest.trim_start();
    Ok((keyword, rest.strip_prefix('=').unwrap_or(rest)))
}

/// Splits the rest of a line into words.
pub(super) fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut found = Vec::new();
    let mut letters = text.chars().peekable();
    loop {
        while letters.next_if(char::is_ascii_whitespace).is_some() {}
        match letters.peek() {
            None | Some('#') => return Ok(found),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote: Option<char> = None;
        while let Some(letter) = letters.next() {
            match (letter, quote) {
                ('\\', _) => match letters.peek().copied() {
                    Some(escaped @ ('"' | '\'' | '\\')) => {
                        letters.next();
                        word.push(escaped);
                    }
                    Some(' ') if quote.is_none() => {
                        letters.next();
                        word.push(' ');
                    }
                    _ => word.push('\\'),
                },
                ('"' | '\'', None) => quote = Some(letter),
                (closing, Some(open)) if closing == open => quote = None,
                (space, None) if space.is_ascii_whitespace() => break,
                (other, _) => word.push(other),
            }
        }
        if quote.is_some() {
            return Err("a quote is not closed");
        }
        found.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(line: &str) -> Vec<String> {
        let (keyword, arguments) = split(line).unwrap().unwrap();
        std::iter::once(keyword).chain(arguments).collect()
    }

    #[test]
    fn keywords_quotes_equals_and_comments_are_read_as_sshd_reads_them() {
        assert_eq!(words_of("PermitRootLogin=no"), ["permitrootlogin", "no"]);
        assert_eq!(words_of("\tPort = 22 # the usual"), ["port", "22"]);
        assert_eq!(words_of("Banner \"/etc/a b\" x\\ y"), ["banner", "/etc/a b", "x y"]);
        assert_eq!(words_of("X a#b 'c#d'"), ["x", "a#b", "c#d"]);
        assert_eq!(words_of("Port"), ["port"]);
        assert_eq!(split("  # comment"), Ok(None));
        assert_eq!(split("\r"), Ok(None));
        assert!(split("Banner \"open").is_err());
    }
}
