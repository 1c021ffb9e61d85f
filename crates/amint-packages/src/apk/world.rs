//! What somebody asked for (`apk-world(5)`).

use crate::bytes::text;

/// Most entries that are kept.
const ENTRIES_MAX: usize = 100_000;

/// One entry of the world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorldEntry {
    /// The package, or what packages provide.
    pub name: String,
    /// Which versions: `>=1.2`, `~3.19`, `=1.0-r0`.
    pub constraint: Option<String>,
    /// The tag of the repository that it must come from.
    pub tag: Option<String>,
    /// Whether it must not be installed.
    pub is_conflict: bool,
}

/// Reads `/etc/apk/world`: entries between white space.
pub fn read_world(content: &[u8]) -> Vec<WorldEntry> {
    let words = content.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.take(ENTRIES_MAX).filter_map(|word| parse(&text(word))).collect()
}

fn parse(word: &str) -> Option<WorldEntry> {
    let (is_conflict, word) = match word.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    let end = word.find(['<', '>', '=', '~', '@']).unwrap_or(word.len());
    let (name, rest) = word.split_at_checked(end)?;
    let (tag, constraint) = match (rest.strip_prefix('@'), rest.rsplit_once('@')) {
        // `name@tag>=1` and `name>=1@tag` are both in use.
        (Some(rest), _) => {
            let (tag, constraint) = rest.split_at(rest.find(['<', '>', '=', '~']).unwrap_or(rest.len()));
            (tag, constraint)
        }
        (None, Some((constraint, tag))) => (tag, constraint),
        (None, None) => ("", rest),
    };
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let entry =
        WorldEntry { name: name.to_owned(), constraint: some(constraint), tag: some(tag), is_conflict };
    (!name.is_empty()).then_some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_versions_and_tags() {
        let found =
            read_world(b"alpine-base\nopenssl>=3.1 !busybox-suid\n  nginx@edge php~8.2@testing x@t=1\n");
        let shown: Vec<_> = found
            .iter()
            .map(|entry| {
                (entry.name.as_str(), entry.constraint.as_deref(), entry.tag.as_deref(), entry.is_conflict)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("alpine-base", None, None, false),
                ("openssl", Some(">=3.1"), None, false),
                ("busybox-suid", None, None, true),
                ("nginx", None, Some("edge"), false),
                ("php", Some("~8.2"), Some("testing"), false),
                ("x", Some("=1"), Some("t"), false)
            ]
        );
    }
}
