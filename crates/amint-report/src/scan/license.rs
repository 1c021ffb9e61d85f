//! Licences as packages declare them, as licence expressions of SPDX 2.3, annex D, where that can be said for sure.
//!
//! Debian (copyright format 1.0) and Fedora (before 2023) have short names of their own. Those whose meaning their
//! documents define are translated; nothing is guessed: a bare `GPL` or `BSD` stays a name.

use spdx::{Expression, LicenseItem};

/// The longest declaration that is looked at as an expression, in bytes.
const EXPRESSION_BYTES_MAX: usize = 4_096;

/// Returns the SPDX expression that a declaration stands for.
pub(super) fn expression(declared: &str) -> Option<String> {
    let declared = declared.trim();
    if declared.is_empty() || declared.len() > EXPRESSION_BYTES_MAX {
        return None;
    }
    if is_valid(declared) {
        return Some(with_upper_operators(declared));
    }
    let translated = translated(declared)?;
    is_valid(&translated).then_some(translated)
}

/// Returns one expression for all declarations of a package, where each of them is one.
pub(super) fn joined(declared: &[String]) -> Option<String> {
    all_of(declared.iter().map(|one| expression(one)).collect::<Option<_>>()?)
}

/// Returns the expression that asks for all of `expressions`; none where there are none.
pub(super) fn all_of(mut expressions: Vec<String>) -> Option<String> {
    expressions.sort();
    expressions.dedup();
    if expressions.len() > 1 {
        for expression in &mut expressions {
            if expression.contains(" OR ") {
                *expression = format!("({expression})");
            }
        }
    }
    (!expressions.is_empty()).then(|| expressions.join(" AND "))
}

/// Returns the `LicenseRef-` names that an expression uses; a document has to define each.
pub(super) fn references(expression: &str) -> Vec<String> {
    let Ok(parsed) = Expression::parse(expression) else { return Vec::new() };
    parsed
        .requirements()
        .filter_map(|requirement| match &requirement.req.license {
            LicenseItem::Other(reference) => Some(reference.to_string()),
            LicenseItem::Spdx { .. } => None,
        })
        .collect()
}

/// Parses strictly. References to other documents and to additions of newer versions of SPDX are refused: nothing
/// could resolve them.
fn is_valid(text: &str) -> bool {
    !text.contains("DocumentRef-") && !text.contains("AdditionRef-") && Expression::parse(text).is_ok()
}

/// The parser takes operators of any case, SPDX 2.3 only upper ones.
fn with_upper_operators(text: &str) -> String {
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| match word.to_ascii_uppercase() {
            operator if matches!(operator.as_str(), "AND" | "OR" | "WITH") => operator,
            _ => word.to_owned(),
        })
        .collect();
    words.join(" ")
}

/// Translates short names whose meaning Debian or Fedora defines.
fn translated(name: &str) -> Option<String> {
    let exact = match name {
        "Expat" => "MIT",
        "Apache-2" | "ASL 2.0" => "Apache-2.0",
        "BSD-2-clause" => "BSD-2-Clause",
        "BSD-3-clause" => "BSD-3-Clause",
        "BSD-4-clause" => "BSD-4-Clause",
        "Artistic 2.0" | "Artistic-2" => "Artistic-2.0",
        "MPLv1.1" => "MPL-1.1",
        "MPLv2.0" => "MPL-2.0",
        "Boost" => "BSL-1.0",
        "CC0" => "CC0-1.0",
        "zlib" => "Zlib",
        "PSF-2" => "PSF-2.0",
        _ => return gnu(name),
    };
    Some(exact.to_owned())
}

/// Translates `GPL-2+`, `GPLv2+`, `LGPL-2.1`, `AGPLv3` and their like.
fn gnu(name: &str) -> Option<String> {
    let (family, rest) = ["AGPL", "LGPL", "GPL", "GFDL"]
        .iter()
        .find_map(|family| name.strip_prefix(family).map(|rest| (*family, rest)))?;
    let rest = rest.strip_prefix('v').or_else(|| rest.strip_prefix('-'))?;
    let (version, suffix) = match rest.strip_suffix('+') {
        Some(version) => (version, "or-later"),
        None => (rest, "only"),
    };
    let is_number = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if version.is_empty() || !is_number {
        return None;
    }
    let minor = if version.contains('.') { "" } else { ".0" };
    Some(format!("{family}-{version}{minor}-{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_debian_and_fedora_become_expressions_and_nothing_is_guessed() {
        for (declared, expected) in [
            ("MIT", Some("MIT")),
            ("MIT and (Apache-2.0 OR GPL-2.0-only)", Some("MIT AND (Apache-2.0 OR GPL-2.0-only)")),
            ("GPL-2+", Some("GPL-2.0-or-later")),
            ("GPLv3", Some("GPL-3.0-only")),
            ("LGPL-2.1+", Some("LGPL-2.1-or-later")),
            ("GPL-2.0+", Some("GPL-2.0-or-later")),
            ("Expat", Some("MIT")),
            ("LicenseRef-Fedora-Public-Domain", Some("LicenseRef-Fedora-Public-Domain")),
            ("GPL", None),
            ("BSD", None),
            ("GPL-7", None),
            ("public-domain", None),
            ("GPLv2+ and MIT", None),
            ("DocumentRef-x:LicenseRef-y", None),
            ("MIT OR", None),
            (" ", None),
            ("<script>", None),
        ] {
            assert_eq!(expression(declared).as_deref(), expected, "{declared}");
        }
        assert_eq!(expression(&"(".repeat(100_000)), None);
    }

    #[test]
    fn several_declarations_all_apply() {
        let declared = ["MIT OR Apache-2.0", "Expat", "MIT", "GPL-2+"].map(ToOwned::to_owned);
        assert_eq!(joined(&declared).unwrap(), "GPL-2.0-or-later AND MIT AND (MIT OR Apache-2.0)");
        assert_eq!(joined(&["MIT".to_owned(), "custom".to_owned()]), None);
        assert_eq!(joined(&[]), None);
    }
}
