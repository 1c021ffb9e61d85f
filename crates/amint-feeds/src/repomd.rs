//! `repodata/repomd.xml`: which file of a repository of rpm packages holds its advisories.
//!
//! The form is that of `createrepo_c` (<https://github.com/rpm-software-management/createrepo_c>).

use amint_types::Digest;
use jiff::Timestamp;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Largest description that is read.
pub(crate) const REPOMD_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Longest text that is kept.
const TEXT_BYTES_MAX: usize = 4096;

/// A repository's description cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepomdError {
    /// It is no XML.
    #[error("it is no XML")]
    Xml(#[from] quick_xml::Error),
    /// Something in it is not as it must be.
    #[error("it makes no sense: {0}")]
    Form(&'static str),
}

/// Where the advisories of a repository are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateInfoFile {
    /// Its path below the repository's address.
    pub path: String,
    /// Its SHA-256.
    pub sha256: Digest,
    /// When the repository was made, if it says so.
    pub date: Option<Timestamp>,
}

#[derive(Default)]
struct Data {
    kind: String,
    path: String,
    checksum_kind: String,
    checksum: String,
}

/// Finds the advisories of a repository; none where it has no advisories.
///
/// # Errors
/// Fails when the text is no such description, when the path leads out of the repository, or when the file's SHA-256 is
/// not told.
pub fn read_repomd(text: &[u8]) -> Result<Option<UpdateInfoFile>, RepomdError> {
    let mut reader = Reader::from_reader(text);
    let mut buffer = Vec::new();
    let (mut data, mut content) = (Data::default(), String::new());
    let (mut has_root, mut found, mut made) = (false, None, None);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer)? {
            Event::Start(tag) | Event::Empty(tag) => {
                content.clear();
                let attribute = |name: &str| {
                    tag.try_get_attribute(name).ok().flatten().map(|found| found.value.into_owned())
                };
                match tag.name().as_ref() {
                    "repomd" => has_root = true,
                    "data" => {
                        data = Data { kind: attribute("type").unwrap_or_default(), ..Data::default() };
                    }
                    "location" => data.path = attribute("href").unwrap_or_default(),
                    "checksum" => data.checksum_kind = attribute("type").unwrap_or_default(),
                    _ => {}
                }
            }
            Event::Text(part) if content.len().saturating_add(part.len()) <= TEXT_BYTES_MAX => {
                content.push_str(&part);
            }
            Event::End(tag) => match tag.name().as_ref() {
                "checksum" => content.trim().clone_into(&mut data.checksum),
                "timestamp" => made = made.max(seconds(&content)),
                "data" if data.kind == "updateinfo" => found = Some(std::mem::take(&mut data)),
                _ => {}
            },
            Event::Eof => break,
            _ => {}
        }
    }
    if !has_root {
        return Err(RepomdError::Form("it describes no repository"));
    }
    found.map(|data| checked(&data, made)).transpose()
}

/// Some write parts of a second.
fn seconds(text: &str) -> Option<Timestamp> {
    let whole = text.trim().split('.').next()?;
    Timestamp::from_second(whole.parse().ok()?).ok()
}

fn checked(data: &Data, made: Option<Timestamp>) -> Result<UpdateInfoFile, RepomdError> {
    let is_inside = !data.path.starts_with('/')
        && !data.path.contains([':', '\\', '?', '#'])
        && !data.path.chars().any(char::is_control)
        && data.path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !is_inside {
        return Err(RepomdError::Form("the path of its advisories leads out of it"));
    }
    if data.checksum_kind != "sha256" {
        return Err(RepomdError::Form("the SHA-256 of its advisories is not told"));
    }
    let sha256 =
        data.checksum.parse().map_err(|_| RepomdError::Form("the SHA-256 of its advisories is none"))?;
    Ok(UpdateInfoFile { path: data.path.clone(), sha256, date: made })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = r#"<?xml version="1.0"?><repomd xmlns="http://linux.duke.edu/metadata/repo">
<revision>1700000000</revision>
<data type="primary"><checksum type="sha256">aa</checksum><location href="repodata/p.xml.gz"/>
<timestamp>1700000100</timestamp></data>
<data type="updateinfo"><checksum type="sha256">e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855</checksum>
<location href="repodata/u.xml.gz"/><timestamp>1700000050.5</timestamp></data></repomd>"#;

    #[test]
    fn finds_the_advisories_of_a_repository() {
        let file = read_repomd(TEXT.as_bytes()).unwrap().unwrap();
        assert_eq!(file.path, "repodata/u.xml.gz");
        assert_eq!(file.sha256, Digest::of(b""));
        assert_eq!(file.date.unwrap().as_second(), 1_700_000_100);
        let without = TEXT.replace("updateinfo", "group");
        assert_eq!(read_repomd(without.as_bytes()).unwrap(), None);
    }

    #[test]
    fn refuses_what_leads_elsewhere_or_cannot_be_checked() {
        for (old, new) in [
            ("repodata/u.xml.gz", "../u.xml.gz"),
            ("repodata/u.xml.gz", "http://b.example/u"),
            ("checksum type=\"sha256\">e3", "checksum type=\"md5\">e3"),
            ("<repomd", "<other"),
        ] {
            assert!(read_repomd(TEXT.replace(old, new).as_bytes()).is_err(), "{new}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        #[test]
        fn survives_damage(at in 0..TEXT.len(), byte: u8, cut in 0..TEXT.len()) {
            let mut text = TEXT.as_bytes().to_vec();
            if let Some(place) = text.get_mut(at) {
                *place = byte;
            }
            let _ = read_repomd(&text);
            text.truncate(cut);
            let _ = read_repomd(&text);
        }
    }
}
