//! One package of an index, `Packages` (Debian policy, section 5.3; the wiki page `DebianRepository/Format`).
//!
//! An index has some 65,000 packages, so relations stay text until somebody asks for them. They are checked when the
//! record is made: reading them later cannot fail.

use std::fmt;

use amint_types::Digest;

use crate::control::Paragraph;
use crate::relation::{self, Dependency, ParseRelationError, Relation, RelationText};
use crate::version::{ParseVersionError, Version};

/// A binary package that an index offers.
#[derive(Clone, Debug)]
pub struct PackageRecord {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Its architecture, or `all`.
    pub architecture: String,
    /// The source package that it was built from.
    pub source: String,
    /// The version of the source package.
    pub source_version: String,
    /// How it goes together with packages of other architectures.
    pub multi_arch: MultiArch,
    /// Whether every system must have it (`Essential: yes`).
    pub is_essential: bool,
    /// Whether `dpkg` refuses to remove it (`Protected: yes`).
    pub is_protected: bool,
    /// How important it is.
    pub priority: Priority,
    /// What it is about, such as `net` or `contrib/utils`; empty if the index does not tell.
    pub section: String,
    /// Disk space that it takes when installed, in KiB; 0 if the index does not tell.
    pub installed_kib: u64,
    /// Where its file lies below the archive's root.
    pub filename: String,
    /// Size of its file.
    pub bytes: u64,
    /// Digest of its file.
    pub sha256: Digest,
    /// The index file that offers it: what [`Universe::add_index`](crate::universe::Universe::add_index) returned.
    pub origin: usize,
    /// Further index files that offer the very same file.
    pub other_origins: Box<[usize]>,
    relations: Box<str>,
    /// Where each kind's text ends in `relations`, in the order of [`RelationKind`].
    ends: [u32; RelationKind::COUNT],
}

/// A field that relates a package to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// Needed even before it is unpacked.
    PreDepends,
    /// Needed before it works.
    Depends,
    /// Excludes others, even unpacked ones.
    Conflicts,
    /// Excludes others while it is configured.
    Breaks,
    /// Found together with it in all but unusual installations.
    Recommends,
    /// Names that it stands for.
    Provides,
}

/// How a package goes together with packages of other architectures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MultiArch {
    /// It serves packages of its own architecture.
    #[default]
    No,
    /// It can be installed for several architectures at once, in one version.
    Same,
    /// It serves packages of every architecture.
    Foreign,
    /// It serves those of every architecture that ask for `name:any`.
    Allowed,
}

/// How important a package is (Debian policy, section 2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// No system works without it.
    Required,
    /// Everybody expects it on a Unix system.
    Important,
    /// Part of a small text-mode system.
    Standard,
    /// All others.
    #[default]
    Optional,
    /// An old name for rare packages.
    Extra,
}

/// A paragraph does not describe a package.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// A field is not there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// The name is none that a package can have.
    #[error("`{0}` is not a package name")]
    Name(String),
    /// The version makes no sense.
    #[error("`Version` makes no sense")]
    Version(#[from] ParseVersionError),
    /// A field has a value that makes no sense.
    #[error("`{field}` is `{value}`, which makes no sense")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// A field of relations makes no sense.
    #[error("`{field}` makes no sense")]
    Relation {
        /// The field.
        field: &'static str,
        /// Why.
        #[source]
        source: ParseRelationError,
    },
}

impl RelationKind {
    /// All kinds, in the order in which `apt` reads them.
    pub const ALL: [Self; Self::COUNT] =
        [Self::PreDepends, Self::Depends, Self::Conflicts, Self::Breaks, Self::Recommends, Self::Provides];
    const COUNT: usize = 6;

    /// Returns the field's name.
    pub const fn field(self) -> &'static str {
        match self {
            Self::PreDepends => "Pre-Depends",
            Self::Depends => "Depends",
            Self::Conflicts => "Conflicts",
            Self::Breaks => "Breaks",
            Self::Recommends => "Recommends",
            Self::Provides => "Provides",
        }
    }
}

impl PackageRecord {
    /// Reads a paragraph of the index `origin`.
    pub fn from_paragraph(paragraph: &Paragraph, origin: usize) -> Result<Self, PackageError> {
        Self::visit_paragraph(paragraph, origin, |_| ())
    }

    /// Reads a paragraph, and shows all names in it as `apt` numbers them: the package's own, then those that its
    /// relations mention, field by field.
    ///
    /// Relations are checked anyway, so that it costs nothing to look at their names.
    pub(crate) fn visit_paragraph(
        paragraph: &Paragraph,
        origin: usize,
        mut visit: impl FnMut(Mention<'_>),
    ) -> Result<Self, PackageError> {
        let fields = Fields::of(paragraph);
        let required = |field, value: Option<&str>| match value {
            Some(value) if !value.is_empty() => Ok(value.to_owned()),
            _ => Err(PackageError::Missing(field)),
        };
        let name = required("Package", fields.package)?;
        if !relation::is_package_name(&name) {
            return Err(PackageError::Name(name.chars().take(100).collect()));
        }
        let version: Version = required("Version", fields.version)?.parse()?;
        let (source, source_version) = match fields.source.unwrap_or(&name).split_once('(') {
            Some((source, rest)) => (source.trim(), rest.trim_end_matches(')').trim()),
            None => (fields.source.unwrap_or(&name), version.as_str()),
        };
        let sha256 = required("SHA256", fields.sha256)?;
        let sha256 = sha256.parse().map_err(|_| bad("SHA256", &sha256))?;
        let bytes = required("Size", fields.size)?;
        visit(Mention::Own(&name));
        let (relations, ends) = fields.pack(&mut visit)?;
        Ok(Self {
            architecture: required("Architecture", fields.architecture)?,
            source: source.to_owned(),
            source_version: source_version.to_owned(),
            multi_arch: multi_arch(fields.multi_arch)?,
            is_essential: flag("Essential", fields.essential)?,
            is_protected: flag("Protected", fields.protected)? || flag("Important", fields.important)?,
            priority: fields.priority.map_or(Priority::default(), Priority::from_name),
            section: fields.section.unwrap_or_default().to_owned(),
            installed_kib: number("Installed-Size", fields.installed_size.unwrap_or("0"))?,
            filename: required("Filename", fields.filename)?,
            bytes: number("Size", &bytes)?,
            sha256,
            origin,
            other_origins: Box::default(),
            relations,
            ends,
            name,
            version,
        })
    }

    /// Returns the text of a field of relations, empty if there is none.
    pub fn relation_text(&self, kind: RelationKind) -> &str {
        let index = kind as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.relations[start as usize..self.ends[index] as usize]
    }

    /// Reads `Pre-Depends`, `Depends` or `Recommends`.
    pub fn dependencies(&self, kind: RelationKind) -> Vec<Dependency> {
        relation::parse_dependencies(self.relation_text(kind)).unwrap_or_default()
    }

    /// Reads `Conflicts`, `Breaks` or `Provides`.
    pub fn relations(&self, kind: RelationKind) -> Vec<Relation> {
        relation::parse_relations(self.relation_text(kind)).unwrap_or_default()
    }

    /// Returns all index files that offer the package.
    pub fn origins(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::once(self.origin).chain(self.other_origins.iter().copied())
    }

    /// Tells whether both describe the very same file.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
            && self.version.as_str() == other.version.as_str()
            && self.architecture == other.architecture
    }
}

impl fmt::Display for PackageRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.name, self.version)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Required => "required",
            Self::Important => "important",
            Self::Standard => "standard",
            Self::Optional => "optional",
            Self::Extra => "extra",
        })
    }
}

impl Priority {
    fn from_name(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "required" => Self::Required,
            "important" => Self::Important,
            "standard" => Self::Standard,
            "optional" => Self::Optional,
            // As `apt` reads unknown words.
            _ => Self::Extra,
        }
    }
}

/// The fields of interest, found in one pass over the paragraph.
#[derive(Default)]
struct Fields<'a> {
    package: Option<&'a str>,
    version: Option<&'a str>,
    architecture: Option<&'a str>,
    source: Option<&'a str>,
    multi_arch: Option<&'a str>,
    essential: Option<&'a str>,
    protected: Option<&'a str>,
    important: Option<&'a str>,
    priority: Option<&'a str>,
    section: Option<&'a str>,
    installed_size: Option<&'a str>,
    filename: Option<&'a str>,
    size: Option<&'a str>,
    sha256: Option<&'a str>,
    relations: [Option<&'a str>; RelationKind::COUNT],
    /// `Suggests`, `Replaces` and `Enhances`.
    others: [Option<&'a str>; 3],
}

/// A name that a paragraph mentions.
pub(crate) enum Mention<'a> {
    /// The package's own.
    Own(&'a str),
    /// One that it provides.
    Provided(RelationText<'a>),
    /// Any other one.
    Other(RelationText<'a>),
}

impl<'a> Fields<'a> {
    fn of(paragraph: &'a Paragraph) -> Self {
        let mut fields = Self::default();
        for (name, value) in paragraph.iter() {
            if let Some(place) = fields.place(name) {
                // The first one counts, as in `Paragraph::get`.
                place.get_or_insert(value);
            }
        }
        fields
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        // Most fields of an index are of no interest: their lengths tell.
        Some(match name.len() {
            4 if is("Size") => &mut self.size,
            6 if is("SHA256") => &mut self.sha256,
            6 if is("Source") => &mut self.source,
            7 if is("Package") => &mut self.package,
            7 if is("Version") => &mut self.version,
            7 if is("Section") => &mut self.section,
            8 if is("Priority") => &mut self.priority,
            8 if is("Filename") => &mut self.filename,
            9 if is("Essential") => &mut self.essential,
            9 if is("Protected") => &mut self.protected,
            9 if is("Important") => &mut self.important,
            10 if is("Multi-Arch") => &mut self.multi_arch,
            12 if is("Architecture") => &mut self.architecture,
            14 if is("Installed-Size") => &mut self.installed_size,
            8 if is("Suggests") => &mut self.others[0],
            8 if is("Replaces") => &mut self.others[1],
            8 if is("Enhances") => &mut self.others[2],
            6..=11 => {
                let kind = RelationKind::ALL.into_iter().find(|kind| is(kind.field()))?;
                &mut self.relations[kind as usize]
            }
            _ => return None,
        })
    }

    /// Joins the texts of all relations, each checked.
    fn pack(
        &self,
        visit: &mut impl FnMut(Mention<'_>),
    ) -> Result<(Box<str>, [u32; RelationKind::COUNT]), PackageError> {
        let mut text = String::with_capacity(self.relations.iter().flatten().map(|text| text.len()).sum());
        let mut ends = [0; RelationKind::COUNT];
        for kind in RelationKind::ALL {
            if kind == RelationKind::Provides {
                self.others.iter().flatten().for_each(|text| visit_others(text, visit));
            }
            let relations = self.relations[kind as usize].unwrap_or_default();
            check(kind, relations, visit)
                .map_err(|source| PackageError::Relation { field: kind.field(), source })?;
            text.push_str(relations);
            ends[kind as usize] = u32::try_from(text.len()).map_err(|_| bad(kind.field(), relations))?;
        }
        Ok((text.into_boxed_str(), ends))
    }
}

fn check(
    kind: RelationKind,
    text: &str,
    visit: &mut impl FnMut(Mention<'_>),
) -> Result<(), ParseRelationError> {
    for group in relation::groups(text) {
        match kind {
            RelationKind::Provides => visit(Mention::Provided(relation::read_provided(group)?)),
            RelationKind::Conflicts | RelationKind::Breaks => visit(Mention::Other(relation::read(group)?)),
            _ => {
                relation::alternatives(group)
                    .try_for_each(|one| one.map(|one| visit(Mention::Other(one))))?;
            }
        }
    }
    Ok(())
}

/// Shows the names of a field that does not matter otherwise: whatever is malformed in it does not matter either.
fn visit_others(text: &str, visit: &mut impl FnMut(Mention<'_>)) {
    for group in relation::groups(text) {
        relation::alternatives(group).filter_map(Result::ok).for_each(|one| visit(Mention::Other(one)));
    }
}

fn bad(field: &'static str, value: &str) -> PackageError {
    PackageError::Value { field, value: value.chars().take(100).collect() }
}

fn number(field: &'static str, value: &str) -> Result<u64, PackageError> {
    value.parse().map_err(|_| bad(field, value))
}

fn flag(field: &'static str, value: Option<&str>) -> Result<bool, PackageError> {
    match value {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case("yes") => Ok(true),
        Some(value) if value.eq_ignore_ascii_case("no") => Ok(false),
        Some(value) => Err(bad(field, value)),
    }
}

fn multi_arch(value: Option<&str>) -> Result<MultiArch, PackageError> {
    match value {
        None | Some("no") => Ok(MultiArch::No),
        Some("same") => Ok(MultiArch::Same),
        Some("foreign") => Ok(MultiArch::Foreign),
        Some("allowed") => Ok(MultiArch::Allowed),
        Some(value) => Err(bad("Multi-Arch", value)),
    }
}

#[cfg(test)]
mod tests;
