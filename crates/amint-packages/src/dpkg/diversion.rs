//! Files that were moved out of the way, and files whose owner or mode was set (`dpkg-divert(1)`,
//! `dpkg-statoverride(1)`).

use crate::Problems;
use crate::bytes::{lines, text};

/// Most entries of either file that are kept.
const ENTRIES_MAX: usize = 100_000;

/// A path that packages do not get.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diversion {
    /// The path that packages think their file has.
    pub path: String,
    /// Where it really is.
    pub diverted_to: String,
    /// The package that the path is kept for; none if the administrator wanted it.
    pub package: Option<String>,
}

/// All diversions, to find where a package's file really is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diversions {
    /// Sorted by path.
    entries: Vec<Diversion>,
}

impl Diversions {
    /// Reads `/var/lib/dpkg/diversions`: three lines for each.
    pub fn read(content: &[u8], problems: &mut Problems) -> Self {
        let all: Vec<(u64, &[u8])> = lines(content).take(3 * ENTRIES_MAX).collect();
        let mut entries = Vec::new();
        for part in all.chunks(3) {
            match part {
                [(_, path), (_, diverted_to), (_, package)] => entries.push(Diversion {
                    path: text(path).into_owned(),
                    diverted_to: text(diverted_to).into_owned(),
                    package: Some(text(package).into_owned()).filter(|package| package != ":"),
                }),
                [(line, _), ..] => problems.add(*line, "a diversion is cut off"),
                [] => {}
            }
        }
        entries.sort();
        Self { entries }
    }

    /// Returns all, by path.
    pub fn iter(&self) -> impl Iterator<Item = &Diversion> {
        self.entries.iter()
    }

    /// Returns where the file really is that `package` has at `path`.
    pub fn real_path<'a>(&'a self, path: &'a str, package: &str) -> &'a str {
        let found = self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok();
        match found.and_then(|index| self.entries.get(index)) {
            Some(entry) if entry.package.as_deref() != Some(package) => &entry.diverted_to,
            _ => path,
        }
    }
}

/// Owner and mode that the administrator set for a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatOverride {
    /// The path.
    pub path: String,
    /// User, by name or as `#` and number.
    pub user: String,
    /// Group, by name or as `#` and number.
    pub group: String,
    /// Permission bits.
    pub mode: u32,
}

/// Reads `/var/lib/dpkg/statoverride`.
pub fn read_overrides(content: &[u8], problems: &mut Problems) -> Vec<StatOverride> {
    let mut entries = Vec::new();
    for (number, line) in lines(content).filter(|(_, line)| !line.is_empty()).take(ENTRIES_MAX) {
        let line = text(line);
        let mut words = line.splitn(4, ' ');
        let parts = (words.next(), words.next(), words.next(), words.next());
        let (Some(user), Some(group), Some(mode), Some(path)) = parts else {
            problems.add(number, "an override has too few words");
            continue;
        };
        match u32::from_str_radix(mode, 8) {
            Ok(mode) if mode <= 0o7777 => entries.push(StatOverride {
                path: path.to_owned(),
                user: user.to_owned(),
                group: group.to_owned(),
                mode,
            }),
            _ => problems.add(number, "the mode of an override makes no sense"),
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_where_a_file_really_is() {
        let mut problems = Problems::default();
        let content = b"/usr/bin/sh\n/usr/bin/sh.distrib\ndash\n/etc/x\n/etc/x.old\n:\n/cut\n";
        let found = Diversions::read(content, &mut problems);
        assert_eq!(found.real_path("/usr/bin/sh", "bash"), "/usr/bin/sh.distrib");
        assert_eq!(found.real_path("/usr/bin/sh", "dash"), "/usr/bin/sh");
        assert_eq!(found.real_path("/etc/x", "x"), "/etc/x.old");
        assert_eq!(found.real_path("/etc/y", "x"), "/etc/y");
        assert_eq!(problems.count(), 1);
    }

    #[test]
    fn reads_overrides() {
        let mut problems = Problems::default();
        let content = b"root crontab 2755 /usr/bin/crontab\n#0 #5 640 /a b\nroot root x /c\nroot\n";
        let found = read_overrides(content, &mut problems);
        assert_eq!((found[0].mode, found[0].path.as_str()), (0o2755, "/usr/bin/crontab"));
        assert_eq!((found[1].user.as_str(), found[1].path.as_str()), ("#0", "/a b"));
        assert_eq!((found.len(), problems.count()), (2, 2));
    }
}
