//! The days on which support ends.

use jiff::civil::Date;

const TABLE: &str = include_str!("../../../../data/runtimes.tsv");

/// The support of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Support {
    /// The version, or the beginning of it that is supported as one.
    pub(super) version: &'static str,
    /// The last day.
    pub(super) ends: Date,
    /// The page that tells it.
    pub(super) source: &'static str,
}

fn rows() -> impl Iterator<Item = (&'static str, Support)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.filter_map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
        [product, version, ends, source] => {
            Some((product, Support { version, ends: ends.parse().ok()?, source }))
        }
        _ => None,
    })
}

/// Finds the support of a version: that of its longest beginning that is listed.
pub(super) fn find(product: &str, version: &str) -> Option<Support> {
    let end =
        version.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(version.len());
    let mut wanted = Some(version[..end].trim_end_matches('.'));
    while let Some(candidate) = wanted {
        let found = rows().find(|(name, support)| *name == product && support.version == candidate);
        if let Some((_, support)) = found {
            return Some(support);
        }
        wanted = candidate.rsplit_once('.').map(|(shorter, _)| shorter);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_can_be_read_and_names_its_page() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
        assert_eq!(rows().count(), lines);
        assert!(rows().all(|(_, support)| support.source.starts_with("https://")));
    }

    #[test]
    fn the_longest_beginning_counts() {
        let version = |product, version| find(product, version).map(|support| support.version);
        assert_eq!(version("openssl", "1.1.1k"), Some("1.1.1"));
        assert_eq!(version("openssl", "1.0.2u-1"), Some("1.0"));
        assert_eq!(version("php", "7.4.33-1+deb"), Some("7.4"));
        assert_eq!(version("nodejs", "16.20.2"), Some("16"));
        assert_eq!(version("nodejs", "160.1"), None);
        assert_eq!(version("python", "3.100.1"), None);
    }
}
