//! The secrets of an image, as whoever read its content found them.

use std::collections::HashMap;

use amint_secrets::SecretFinding;
use amint_types::Severity;

/// Where a secret lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// In a file.
    File,
    /// In a file that a package brought, and that nobody changed: its name.
    Packaged(String),
    /// In a file that a package of a programming language lists, and that nobody changed: its name.
    Listed(String),
    /// In no file: free blocks, journals, swap space, gaps between partitions.
    FreeSpace,
}

/// One secret. It never holds the value itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundSecret {
    /// The path of the file; in free space `/@` and the part of the disk.
    pub path: String,
    /// Where it lies.
    pub origin: Origin,
    /// What was found.
    pub secret: SecretFinding,
}

impl FoundSecret {
    /// Makes one of a file.
    pub fn in_file(path: &str, secret: SecretFinding) -> Self {
        Self { path: path.to_owned(), origin: Origin::File, secret }
    }

    /// Makes one of free space; `part` names it.
    pub fn in_free_space(part: &str, secret: SecretFinding) -> Self {
        Self { path: format!("/@{part}"), origin: Origin::FreeSpace, secret }
    }

    /// Lowers it, because a package brought its file and nobody changed that.
    #[must_use]
    pub fn packaged(self, package: &str) -> Self {
        let secret = self.secret.lowered_as_packaged(package);
        Self { origin: Origin::Packaged(package.to_owned()), secret, ..self }
    }

    /// Lowers it, because a package from an index of a programming language lists its file and nobody changed that.
    ///
    /// Less than [`packaged`](Self::packaged) does: an index may be a company's own.
    #[must_use]
    pub fn listed(self, package: &str) -> Self {
        let secret = self.secret.lowered_as_listed(package);
        Self { origin: Origin::Listed(package.to_owned()), secret, ..self }
    }

    /// Returns the path with the steps inside containers: `/opt/a.jar!/conf/x.properties`.
    pub fn place(&self) -> String {
        format!("{}{}", self.path, self.secret.inside.as_deref().unwrap_or_default())
    }

    /// Tells whether it opens something: not what a manual prints or everybody has.
    pub fn is_grave(&self) -> bool {
        self.secret.severity >= Severity::Medium
    }
}

/// Something that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unlooked {
    /// The file, and the path inside it.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// All secrets of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundSecrets {
    /// What was found, sorted.
    pub secrets: Vec<FoundSecret>,
    /// What of files was not looked at, as far as nobody else tells of it, sorted.
    pub unlooked: Vec<Unlooked>,
    /// Whether files were looked at: not where the user had that left out.
    pub has_files: bool,
    /// Whether free space was looked at: a file tree has none.
    pub has_free_space: bool,
}

impl FoundSecrets {
    /// Returns what breaks a rule, in the order of places.
    pub(crate) fn of<'found>(&'found self, rule: &'found str) -> impl Iterator<Item = &'found FoundSecret> {
        self.secrets.iter().filter(move |found| found.secret.rule == rule)
    }

    /// Tells whether a file, or what lies below a folder, holds something that opens something.
    pub(crate) fn is_grave_at(&self, path: &str) -> bool {
        let below = format!("{path}/");
        let is_there = |start: &str| {
            let first = self.secrets.partition_point(|found| found.path.as_str() < start);
            let fits = |found: &&FoundSecret| found.path == path || found.path.starts_with(&below);
            self.secrets[first..].iter().take_while(fits).any(FoundSecret::is_grave)
        };
        is_there(path) || is_there(&below)
    }

    /// Brings everything into its order, and lowers what is known to everybody because of what else was found.
    pub fn finish(&mut self) {
        self.lower_compiled();
        self.secrets.sort();
        self.unlooked.sort();
    }

    /// Lowers the secrets of compiled Python that its source has too, where a package brought the source and nobody
    /// changed that: packages compile when they are installed, so no package has the compiled file.
    fn lower_compiled(&mut self) {
        // What people choose has no fingerprint; there the form and the length must do.
        let value =
            |secret: &SecretFinding| secret.fingerprint.clone().unwrap_or_else(|| secret.excerpt.clone());
        let sources: HashMap<(String, &'static str, String), Origin> = self
            .secrets
            .iter()
            .filter(|found| {
                matches!(found.origin, Origin::Packaged(_) | Origin::Listed(_))
                    && found.path.as_bytes().ends_with(b".py")
            })
            .map(|found| {
                ((found.path.clone(), found.secret.kind, value(&found.secret)), found.origin.clone())
            })
            .collect();
        for found in self.secrets.iter_mut().filter(|found| found.origin == Origin::File) {
            let origin = compiled_source(&found.path)
                .and_then(|source| sources.get(&(source, found.secret.kind, value(&found.secret))));
            match origin {
                Some(Origin::Packaged(package)) => *found = found.clone().packaged(package),
                Some(Origin::Listed(package)) => *found = found.clone().listed(package),
                _ => {}
            }
        }
    }
}

/// Returns the path of the source of compiled Python (PEP 3147): `x/__pycache__/y.cpython-311.pyc` is made of `x/y.py`.
fn compiled_source(path: &str) -> Option<String> {
    let (folder, file) = path.split_once("/__pycache__/")?;
    let (name, _) = file.strip_suffix(".pyc")?.split_once(".cpython-")?;
    (!name.contains('/')).then(|| format!("{folder}/{name}.py"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(value: &str) -> SecretFinding {
        SecretFinding {
            offset: 0,
            inside: None,
            rule: "SEC-004",
            kind: "hash-sha512",
            title: "Password hash",
            severity: Severity::High,
            line: None,
            excerpt: "$6$***".to_owned(),
            note: None,
            fingerprint: Some(value.to_owned()),
        }
    }

    #[test]
    fn what_compiled_python_has_of_its_packaged_source_is_known_to_everybody() {
        let (source, compiled) = ("/usr/lib/python3/x.py", "/usr/lib/python3/__pycache__/x.cpython-311.pyc");
        let mut found = FoundSecrets {
            secrets: vec![
                FoundSecret::in_file(compiled, hash("same")),
                FoundSecret::in_file(compiled, hash("other")),
                FoundSecret::in_file("/srv/__pycache__/x.cpython-311.pyc", hash("same")),
                FoundSecret::in_file(source, hash("same")).packaged("python3-x"),
            ],
            ..FoundSecrets::default()
        };
        found.finish();
        let grave: Vec<_> = found
            .secrets
            .iter()
            .filter(|found| found.is_grave())
            .map(|found| (found.path.as_str(), found.secret.fingerprint.as_deref()))
            .collect();
        assert_eq!(grave, [("/srv/__pycache__/x.cpython-311.pyc", Some("same")), (compiled, Some("other"))]);
    }
}
