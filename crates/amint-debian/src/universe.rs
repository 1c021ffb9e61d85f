//! All packages that some index files offer, found by name and by what they provide.

use std::collections::HashMap;
use std::io::BufRead;

use crate::control::{ControlError, Paragraph, Paragraphs};
use crate::package::{Mention, PackageError, PackageRecord};
use crate::relation::RelationText;
use crate::version::Version;

/// What is known of an index file, out of its `Release` file and the place it came from.
///
/// The words are those of `apt_preferences(5)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginInfo {
    /// How people call it, and what a pin or a wish for a suite may name: the suite as it was asked for, such as
    /// `trixie-backports`, or `repo:NAME`.
    pub id: String,
    /// `Suite`, such as `stable-backports`.
    pub suite: String,
    /// `Codename`, such as `trixie-backports`.
    pub codename: String,
    /// `Origin`, such as `Debian`.
    pub vendor: String,
    /// `Label`, such as `Debian-Security`.
    pub label: String,
    /// The component, such as `main`.
    pub component: String,
    /// `NotAutomatic`: nothing is taken from it unless asked for.
    pub not_automatic: bool,
    /// `ButAutomaticUpgrades`: what was once taken from it is updated from it.
    pub but_automatic_upgrades: bool,
    /// The priority of all its versions, in place of what the fields above tell; a pin goes before it.
    pub priority: Option<i32>,
}

impl OriginInfo {
    /// Returns the priority of its versions if no pin tells another one.
    pub fn default_priority(&self) -> i32 {
        match (self.priority, self.not_automatic, self.but_automatic_upgrades) {
            (Some(priority), _, _) => priority,
            (None, true, true) => 100,
            (None, true, false) => 1,
            (None, false, _) => 500,
        }
    }

    /// Tells whether the suite is called `name` in any way.
    pub fn is_called(&self, name: &str) -> bool {
        !name.is_empty() && (self.id == name || self.suite == name || self.codename == name)
    }
}

/// An index file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// It is no control data.
    #[error("the index of `{index}` could not be read")]
    Control {
        /// The suite and component.
        index: String,
        /// Why not.
        #[source]
        source: ControlError,
    },
    /// A paragraph does not describe a package.
    #[error("`{package}` in the index of `{index}` (paragraph {paragraph}) is malformed")]
    Package {
        /// The suite and component.
        index: String,
        /// The package's name, as far as known.
        package: String,
        /// The number of the paragraph, from 1.
        paragraph: usize,
        /// How.
        #[source]
        source: PackageError,
    },
}

/// A package that provides a name.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its place in [`Universe::packages`].
    pub package: usize,
    /// The version that is provided, if one is told.
    pub version: Option<Version>,
}

/// All packages of some index files.
#[derive(Debug, Default)]
pub struct Universe {
    origins: Vec<OriginInfo>,
    packages: Vec<PackageRecord>,
    /// The number of each package's name.
    name_ids: Vec<u32>,
    ids: HashMap<Box<str>, u32>,
    names: Vec<NameEntry>,
}

/// What a name stands for.
#[derive(Debug, Default)]
struct NameEntry {
    packages: Vec<u32>,
    providers: Vec<Provider>,
}

impl Universe {
    /// Starts without any package.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds all packages of an index file, `Packages` without compression, and returns the number of its origin.
    ///
    /// Indexes are added in the order of the sources: as for `apt`, it decides between packages that are alike
    /// otherwise. After an error the universe holds a part of the index and is of no use.
    pub fn add_index(&mut self, origin: OriginInfo, reader: impl BufRead) -> Result<usize, IndexError> {
        let index = if origin.component.is_empty() {
            origin.id.clone()
        } else {
            format!("{}/{}", origin.id, origin.component)
        };
        let origin_number = self.origins.len();
        self.origins.push(origin);
        let mut paragraphs = Paragraphs::new(reader);
        let mut paragraph = Paragraph::default();
        let mut count = 0;
        loop {
            match paragraphs.next_into(&mut paragraph) {
                Ok(true) => count += 1,
                Ok(false) => return Ok(origin_number),
                Err(source) => return Err(IndexError::Control { index, source }),
            }
            if let Err(source) = self.add(&paragraph, origin_number) {
                let package = paragraph.get("Package").unwrap_or("?").chars().take(100).collect();
                return Err(IndexError::Package { index, package, paragraph: count, source });
            }
        }
    }

    fn add(&mut self, paragraph: &Paragraph, origin: usize) -> Result<(), PackageError> {
        let mut provided = Vec::new();
        let mut own = 0;
        let record = PackageRecord::visit_paragraph(paragraph, origin, |mention| match mention {
            Mention::Own(name) => own = self.intern(name),
            Mention::Provided(relation) => {
                provided.push((self.intern_relation(&relation), version_of(&relation)));
            }
            // `apt` takes `name:any` for a name of its own.
            Mention::Other(relation) if relation.arch_qualifier.is_none() => drop(self.intern(relation.name)),
            Mention::Other(_) => {}
        })?;
        for place in &self.names[own as usize].packages {
            let known = &mut self.packages[*place as usize];
            if known.is_same_file(&record) {
                let mut origins = std::mem::take(&mut known.other_origins).into_vec();
                origins.push(record.origin);
                known.other_origins = origins.into_boxed_slice();
                return Ok(());
            }
        }
        let place =
            u32::try_from(self.packages.len()).expect("an index of 4 billion packages fits no memory");
        self.names[own as usize].packages.push(place);
        for (id, version) in provided {
            self.names[id as usize].providers.push(Provider { package: place as usize, version });
        }
        self.name_ids.push(own);
        self.packages.push(record);
        Ok(())
    }

    fn intern_relation(&mut self, relation: &RelationText<'_>) -> u32 {
        match relation.arch_qualifier {
            Some(qualifier) => self.intern(&format!("{}:{qualifier}", relation.name)),
            None => self.intern(relation.name),
        }
    }

    /// Numbers a name, in the order in which `apt` meets them.
    ///
    /// Between providers that are alike otherwise, `apt` prefers the name it met last.
    fn intern(&mut self, name: &str) -> u32 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = u32::try_from(self.names.len()).expect("4 billion names fit no memory");
        self.ids.insert(name.into(), id);
        self.names.push(NameEntry::default());
        id
    }

    /// Returns all packages of all indexes.
    pub fn packages(&self) -> &[PackageRecord] {
        &self.packages
    }

    /// Returns the origins in the order in which they were added.
    pub fn origins(&self) -> &[OriginInfo] {
        &self.origins
    }

    /// Returns the places in [`Universe::packages`] of all versions of a package.
    pub fn versions(&self, name: &str) -> impl Iterator<Item = usize> + '_ {
        self.entry(name).into_iter().flat_map(|entry| entry.packages.iter().map(|place| *place as usize))
    }

    /// Returns the packages that provide a name, without those that have it.
    pub fn providers(&self, name: &str) -> &[Provider] {
        self.entry(name).map_or(&[], |entry| &entry.providers)
    }

    /// Returns the names of all packages, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let is_real = |id: &u32| !self.names[*id as usize].packages.is_empty();
        self.ids.iter().filter(move |(_, id)| is_real(id)).map(|(name, _)| &**name)
    }

    /// Returns the number of a name: how many had been met before it.
    pub(crate) fn id(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// Returns the number of a package's name.
    pub(crate) fn id_of(&self, place: usize) -> u32 {
        self.name_ids[place]
    }

    /// Returns how many names there are.
    pub(crate) fn id_count(&self) -> usize {
        self.names.len()
    }

    /// Returns the places of all versions of the package whose name has a number.
    pub(crate) fn versions_of(&self, id: u32) -> &[u32] {
        &self.names[id as usize].packages
    }

    /// Returns the packages that provide the name with a number.
    pub(crate) fn providers_of(&self, id: u32) -> &[Provider] {
        &self.names[id as usize].providers
    }

    fn entry(&self, name: &str) -> Option<&NameEntry> {
        self.names.get(*self.ids.get(name)? as usize)
    }
}

fn version_of(relation: &RelationText<'_>) -> Option<Version> {
    relation.constraint.and_then(|(_, version)| version.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::index;

    fn origin(id: &str) -> OriginInfo {
        OriginInfo { id: id.to_owned(), component: "main".to_owned(), ..OriginInfo::default() }
    }

    #[test]
    fn finds_packages_by_name_and_by_what_they_provide() {
        let mut universe = Universe::new();
        universe.add_index(origin("one"), index("a 1\n b 1 Provides: v (= 3), w").as_bytes()).unwrap();
        universe.add_index(origin("two"), index("a 1\n a 2").as_bytes()).unwrap();
        let versions: Vec<_> =
            universe.versions("a").map(|place| universe.packages()[place].to_string()).collect();
        assert_eq!(versions, ["a 1", "a 2"]);
        let both: Vec<_> = universe.packages()[0].origins().collect();
        assert_eq!(both, [0, 1], "the same file is known once");
        assert_eq!(universe.providers("v")[0].version.as_ref().unwrap().as_str(), "3");
        assert!(universe.providers("w")[0].version.is_none());
        assert_eq!(universe.versions("w").count() + universe.providers("x").len(), 0);
        let mut names: Vec<_> = universe.names().collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn names_the_package_that_is_malformed() {
        let text = index("a 1\n b 1 Depends: x y");
        let error = Universe::new().add_index(origin("one"), text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "`b` in the index of `one/main` (paragraph 2) is malformed");
        let error = Universe::new().add_index(origin("one"), &b"rubbish\n"[..]).unwrap_err();
        assert_eq!(error.to_string(), "the index of `one/main` could not be read");
    }

    #[test]
    fn ranks_origins_as_apt_does() {
        let backports = OriginInfo { not_automatic: true, but_automatic_upgrades: true, ..origin("x") };
        let experimental = OriginInfo { not_automatic: true, ..origin("x") };
        let told = OriginInfo { priority: Some(7), ..experimental.clone() };
        let found = [origin("x"), backports, experimental, told].map(|origin| origin.default_priority());
        assert_eq!(found, [500, 100, 1, 7]);
    }
}
