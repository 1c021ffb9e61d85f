//! Classes of names and of expressions.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use super::{Expression, LicenseClass};
use crate::pattern::fits;
use crate::table::rows;

const LICENSES: &str = include_str!("../../data/licenses.tsv");
const EXCEPTIONS: &str = include_str!("../../data/exceptions.tsv");
/// The longest name that is looked up, in bytes.
const NAME_BYTES_MAX: usize = 300;
/// Most names of one name that are told.
const NAMES_MAX: usize = 32;

/// What an expression asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Of choices the mildest, of sums the strictest.
    pub class: LicenseClass,
    /// The names that make it so, as written, sorted.
    pub names: BTreeSet<String>,
    /// Names that nobody knows and that no known choice makes needless, as written, sorted.
    pub unknown: BTreeSet<String>,
    /// Names that ask for source, and that are part of what was chosen.
    pub copyleft: BTreeSet<String>,
}

impl Judged {
    fn of(name: &str) -> Self {
        let class = class_of_name(name);
        let one = || BTreeSet::from([name.to_owned()]);
        Self {
            class,
            names: one(),
            unknown: if class == LicenseClass::Unknown { one() } else { BTreeSet::new() },
            copyleft: if class.asks_for_source() { one() } else { BTreeSet::new() },
        }
    }

    fn and(mut self, other: Self) -> Self {
        match self.class.cmp(&other.class) {
            std::cmp::Ordering::Less => {
                self.class = other.class;
                self.names = other.names;
            }
            std::cmp::Ordering::Equal => self.names.extend(other.names),
            std::cmp::Ordering::Greater => {}
        }
        self.unknown.extend(other.unknown);
        self.copyleft.extend(other.copyleft);
        self
    }
}

/// Judges one expression.
pub fn classify(text: &str) -> Judged {
    // Some names hold commas; wider patterns must not swallow a choice.
    if let Some(class) = table().exact.get(normal(text).as_str()) {
        return Judged { class: *class, ..Judged::of(text.trim()) };
    }
    judge(&Expression::parse(text))
}

/// Judges several expressions that all hold; none where there are none.
pub fn classify_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<Judged> {
    sum(texts.into_iter().map(classify))
}

/// Adds up what was judged already; none where there is nothing.
pub(crate) fn sum(parts: impl Iterator<Item = Judged>) -> Option<Judged> {
    parts.reduce(Judged::and)
}

/// Judges an expression that was already read.
pub(super) fn judge(expression: &Expression) -> Judged {
    match expression {
        Expression::Name(name) => Judged::of(name),
        Expression::All(parts) => {
            parts.iter().map(judge).reduce(Judged::and).unwrap_or_else(|| Judged::of(""))
        }
        Expression::Any(parts) => {
            // The first of equals, so that the answer does not depend on anything else.
            parts.iter().map(judge).min_by_key(|judged| judged.class).unwrap_or_else(|| Judged::of(""))
        }
    }
}

/// Returns the class of one name, with `with …` where it has that; several known names in a row all hold.
pub fn class_of_name(name: &str) -> LicenseClass {
    let normal = normal(name);
    if name.trim().len() > NAME_BYTES_MAX {
        // What is cut off might forbid.
        return by_pattern(&normal).unwrap_or(LicenseClass::Unknown).max(LicenseClass::Unknown);
    }
    if let Some(class) = table().exact.get(normal.as_str()) {
        return *class;
    }
    let words: Vec<&str> = name.split_whitespace().collect();
    if let Some(at) = words.iter().position(|word| word.eq_ignore_ascii_case("with")) {
        let (base, addition) = words.split_at(at);
        let addition = self::normal(&addition.iter().skip(1).copied().collect::<Vec<_>>().join(" "));
        return with_addition(class_of_name(&base.join(" ")), &addition, &normal);
    }
    if words.len() > 1 { of_words(&words, &normal) } else { of_word(&normal) }
}

/// One word, in the form of the tables.
fn of_word(word: &str) -> LicenseClass {
    if let Some(class) = table().exact.get(word) {
        return *class;
    }
    if let Some((base, addition)) = word.split_once("-with-") {
        return with_addition(of_word(base), addition, word);
    }
    let pattern = by_pattern(word);
    if word.contains(['/', '|']) {
        // Whether the taker may choose is not said: the strictest counts.
        return strictest(word.split(['/', '|'])).max(pattern.unwrap_or(LicenseClass::Permissive));
    }
    let parts: Vec<&str> = word.split('+').filter(|part| !part.is_empty()).collect();
    if parts.len() > 1 && strictest(parts.iter().copied()) != LicenseClass::Unknown {
        return strictest(parts.iter().copied());
    }
    pattern.unwrap_or(LicenseClass::Unknown)
}

/// Several words: a list of names without operators, as Alpine writes them, or one long name.
fn of_words(words: &[&str], normal: &str) -> LicenseClass {
    let words: Vec<String> = words.iter().map(|word| self::normal(word.trim_matches(['(', ')']))).collect();
    let classes: Vec<LicenseClass> = words.iter().map(|word| of_word(word)).collect();
    let is_known = |class: &LicenseClass| *class != LicenseClass::Unknown;
    let is_silent = words.iter().skip(1).any(|word| ["custom", "other", "unknown"].contains(&word.as_str()));
    if classes.first().is_some_and(is_known) && (is_silent || classes.iter().skip(1).any(is_known)) {
        let named = words.iter().zip(&classes).filter(|(word, _)| !is_filler(word));
        return named.map(|(_, class)| *class).max().unwrap_or(LicenseClass::Unknown);
    }
    by_pattern(normal).unwrap_or(LicenseClass::Unknown)
}

/// Words that stand beside names and tell nothing themselves.
fn is_filler(word: &str) -> bool {
    let number = word.trim_start_matches('v').trim_end_matches('+');
    let is_number =
        !number.is_empty() && number.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    is_number
        || ["", "license", "licenses", "version", "software", "public", "general", "style", "like", "only"]
            .contains(&word)
}

fn strictest<'a>(parts: impl Iterator<Item = &'a str>) -> LicenseClass {
    let class = |part: &str| {
        let exact = table().exact.get(part).copied();
        exact.or_else(|| by_pattern(part)).unwrap_or(LicenseClass::Unknown)
    };
    parts.filter(|part| !part.is_empty()).take(NAMES_MAX).map(class).max().unwrap_or(LicenseClass::Unknown)
}

/// The class of a licence with an addition; `whole` is all of it.
fn with_addition(class: LicenseClass, addition: &str, whole: &str) -> LicenseClass {
    if let Some(forbidding) = by_pattern(whole).filter(|found| !found.may_be_sold()) {
        return class.max(forbidding);
    }
    let effect = rows::<2>(EXCEPTIONS)
        .find(|[_, patterns]| patterns.split_whitespace().any(|pattern| fits(pattern, addition)))
        .map(|[effect, _]| effect);
    match effect {
        Some("linking") if class == LicenseClass::Copyleft => LicenseClass::WeakCopyleft,
        Some(_) => class,
        None => class.max(LicenseClass::Unknown),
    }
}

/// Brings a name into the form of the tables.
fn normal(name: &str) -> String {
    let mut found = String::new();
    for letter in
        name.trim_matches(|letter: char| letter.is_whitespace() || "'\"`.,;".contains(letter)).chars()
    {
        if found.len() >= NAME_BYTES_MAX {
            break;
        }
        match letter {
            '_' | '~' => found.push('-'),
            letter if letter.is_whitespace() => {
                if !found.ends_with('-') {
                    found.push('-');
                }
            }
            letter => found.extend(letter.to_lowercase()),
        }
    }
    let found = found.strip_prefix("the-").map(str::to_owned).unwrap_or(found);
    let found = found.strip_prefix("license-::-").map(str::to_owned).unwrap_or(found);
    let found = found.strip_prefix("osi-approved-::-").map(str::to_owned).unwrap_or(found);
    found.replace("licence", "license").replace("-version-", "-")
}

struct Known {
    exact: HashMap<&'static str, LicenseClass>,
    patterns: Vec<(&'static str, LicenseClass)>,
}

fn table() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut found = Known { exact: HashMap::new(), patterns: Vec::new() };
        for [class, patterns] in rows::<2>(LICENSES) {
            let Some(class) = LicenseClass::parse(class) else { continue };
            for pattern in patterns.split_whitespace() {
                if pattern.contains('*') {
                    found.patterns.push((pattern, class));
                } else {
                    found.exact.entry(pattern).or_insert(class);
                }
            }
        }
        found
    })
}

fn by_pattern(name: &str) -> Option<LicenseClass> {
    table().patterns.iter().find(|(pattern, _)| fits(pattern, name)).map(|(_, class)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::assert_shape;

    #[test]
    fn tables_are_well_formed() {
        assert_shape::<2>(LICENSES);
        assert_shape::<2>(EXCEPTIONS);
        let mut seen = BTreeSet::new();
        for [class, patterns] in rows::<2>(LICENSES) {
            assert!(LicenseClass::parse(class).is_some(), "{class}");
            for pattern in patterns.split_whitespace() {
                assert!(seen.insert(pattern), "{pattern} stands twice");
                assert_eq!(pattern, pattern.to_lowercase().replace(['_', '~'], "-"));
                assert!(pattern.trim_matches('*').len() > 1 || pattern == "x", "{pattern} is too wide");
            }
        }
        for [effect, _] in rows::<2>(EXCEPTIONS) {
            assert!(["linking", "same"].contains(&effect));
        }
    }

    #[test]
    fn knows_names_of_every_origin() {
        use LicenseClass as C;
        for (text, class) in [
            ("MIT", C::Permissive),
            ("Expat", C::Permissive),
            ("Apache-2.0 WITH LLVM-exception", C::Permissive),
            ("ASL 2.0", C::Permissive),
            ("Apache License 2.0", C::Permissive),
            ("License :: OSI Approved :: MIT License", C::Permissive),
            ("BSD with advertising", C::Permissive),
            ("BSD-3-Clause", C::Permissive),
            ("BSD (3 clause)", C::Permissive),
            ("Public Domain", C::Permissive),
            ("CC-BY-4.0", C::Permissive),
            ("MIT OR Apache-2.0", C::Permissive),
            ("MIT/Apache-2.0", C::Permissive),
            ("Artistic or GPL-1+", C::Permissive),
            ("LGPLv2+", C::WeakCopyleft),
            ("LGPL-2.1-or-later", C::WeakCopyleft),
            ("MPL-2.0", C::WeakCopyleft),
            ("MPLv1.1", C::WeakCopyleft),
            ("GPL-2.0-only WITH Classpath-exception-2.0", C::WeakCopyleft),
            ("GPLv3+ with exceptions", C::Copyleft),
            ("GPL-2+ with OpenSSL exception", C::Copyleft),
            ("GPLv2+ and LGPLv2+ and BSD and Public Domain", C::Copyleft),
            ("(GPLv2 or MPLv1.1) and GPLv3", C::Copyleft),
            ("GPL-2.0-or-later LGPL-2.1-or-later", C::Copyleft),
            ("MIT GPL-2.0-or-later", C::Copyleft),
            ("Apache-2.0 / MIT", C::Permissive),
            ("MIT/GPL-2", C::Copyleft),
            ("MIT/Wubble", C::Unknown),
            ("MIT custom", C::Unknown),
            ("MIT Proprietary", C::Proprietary),
            ("MIT GPL-2 with OpenSSL exception", C::Copyleft),
            ("GPL-2.0-with-classpath-exception", C::WeakCopyleft),
            ("Mozilla Public License 2.0 (MPL 2.0)", C::WeakCopyleft),
            ("GNU Lesser General Public License v3 or later (LGPLv3+)", C::WeakCopyleft),
            ("License :: Other/Proprietary License", C::Proprietary),
            ("BSD 3-Clause License", C::Permissive),
            ("Python Software Foundation License", C::Permissive),
            ("Boost Software License 1.0", C::Permissive),
            ("PolyForm-Shield-1.0.0", C::SourceAvailable),
            ("GNU General Public License v2 (GPLv2)", C::Copyleft),
            ("AGPL-3.0-only", C::NetworkCopyleft),
            ("AGPLv3", C::NetworkCopyleft),
            ("SSPL-1.0", C::SourceAvailable),
            ("Server Side Public License", C::SourceAvailable),
            ("BUSL-1.1", C::SourceAvailable),
            ("BSL-1.1", C::SourceAvailable),
            ("BSL-1.0", C::Permissive),
            ("Business Source License 1.1", C::SourceAvailable),
            ("Elastic-2.0", C::SourceAvailable),
            ("Elastic License", C::SourceAvailable),
            ("RSALv2", C::SourceAvailable),
            ("Confluent Community License", C::SourceAvailable),
            ("Apache-2.0 with Commons Clause", C::SourceAvailable),
            ("Apache-2.0 WITH Commons-Clause", C::SourceAvailable),
            ("CC-BY-NC-4.0", C::NonCommercial),
            ("CC-BY-NC-SA-3.0", C::NonCommercial),
            ("Creative Commons Attribution-NonCommercial 4.0", C::NonCommercial),
            ("Commercial", C::Proprietary),
            ("Proprietary", C::Proprietary),
            ("Oracle Proprietary", C::Proprietary),
            ("NVIDIA Proprietary", C::Proprietary),
            ("UNLICENSED", C::Proprietary),
            ("Redistributable, no modification permitted", C::Proprietary),
            ("GPL-2.0 or Commercial", C::Copyleft),
            ("GPL-2 with further restrictions", C::Unknown),
            ("MIT and Wubble", C::Unknown),
            ("MIT or Wubble", C::Permissive),
            ("Wubble and Proprietary", C::Proprietary),
            ("", C::Unknown),
        ] {
            assert_eq!(classify(text).class, class, "{text}");
        }
    }

    #[test]
    fn tells_what_decides_and_what_is_unknown() {
        let judged = classify("Wubble and Proprietary and GPL-2+");
        assert_eq!(judged.names, ["Proprietary".to_owned()].into());
        assert_eq!(judged.unknown, ["Wubble".to_owned()].into());
        assert_eq!(judged.copyleft, ["GPL-2+".to_owned()].into());
        assert!(classify("GPL-2+ or MIT").copyleft.is_empty(), "MIT may be chosen");
        assert_eq!(classify_all([]), None);
        assert_eq!(classify(&("MIT-".to_owned() + &"x".repeat(400))).class, LicenseClass::Unknown);
    }
}
