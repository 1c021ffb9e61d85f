//! The description: which disks there are, in which order.
//!
//! Only three elements matter, `File`, `Disk` and their attributes, so the XML is read as a row of tags; a document
//! type, which could define anything, is refused.

use super::FORMAT;
use crate::FormatError;

/// Files and disks of one description at most.
const ELEMENTS_MAX: usize = 1024;

/// A disk that has content in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disk {
    /// Name of its file.
    pub(super) file: String,
    pub(super) compression: Option<String>,
    pub(super) is_chunked: bool,
}

/// What the description says.
#[derive(Clone, Debug)]
pub(super) struct Description {
    pub(super) disks: Vec<Disk>,
}

impl Description {
    pub(super) fn parse(text: &str) -> Result<Self, FormatError> {
        let mut files: Vec<(String, Disk)> = Vec::new();
        let mut references: Vec<String> = Vec::new();
        let mut tags = Tags(text);
        while let Some(tag) = tags.next_tag()? {
            match tag.name {
                "File" => {
                    let Some(file) = tag.attribute("href") else { continue };
                    let disk = Disk {
                        file,
                        compression: tag.attribute("compression"),
                        is_chunked: tag.attribute("chunkSize").is_some(),
                    };
                    files.push((tag.attribute("id").unwrap_or_default(), disk));
                }
                // A disk without a file is empty: the machine gets it when it is made.
                "Disk" => references.extend(tag.attribute("fileRef")),
                _ => {}
            }
            if files.len().max(references.len()) > ELEMENTS_MAX {
                return Err(FORMAT.limit(format!("a description of more than {ELEMENTS_MAX} files")));
            }
        }
        let disks = references.iter().map(|reference| {
            let file = files.iter().find(|(id, _)| id == reference);
            file.map(|(_, disk)| disk.clone()).ok_or_else(|| {
                FORMAT.damaged(format!("a disk refers to the file `{reference}`, which is not described"))
            })
        });
        Ok(Self { disks: disks.collect::<Result<_, _>>()? })
    }
}

/// What is left of a text of tags.
struct Tags<'a>(&'a str);

/// A start tag.
struct Tag<'a> {
    /// Without its name space.
    name: &'a str,
    attributes: &'a str,
}

impl<'a> Tags<'a> {
    /// Returns the next start tag.
    fn next_tag(&mut self) -> Result<Option<Tag<'a>>, FormatError> {
        let cut_off = || FORMAT.damaged("the description is cut off");
        while let Some((_, rest)) = self.0.split_once('<') {
            let skipped = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>"), ("/", ">")]
                .into_iter()
                .find_map(|(start, end)| rest.strip_prefix(start).map(|rest| rest.split_once(end)));
            if let Some(skipped) = skipped {
                self.0 = skipped.ok_or_else(cut_off)?.1;
                continue;
            }
            if rest.starts_with('!') {
                return Err(FORMAT.unsupported("a document type in its description"));
            }
            let end = tag_end(rest).ok_or_else(cut_off)?;
            let (tag, later) = rest.split_at(end);
            self.0 = later;
            let tag = tag.trim_end_matches('/');
            let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
            return Ok(Some(Tag { name: local(name), attributes }));
        }
        Ok(None)
    }
}

/// Finds the `>` that ends a tag: one in quotes does not.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Returns a name without its name space.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

impl Tag<'_> {
    fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes;
        loop {
            let (name, value) = rest.split_once('=')?;
            let value = value.trim_start();
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            let (value, later) = value.get(1..)?.split_once(quote)?;
            if local(name.trim()) == wanted {
                return Some(unescape(value));
            }
            rest = later;
        }
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Vec<String> {
        Description::parse(text).unwrap().disks.into_iter().map(|disk| disk.file).collect()
    }

    #[test]
    fn disks_come_in_the_order_of_the_disk_section() {
        let text = r#"<?xml version="1.0"?>
            <Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
              <!-- <Disk ovf:fileRef="no"/> -->
              <References>
                <File ovf:href="b &amp; c.vmdk" ovf:id="two" ovf:size="5"/>
                <File ovf:id='one' ovf:href = 'a>.vmdk' />
                <File ovf:href="x.iso" ovf:id="iso"/>
              </References>
              <DiskSection><Info>Disks</Info>
                <Disk ovf:diskId="d1" ovf:fileRef="one" ovf:capacity="8"/>
                <Disk ovf:diskId="empty" ovf:capacity="8"/>
                <Disk ovf:diskId="d2" ovf:fileRef="two"></Disk>
              </DiskSection>
            </Envelope>"#;
        assert_eq!(files(text), ["a>.vmdk", "b & c.vmdk"]);
    }

    #[test]
    fn what_could_define_anything_is_refused() {
        assert!(Description::parse("<!DOCTYPE x [<!ENTITY a 'b'>]><Envelope/>").is_err());
        assert!(Description::parse("<Envelope><File ").is_err());
        assert!(Description::parse("<Disk fileRef='nobody'/>").is_err());
        assert_eq!(files(""), Vec::<String>::new());
    }

    proptest::proptest! {
        #[test]
        fn tags_of_any_kind_do_no_harm(text in "(<|>|/|File|Disk|href|id|fileRef|=|\"|'|é| |!--|-->|\\?){0,40}") {
            let _ = Description::parse(&text);
        }
    }
}
