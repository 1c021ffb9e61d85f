//! Files that an image leaves out on purpose: `path-exclude` and `path-include` of dpkg.
//!
//! Rules: `dpkg(1)` (the last option that matches a path wins; patterns of `glob(7)` whose `*` and `?` match `/` too) and
//! `dpkg.cfg(5)`. Images for containers leave out documentation and translations in this way.

use amint_disk::tree::FileTree;

use super::databases::SystemPackages;

const SETTINGS: &str = "/etc/dpkg/dpkg.cfg";
const FOLDER: &str = "/etc/dpkg/dpkg.cfg.d";
/// The largest file of settings that is read.
const SETTINGS_BYTES_MAX: u64 = 1 << 20;
/// How many patterns are listened to.
const PATTERNS_MAX: usize = 1000;

/// Which files dpkg was told to leave out.
#[derive(Debug, Default)]
pub(super) struct Excluded {
    /// Patterns in their order, each with whether it leaves out.
    patterns: Vec<(bool, Vec<u8>)>,
}

impl Excluded {
    /// Reads dpkg's settings, the folder first, as dpkg does.
    pub(super) fn read(tree: &dyn FileTree, found: &mut SystemPackages) -> Self {
        let is_read = |name: &String| {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        };
        let names = found.names(tree, FOLDER);
        let mut files: Vec<String> =
            names.into_iter().filter(is_read).map(|name| format!("{FOLDER}/{name}")).collect();
        files.push(SETTINGS.to_owned());
        let mut excluded = Self::default();
        for file in files {
            if let Some(bytes) = found.content(tree, &file, SETTINGS_BYTES_MAX) {
                excluded.add(&bytes);
            }
        }
        excluded
    }

    fn add(&mut self, settings: &[u8]) {
        let text = String::from_utf8_lossy(settings);
        for line in text.lines().map(str::trim) {
            let (leaves_out, rest) =
                match (line.strip_prefix("path-exclude"), line.strip_prefix("path-include")) {
                    (Some(rest), _) => (true, rest),
                    (_, Some(rest)) => (false, rest),
                    _ => continue,
                };
            let Some(pattern) = rest.strip_prefix(['=', ' ', '\t']) else { continue };
            let pattern = pattern.trim().trim_matches('"');
            if self.patterns.len() < PATTERNS_MAX {
                self.patterns.push((leaves_out, pattern.as_bytes().to_vec()));
            }
        }
    }

    /// Tells whether a file is one that dpkg did not unpack.
    pub(super) fn is_left_out(&self, path: &[u8]) -> bool {
        let last = self.patterns.iter().rev().find(|(_, pattern)| matches(pattern, path));
        last.is_some_and(|(leaves_out, _)| *leaves_out)
    }
}

/// Compares a path with a pattern. Only the last star is ever tried again, so that no pattern takes long.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (mut at, mut here) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = path.get(here) {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at + 1, here));
            at += 1;
            continue;
        }
        if let Some(used) = one(pattern.get(at..).unwrap_or_default(), *byte) {
            at += used;
            here += 1;
            continue;
        }
        let Some((after, from)) = star else { return false };
        star = Some((after, from + 1));
        (at, here) = (after, from + 1);
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// Compares one byte with the first part of a pattern; returns how long that part is where it fits.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'[', rest @ ..] => {
            let is_negated = matches!(rest.first(), Some(b'!' | b'^'));
            let set = rest.get(usize::from(is_negated)..)?;
            // A bracket that closes at once is one of the set.
            let Some(end) = set.iter().skip(1).position(|byte| *byte == b']').map(|at| at + 1) else {
                return (byte == b'[').then_some(1);
            };
            (is_in(set.get(..end)?, byte) != is_negated).then_some(end + 2 + usize::from(is_negated))
        }
        [plain, ..] => (*plain == byte).then_some(1),
        [] => None,
    }
}

fn is_in(set: &[u8], byte: u8) -> bool {
    let mut rest = set;
    loop {
        rest = match rest {
            [first, b'-', last, rest @ ..] => {
                if (*first..=*last).contains(&byte) {
                    return true;
                }
                rest
            }
            [plain, rest @ ..] => {
                if *plain == byte {
                    return true;
                }
                rest
            }
            [] => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_fits_wins() {
        let mut excluded = Excluded::default();
        excluded.add(
            b"# docker\npath-exclude=/usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\n\
              path-exclude /usr/share/locale/[!e]*\nforce-unsafe-io\n",
        );
        assert!(excluded.is_left_out(b"/usr/share/doc/a/b/c"));
        assert!(!excluded.is_left_out(b"/usr/share/doc/a/copyright"));
        assert!(excluded.is_left_out(b"/usr/share/locale/de/x"));
        assert!(!excluded.is_left_out(b"/usr/share/locale/en/x"));
        assert!(!excluded.is_left_out(b"/usr/bin/a"));
    }

    #[test]
    fn a_pattern_of_stars_takes_no_time() {
        let pattern = [b"*a".repeat(200), b"b".to_vec()].concat();
        assert!(!matches(&pattern, &b"a".repeat(20_000)));
        assert!(matches(b"/a/*", b"/a/") && matches(b"*", b"") && !matches(b"/a", b"/ab"));
    }
}
