//! Which CVE ids a changelog names since a version (`deb-changelog(5)`; the ids' form is that of the CVE programme).
//!
//! A changelog names what it fixes in free text; nothing tells a fix from a mention. So this is for people who read
//! what an update brings, not for verdicts: those come from advisories.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::io::{self, BufRead, Read as _};

/// Most bytes of a changelog that are read; the longest of Debian's archive have some 10 MiB.
pub const CHANGELOG_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most entries that are read.
pub const ENTRY_COUNT_MAX: usize = 20_000;
/// Longest line.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// Most distinct ids.
const ID_COUNT_MAX: usize = 50_000;
/// How many digits the number of a CVE id has: four, or as many as are needed.
const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 4..=19;

/// Returns the distinct CVE ids that the entries of a changelog name, in their order and in capitals, newest first.
///
/// Entries are read down to the first that is not newer than `newer_than`, a version of the source package, in the
/// order that `compare` has; without it all are. Broken lines are not joined: an id that a line break tears apart is
/// not found.
///
/// # Errors
/// Fails when the source cannot be read, and with [`io::ErrorKind::InvalidData`] when it is beyond the limits above:
/// a part of the ids is never taken for all of them.
pub fn cves_between(
    changelog: impl BufRead,
    newer_than: Option<&str>,
    compare: impl Fn(&str, &str) -> Ordering,
) -> io::Result<Vec<String>> {
    let mut source = changelog.take(CHANGELOG_BYTES_MAX + 1);
    let mut line = Vec::new();
    let mut entries = 0;
    let mut seen = HashSet::new();
    let mut ids = Vec::new();
    loop {
        line.clear();
        let length = source.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line)?;
        if source.limit() == 0 {
            return Err(too_much("it is longer than 64 MiB"));
        }
        if length == 0 {
            return Ok(ids);
        }
        if u64::try_from(length).unwrap_or(u64::MAX) > LINE_BYTES_MAX {
            return Err(too_much("a line is longer than 64 KiB"));
        }
        if let Some(version) = heading(&line) {
            if newer_than.is_some_and(|old| compare(version, old) != Ordering::Greater) {
                return Ok(ids);
            }
            entries += 1;
            if entries > ENTRY_COUNT_MAX {
                return Err(too_much("it has more than 20000 entries"));
            }
            continue;
        }
        for id in ids_of(&line) {
            if seen.insert(id.clone()) {
                ids.push(id);
            }
        }
        if ids.len() > ID_COUNT_MAX {
            return Err(too_much("it names more than 50000 CVE ids"));
        }
    }
}

/// The newest entries of a changelog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewEntries {
    /// Their text.
    pub text: Vec<u8>,
    /// How many there are.
    pub count: usize,
    /// Whether an entry that is not newer follows: else older ones may have been cut off.
    pub is_whole: bool,
}

/// Returns the entries of a changelog that are newer than a version, in the order that `compare` has; without a
/// version, all of them. The first lines are written anew with `source` as the name of the package.
///
/// # Errors
/// Fails when the changelog cannot be read, and with [`io::ErrorKind::InvalidData`] when it is beyond the limits above.
pub fn entries_since(
    changelog: impl BufRead,
    source: &str,
    newer_than: Option<&str>,
    compare: impl Fn(&str, &str) -> Ordering,
) -> io::Result<NewEntries> {
    let mut input = changelog.take(CHANGELOG_BYTES_MAX + 1);
    let mut line = Vec::new();
    let mut entries = NewEntries::default();
    loop {
        line.clear();
        let length = input.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line)?;
        if input.limit() == 0 {
            return Err(too_much("it is longer than 64 MiB"));
        }
        if length == 0 {
            entries.is_whole |= newer_than.is_none();
            return Ok(entries);
        }
        if u64::try_from(length).unwrap_or(u64::MAX) > LINE_BYTES_MAX {
            return Err(too_much("a line is longer than 64 KiB"));
        }
        let Some(version) = heading(&line) else {
            if entries.count > 0 {
                entries.text.extend_from_slice(&line);
            }
            continue;
        };
        if newer_than.is_some_and(|old| compare(version, old) != Ordering::Greater) {
            entries.is_whole = true;
            return Ok(entries);
        }
        entries.count += 1;
        if entries.count > ENTRY_COUNT_MAX {
            return Err(too_much("it has more than 20000 entries"));
        }
        entries.text.extend_from_slice(format!("{source} ({version}) new; urgency=low\n").as_bytes());
    }
}

fn too_much(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the changelog cannot be right: {what}"))
}

/// Returns the version of an entry's first line: `package (version) suites; key=value…`.
fn heading(line: &[u8]) -> Option<&str> {
    // Within entries every line is indented.
    if !line.first()?.is_ascii_alphanumeric() {
        return None;
    }
    let text = std::str::from_utf8(line).ok()?;
    let (package, rest) = text.split_once(" (")?;
    let (version, rest) = rest.split_once(')')?;
    let is_good = |text: &str, others: &str| {
        !text.is_empty()
            && text.chars().all(|character| character.is_ascii_alphanumeric() || others.contains(character))
    };
    let suites = rest.split_once(';')?.0;
    let is_heading = is_good(package, "+-.")
        && is_good(version, "+-.~:")
        && suites.starts_with([' ', '\t'])
        && is_good(suites.trim(), "+-. \t");
    is_heading.then_some(version)
}

/// Finds the CVE ids of one line, in any case.
fn ids_of(line: &[u8]) -> Vec<String> {
    let mut ids = Vec::new();
    let mut start = 0;
    while let Some(offset) = line.get(start..).and_then(find_prefix) {
        let prefix = start + offset;
        let is_word = prefix == 0 || !line[prefix - 1].is_ascii_alphanumeric();
        start = prefix + 4;
        if is_word && let Some(id) = id_after(&line[start..]) {
            ids.push(id);
        }
    }
    ids
}

fn find_prefix(line: &[u8]) -> Option<usize> {
    line.windows(4).position(|window| window.eq_ignore_ascii_case(b"CVE-"))
}

/// Reads `YYYY-NNNN`, with any number of further digits.
fn id_after(rest: &[u8]) -> Option<String> {
    let (year, rest) = rest.split_at_checked(4)?;
    let rest = rest.strip_prefix(b"-")?;
    let number = &rest[..rest.iter().take_while(|byte| byte.is_ascii_digit()).count()];
    if !year.iter().all(u8::is_ascii_digit) || !NUMBER_DIGITS.contains(&number.len()) {
        return None;
    }
    Some(format!("CVE-{}-{}", str::from_utf8(year).ok()?, str::from_utf8(number).ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts_a_changelog_at_a_version_and_tells_when_older_entries_are_gone() {
        let text = "b (2-1) x; urgency=low\n\n  * CVE-2026-1111\n\na (1-1) x; urgency=low\n\n  * old\n";
        let since = |version| entries_since(text.as_bytes(), "a", version, str::cmp).unwrap();
        let new = since(Some("1-1"));
        assert_eq!(new.text, b"a (2-1) new; urgency=low\n\n  * CVE-2026-1111\n\n");
        assert_eq!((new.count, new.is_whole), (1, true));
        assert_eq!((since(Some("0-1")).count, since(Some("0-1")).is_whole), (2, false));
        assert_eq!((since(None).count, since(None).is_whole), (2, true));
        assert_eq!(since(Some("2-1")).count, 0);
    }

    const CHANGELOG: &str = "\
openssl (3.5.1-1+deb13u2+b1) trixie-security; urgency=low, binary-only=yes

  * Binary-only non-maintainer upload for amd64; no source changes.
  * Rebuild for the fix of CVE-2026-00042

 -- amd64 build daemon <buildd@builder.example>  Mon, 02 Nov 2026 11:12:13 +0000

openssl (3.5.1-1+deb13u2) trixie-security; urgency=high

  * Fix CVE-2026-9230 (out-of-bounds read in RFC 3211 KEK unwrap), and CVE-2026-
    9231 with it.
  * d/patches/cve-2026-123456-part1.patch: new. Closes: #1116000
  * d/patches/CVE-2026-9230.patch: mention it once more.
  * Not ids: CVE-2026-12, CVE-20-1234, XCVE-2026-7777, CVE-2026, CVE-.

 -- Some Body <body@debian.example>  Sun, 01 Nov 2026 10:00:00 +0100

openssl (3.5.1-1+deb13u1) trixie-security; urgency=medium

  [ Some Body ]
  * CVE-2026-1000,CVE-2026-1001/CVE-2026-1002 (\u{e4}\u{f6})
  * See openssl (3.4.0-1) unstable; that entry is not this one.

 -- Some Body <body@debian.example>  Thu, 01 Oct 2026 10:00:00 +0200

openssl (3.5.1-1) unstable; urgency=medium

  * New upstream version
    - Fixes CVE-2025-4575

 -- Some Body <body@debian.example>  Wed, 02 Jul 2025 10:00:00 +0200
";

    /// The versions of the changelog above from old to new: enough of an order for it.
    fn order(left: &str, right: &str) -> Ordering {
        let rank = |version: &str| {
            let versions = ["3.5.1-1", "3.5.1-1+deb13u1", "3.5.1-1+deb13u2", "3.5.1-1+deb13u2+b1"];
            versions.iter().position(|known| *known == version).expect("a version of the changelog")
        };
        rank(left).cmp(&rank(right))
    }

    fn since(version: Option<&str>) -> Vec<String> {
        cves_between(CHANGELOG.as_bytes(), version, order).unwrap()
    }

    #[test]
    fn stops_at_the_version_that_was_there_before() {
        assert_eq!(since(Some("3.5.1-1+deb13u2+b1")), [""; 0]);
        assert_eq!(since(Some("3.5.1-1+deb13u2")), ["CVE-2026-00042"]);
        assert_eq!(since(Some("3.5.1-1+deb13u1")), ["CVE-2026-00042", "CVE-2026-9230", "CVE-2026-123456"]);
        assert_eq!(since(Some("3.5.1-1"))[3..], ["CVE-2026-1000", "CVE-2026-1001", "CVE-2026-1002"]);
    }

    #[test]
    fn reads_all_entries_without_a_version() {
        let all = since(None);
        assert_eq!((all.len(), all.last().map(String::as_str)), (7, Some("CVE-2025-4575")));
    }

    #[test]
    fn reads_nothing_after_the_entry_that_ends_it() {
        struct Unreadable;
        impl io::Read for Unreadable {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("read too far"))
            }
        }
        let end = CHANGELOG.find("openssl (3.5.1-1)").unwrap()
            + "openssl (3.5.1-1) unstable; urgency=medium\n".len();
        let source =
            io::BufReader::with_capacity(16, io::Read::chain(&CHANGELOG.as_bytes()[..end], Unreadable));
        assert_eq!(cves_between(source, Some("3.5.1-1"), order).unwrap().len(), 6);
    }

    #[test]
    fn takes_old_and_odd_changelogs() {
        let text = b"hello (1) unstable frozen; urgency=low\r\n\r\n  * CVE-1999-0001 \xff\xfe\r\n\r\nLocal variables:\nmode: x\nhello 0.9 (old form)\n";
        assert_eq!(cves_between(&text[..], None, str::cmp).unwrap(), ["CVE-1999-0001"]);
        assert_eq!(cves_between(&b""[..], Some("1"), str::cmp).unwrap(), [""; 0]);
        assert_eq!(cves_between(&b"* CVE-2020-1234"[..], None, str::cmp).unwrap(), ["CVE-2020-1234"]);
    }

    #[test]
    fn refuses_changelogs_without_end() {
        let refused = |source: &mut dyn BufRead| {
            let error = cves_between(source, None, str::cmp).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
            error.to_string()
        };
        assert!(refused(&mut io::BufReader::new(io::repeat(b'x'))).contains("a line"));
        let entries = "a (1) b; c\n".repeat(ENTRY_COUNT_MAX + 1);
        assert!(refused(&mut entries.as_bytes()).contains("entries"));
        let lines = format!("{}\n", "x".repeat(60_000)).repeat(1200);
        assert!(refused(&mut lines.as_bytes()).contains("64 MiB"));
        let ids: Vec<String> = (0..=ID_COUNT_MAX).map(|number| format!("CVE-2026-{number:05}")).collect();
        let ids = ids.join("\n");
        assert!(refused(&mut ids.as_bytes()).contains("CVE ids"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn finds_well_formed_ids_in_any_bytes(
            pieces in prop::collection::vec(
                prop_oneof![
                    "(?i:cve-)?[0-9]{0,5}-?[0-9]{0,6}[ \n]?".prop_map(String::into_bytes),
                    prop::collection::vec(any::<u8>(), 0..9),
                ],
                0..20,
            ),
        ) {
            let text = pieces.concat();
            for id in cves_between(text.as_slice(), None, str::cmp).unwrap() {
                let (year, number) = id.strip_prefix("CVE-").and_then(|rest| rest.split_once('-')).unwrap();
                prop_assert!(year.len() == 4 && number.len() >= 4, "{}", id);
                prop_assert!(text.to_ascii_uppercase().windows(id.len()).any(|window| window == id.as_bytes()));
            }
        }
    }
}
