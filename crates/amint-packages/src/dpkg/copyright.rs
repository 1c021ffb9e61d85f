//! Licences in `/usr/share/doc/PACKAGE/copyright`.
//!
//! Files in the machine-readable form (<https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/>, "DEP-5")
//! name a short licence in the first line of each `License` field. Of free text only the licences are known whose
//! full text it refers to below `/usr/share/common-licenses`.

use std::collections::BTreeSet;

use crate::bytes::{cut, lines, text};

/// How much of a file is looked at.
pub const COPYRIGHT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most licences that are kept, and the longest of each.
const LICENSES_MAX: usize = 500;
const LICENSE_BYTES_MAX: usize = 200;
const COMMON: &str = "/usr/share/common-licenses/";

/// The licences of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copyright {
    /// Whether the file is in the machine-readable form.
    pub is_machine_readable: bool,
    /// What its `License` fields say, each once, sorted: `GPL-2+ or MIT`; of free text, the files that it refers to.
    pub licenses: Vec<String>,
}

impl Copyright {
    /// Reads a file; what is beyond [`COPYRIGHT_BYTES_MAX`] is not looked at.
    pub fn read(content: &[u8]) -> Self {
        let content = content.get(..COPYRIGHT_BYTES_MAX).unwrap_or(content);
        let is_machine_readable =
            lines(content).find(|(_, line)| !line.trim_ascii().is_empty()).is_some_and(|(_, line)| {
                let line = text(line).to_ascii_lowercase();
                line.trim_start_matches('\u{feff}').starts_with("format")
                    && ["copyright-format", "dep5", "dep-5", "dep:", "copyrightformat"]
                        .iter()
                        .any(|word| line.contains(word))
            });
        let licenses = if is_machine_readable { declared(content) } else { referred(content) };
        Self { is_machine_readable, licenses: licenses.into_iter().collect() }
    }

    /// Returns the short names by themselves: `GPL-2+ or MIT, and Zlib` has three. Exceptions stay with the licence
    /// that they belong to.
    pub fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for license in &self.licenses {
            let mut name = String::new();
            for word in license.split(|letter: char| letter.is_whitespace() || "()".contains(letter)) {
                let is_end = word.ends_with([',', '|', ';']);
                let word = word.trim_end_matches([',', '|', ';']);
                let is_operator =
                    ["and", "or", "and/or", ""].iter().any(|other| word.eq_ignore_ascii_case(other));
                if !is_operator {
                    if !name.is_empty() {
                        name.push(' ');
                    }
                    name.push_str(word);
                }
                if (is_operator || is_end) && !name.is_empty() {
                    names.insert(std::mem::take(&mut name));
                }
            }
            if !name.is_empty() {
                names.insert(name);
            }
        }
        names
    }
}

fn declared(content: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in lines(content) {
        let line = text(line);
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if name.eq_ignore_ascii_case("license") && !value.is_empty() && found.len() < LICENSES_MAX {
            found.insert(cut(value, LICENSE_BYTES_MAX).to_owned());
        }
    }
    found
}

fn referred(content: &[u8]) -> BTreeSet<String> {
    let content = text(content);
    let names = content.split(COMMON).skip(1).map(|rest| {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-.+".contains(letter);
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        cut(&rest[..end], LICENSE_BYTES_MAX).trim_end_matches('.').to_owned()
    });
    names.filter(|name| !name.is_empty()).take(LICENSES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_machine_readable_form() {
        let text = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
                    Upstream-Name: x\n\nFiles: *\nCopyright: 2020 A\nLicense: GPL-2+ with OpenSSL exception or Expat\n\n\
                    Files: b\nLicense: Zlib\n text: License: no\n\nLicense: GPL-2+ with OpenSSL exception or Expat\n Text.\n";
        let found = Copyright::read(text.as_bytes());
        assert!(found.is_machine_readable);
        assert_eq!(found.licenses, ["GPL-2+ with OpenSSL exception or Expat", "Zlib"]);
        let names: Vec<_> = found.names().into_iter().collect();
        assert_eq!(names, ["Expat", "GPL-2+ with OpenSSL exception", "Zlib"]);
    }

    #[test]
    fn of_free_text_knows_the_licences_that_it_refers_to() {
        let text = "This is free. See `/usr/share/common-licenses/GPL-3'.\nAlso /usr/share/common-licenses/LGPL-2.1.\n\
                    License: not this\n";
        let found = Copyright::read(text.as_bytes());
        assert!(!found.is_machine_readable);
        assert_eq!(found.licenses, ["GPL-3", "LGPL-2.1"]);
        assert_eq!(Copyright::read(b""), Copyright::default());
    }

    #[test]
    fn splits_expressions() {
        let found = Copyright {
            is_machine_readable: true,
            licenses: vec!["(GPL-1+ or Artistic), and BSD|MIT,".to_owned()],
        };
        let names: Vec<_> = found.names().into_iter().collect();
        assert_eq!(names, ["Artistic", "BSD|MIT", "GPL-1+"]);
    }
}
