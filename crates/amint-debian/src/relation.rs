//! Relations between packages (Debian policy, section 7.1; `deb-control(5)`).
//!
//! Only the forms of binary packages are read: lists of architectures and build profiles belong to sources, and are
//! refused as `dpkg` refuses them. Empty entries between commas are passed over as `apt` does, since archives of
//! others have them.

use std::cmp::Ordering;
use std::fmt;

use crate::version::{self, Version};

/// Relations of which any one suffices, the preferred one first.
pub type Dependency = Vec<Relation>;

/// A relation to a package, or to versions of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The package's name.
    pub name: String,
    /// What follows the name after a colon: `any`, `native` or an architecture.
    pub arch_qualifier: Option<String>,
    /// Which versions are meant, all if `None`.
    pub constraint: Option<(Operator, Version)>,
}

/// How a version is compared with that of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `<<`.
    Earlier,
    /// `<=`; the old form `<` is the same.
    EarlierOrEqual,
    /// `=`.
    Equal,
    /// `>=`; the old form `>` is the same.
    LaterOrEqual,
    /// `>>`.
    Later,
}

/// A relation as it lies in the text of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RelationText<'a> {
    pub(crate) name: &'a str,
    pub(crate) arch_qualifier: Option<&'a str>,
    pub(crate) constraint: Option<(Operator, &'a str)>,
}

/// A field of relations makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{entry}` is not a relation to a package: {reason}")]
pub struct ParseRelationError {
    entry: String,
    reason: &'static str,
}

impl Operator {
    /// Tells whether `found` is a version that is meant by `wanted`.
    pub fn accepts(self, found: &Version, wanted: &Version) -> bool {
        self.accepts_order(found.cmp(wanted))
    }

    pub(crate) fn accepts_order(self, order: Ordering) -> bool {
        match self {
            Self::Earlier => order.is_lt(),
            Self::EarlierOrEqual => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::LaterOrEqual => order.is_ge(),
            Self::Later => order.is_gt(),
        }
    }

    fn split(text: &str) -> Option<(Self, &str)> {
        let (operator, length) = match *text.as_bytes() {
            [b'<', b'<', ..] => (Self::Earlier, 2),
            [b'<', b'=', ..] => (Self::EarlierOrEqual, 2),
            [b'>', b'=', ..] => (Self::LaterOrEqual, 2),
            [b'>', b'>', ..] => (Self::Later, 2),
            [b'=', ..] => (Self::Equal, 1),
            [b'<', ..] => (Self::EarlierOrEqual, 1),
            [b'>', ..] => (Self::LaterOrEqual, 1),
            _ => return None,
        };
        Some((operator, &text[length..]))
    }
}

impl Relation {
    /// Tells whether `version` is one that is meant.
    pub fn accepts(&self, version: &Version) -> bool {
        self.constraint.as_ref().is_none_or(|(operator, wanted)| operator.accepts(version, wanted))
    }
}

impl From<RelationText<'_>> for Relation {
    fn from(text: RelationText<'_>) -> Self {
        Self {
            name: text.name.to_owned(),
            arch_qualifier: text.arch_qualifier.map(str::to_owned),
            constraint: text.constraint.map(|(operator, version)| {
                (operator, version.parse().expect("the version was checked when the relation was read"))
            }),
        }
    }
}

/// Reads a field such as `Depends`: all of the dependencies are needed.
pub fn parse_dependencies(field: &str) -> Result<Vec<Dependency>, ParseRelationError> {
    let group = |group: &str| alternatives(group).map(|one| one.map(Relation::from)).collect();
    groups(field).map(group).collect()
}

/// Reads a field without alternatives, such as `Conflicts`.
pub fn parse_relations(field: &str) -> Result<Vec<Relation>, ParseRelationError> {
    groups(field).map(|entry| read(entry).map(Relation::from)).collect()
}

/// Reads a field `Provides`, where versions are only given with `=`.
pub fn parse_provides(field: &str) -> Result<Vec<Relation>, ParseRelationError> {
    groups(field).map(|entry| read_provided(entry).map(Relation::from)).collect()
}

/// Returns the entries between the commas of a field.
pub(crate) fn groups(field: &str) -> impl Iterator<Item = &str> {
    field.split(',').map(str::trim_ascii).filter(|group| !group.is_empty())
}

/// Reads the alternatives of one entry.
pub(crate) fn alternatives(
    group: &str,
) -> impl Iterator<Item = Result<RelationText<'_>, ParseRelationError>> + use<'_> {
    group.split('|').map(read)
}

/// Reads an entry of `Provides`.
pub(crate) fn read_provided(entry: &str) -> Result<RelationText<'_>, ParseRelationError> {
    let relation = read(entry)?;
    if relation.constraint.is_some_and(|(operator, _)| operator != Operator::Equal) {
        return Err(error(entry, "only one version can be provided, with `=`"));
    }
    Ok(relation)
}

/// Reads one relation: `name[:qualifier] [(operator version)]`.
///
/// An index has a million of them, hence the bytes.
pub(crate) fn read(entry: &str) -> Result<RelationText<'_>, ParseRelationError> {
    let text = entry.trim_ascii();
    let (name, rest) = text.split_at(text.bytes().take_while(|byte| is_name_byte(*byte)).count());
    if !name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return Err(error(entry, "the package has no proper name"));
    }
    if rest.is_empty() {
        return Ok(RelationText { name, arch_qualifier: None, constraint: None });
    }
    let (arch_qualifier, rest) = match rest.strip_prefix(':') {
        Some(rest) => {
            let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
            let (qualifier, rest) = rest.split_at(rest.bytes().take_while(is_part).count());
            if qualifier.is_empty() {
                return Err(error(entry, "no architecture is after the colon"));
            }
            (Some(qualifier), rest)
        }
        None => (None, rest),
    };
    let constraint = match rest.trim_ascii_start().strip_prefix('(') {
        Some(inner) => Some(read_constraint(inner).map_err(|reason| error(entry, reason))?),
        None if rest.is_empty() => None,
        None => return Err(error(entry, "the package has no proper name")),
    };
    Ok(RelationText { name, arch_qualifier, constraint })
}

fn read_constraint(text: &str) -> Result<(Operator, &str), &'static str> {
    let inner = text.strip_suffix(')').ok_or("the bracket is not closed")?;
    let (operator, wanted) = Operator::split(inner.trim_ascii_start()).ok_or("no operator is given")?;
    let wanted = wanted.trim_ascii();
    version::check(wanted)?;
    Ok((operator, wanted))
}

/// Tells whether a text can name a package, in the form that `dpkg` accepts.
pub(crate) fn is_package_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_')
}

fn error(entry: &str, reason: &'static str) -> ParseRelationError {
    ParseRelationError { entry: entry.trim().chars().take(100).collect(), reason }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Earlier => "<<",
            Self::EarlierOrEqual => "<=",
            Self::Equal => "=",
            Self::LaterOrEqual => ">=",
            Self::Later => ">>",
        })
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        if let Some(qualifier) = &self.arch_qualifier {
            write!(formatter, ":{qualifier}")?;
        }
        if let Some((operator, version)) = &self.constraint {
            write!(formatter, " ({operator} {version})")?;
        }
        Ok(())
    }
}

/// Writes a dependency as it stands in a control file.
pub fn display_dependency(dependency: &[Relation]) -> String {
    dependency.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(field: &str) -> Vec<String> {
        parse_dependencies(field).unwrap().iter().map(|group| display_dependency(group)).collect()
    }

    #[test]
    fn reads_alternatives_versions_and_qualifiers() {
        assert_eq!(
            shown(
                "libc6 (>= 2.36),\n default-mta|mail-transport-agent , python3:any (<<3.14) ,x(=1),, g++:amd64,"
            ),
            [
                "libc6 (>= 2.36)",
                "default-mta | mail-transport-agent",
                "python3:any (<< 3.14)",
                "x (= 1)",
                "g++:amd64"
            ]
        );
        assert!(shown("").is_empty());
    }

    #[test]
    fn reads_the_old_operators_as_dpkg_does() {
        assert_eq!(shown("a (< 1), b (> 1)"), ["a (<= 1)", "b (>= 1)"]);
    }

    #[test]
    fn refuses_what_is_no_relation_of_a_binary_package() {
        for field in
            ["a [amd64]", "a <!nocheck>", "a (>= 1", "a (1)", "a (>= )", "a || b", "|", "a b", "-a", "a:"]
        {
            assert!(parse_dependencies(field).is_err(), "{field}");
        }
        assert!(parse_relations("a | b").is_err());
        assert!(parse_provides("a (>= 1)").is_err());
        assert_eq!(parse_provides("a (= 1), b").unwrap().len(), 2);
    }

    #[test]
    fn accepts_versions_by_the_operator() {
        let accepted = |operator: &str| {
            let relation = &parse_relations(&format!("a ({operator} 2)")).unwrap()[0];
            ["1", "2", "3"].map(|version| relation.accepts(&version.parse().unwrap()))
        };
        assert_eq!(accepted("<<"), [true, false, false]);
        assert_eq!(accepted("<="), [true, true, false]);
        assert_eq!(accepted("="), [false, true, false]);
        assert_eq!(accepted(">="), [false, true, true]);
        assert_eq!(accepted(">>"), [false, false, true]);
    }
}
