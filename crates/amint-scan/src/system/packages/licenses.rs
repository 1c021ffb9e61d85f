//! The licences of Debian's packages: what their copyright files declare or, where they declare nothing, say.

use amint_packages::dpkg::Copyright;
use amint_rights::recognise;

/// Returns the licences that a copyright file declares, as whole expressions; of free text those that it refers to or
/// whose sentences it holds.
pub(super) fn licenses(content: &[u8]) -> Vec<String> {
    let copyright = Copyright::read(content);
    if copyright.is_machine_readable && !copyright.licenses.is_empty() {
        return copyright.licenses;
    }
    let mut found = recognise(content);
    found.extend(copyright.licenses);
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_kept_whole_and_free_text_is_read() {
        let fields = b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
                       Files: *\nLicense: GPL-2+ or Expat\n";
        assert_eq!(licenses(fields), ["GPL-2+ or Expat"]);
        let text = b"It is under the terms of the GNU Lesser General Public License,\n\
                     see /usr/share/common-licenses/LGPL-2.1.";
        assert_eq!(licenses(text), ["LGPL-2.1", "LGPL-2.1-or-later"]);
        assert!(licenses(b"all is well").is_empty());
    }
}
