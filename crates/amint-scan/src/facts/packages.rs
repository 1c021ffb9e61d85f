//! Installed packages, as far as rules need them.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use amint_packages::OwnedFile;
use amint_packages::purl::Distribution;
use amint_types::scan::{AnalyzerStatus, OperatingSystem, PackageKind, ScannedPackage};

use crate::system::operating_system;
use crate::system::packages::{Databases, PackageDetails, read_databases};
use crate::system::repositories::{Sources, sources};
use crate::{CheckError, Context};

/// Folders that many systems have below `/usr`, and that lists of packages name without it.
const MERGED: [&str; 6] = ["/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"];

/// The packages of the operating system.
pub(crate) struct Installed {
    databases: Arc<Databases>,
    owners: OnceCell<HashMap<String, usize>>,
}

impl Installed {
    /// Takes databases that were read before.
    pub(crate) fn of(databases: Arc<Databases>) -> Self {
        Self { databases, owners: OnceCell::new() }
    }

    /// Returns every package with what else its database tells of it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ScannedPackage, &PackageDetails)> {
        self.databases.packages.iter().zip(&self.databases.details)
    }

    /// Returns the packages alone.
    pub(crate) fn packages(&self) -> &[ScannedPackage] {
        &self.databases.packages
    }

    /// Finds a package by its name.
    pub(crate) fn find(&self, name: &str) -> Option<&ScannedPackage> {
        self.databases.packages.iter().find(|package| package.name == name)
    }

    /// Tells whether there is no database of packages, or none that has any.
    pub(crate) fn is_empty(&self) -> bool {
        self.databases.packages.is_empty()
    }

    /// Tells whether packages list their files.
    pub(crate) fn has_files(&self) -> bool {
        self.databases.files.iter().any(|files| !files.is_empty())
    }

    /// Returns what of the databases could not be understood.
    pub(crate) fn problems(&self) -> impl Iterator<Item = &str> {
        let runs = self.databases.runs.iter().filter(|run| run.status == AnalyzerStatus::Partial);
        runs.flat_map(|run| run.notes.iter().map(String::as_str))
    }

    /// Returns every file of every package.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&ScannedPackage, &OwnedFile)> {
        let lists = self.databases.packages.iter().zip(&self.databases.files);
        lists.flat_map(|(package, files)| files.iter().map(move |file| (package, file)))
    }

    /// Tells whether a package owns a path.
    pub(crate) fn owns(&self, path: &Path) -> bool {
        self.owner(&path.to_string_lossy()).is_some()
    }

    /// Returns the package that owns a path; `/bin/x` and `/usr/bin/x` are held to be one.
    pub(crate) fn owner(&self, path: &str) -> Option<&ScannedPackage> {
        let owners = self.owners.get_or_init(|| {
            let lists = self.databases.files.iter().enumerate();
            lists.flat_map(|(at, files)| files.iter().map(move |file| (merged(&file.path), at))).collect()
        });
        self.databases.packages.get(*owners.get(&merged(path))?)
    }
}

/// Writes a path as it stands where the folders of the root are links into `/usr`, and `sbin` one to `bin`.
pub(crate) fn merged(path: &str) -> String {
    let path = if MERGED.iter().any(|folder| path.starts_with(folder)) {
        format!("/usr{path}")
    } else {
        path.to_owned()
    };
    match path.strip_prefix("/usr/sbin/") {
        Some(name) => format!("/usr/bin/{name}"),
        None => path,
    }
}

/// Returns the operating system; none where no file tells which it is.
pub(crate) fn system(cx: &Context<'_>) -> Result<Rc<Option<OperatingSystem>>, CheckError> {
    cx.fact(|cx| operating_system(cx, cx.request().today))
}

/// Returns the packages of the operating system.
///
/// # Errors
/// Fails when there is a database and nothing of it could be read: then nothing is known.
pub(crate) fn installed(cx: &Context<'_>) -> Result<Rc<Installed>, CheckError> {
    let installed = cx.fact(|cx| {
        let system = system(cx)?;
        let distribution = Option::as_ref(&system).map(Distribution::from).unwrap_or_default();
        Ok(Installed::of(Arc::new(read_databases(cx.tree(), &distribution, &[]))))
    })?;
    let unread = installed.problems().next().filter(|_| installed.is_empty()).map(str::to_owned);
    unread.map_or(Ok(installed), |what| Err(CheckError::Packages { what }))
}

/// Returns the repositories that the package managers are set up to use.
///
/// # Errors
/// Fails when a file of them could not be read.
pub(crate) fn repositories(cx: &Context<'_>) -> Result<Rc<Sources>, CheckError> {
    let found = cx.fact(|cx| Ok(sources(cx.tree(), Option::as_ref(&*system(cx)?))))?;
    match found.problems.first() {
        Some(what) => Err(CheckError::Packages { what: what.clone() }),
        None => Ok(found),
    }
}

/// Returns major and minor version of the installed OpenSSH server, when the package database tells.
pub(crate) fn openssh_version(cx: &Context<'_>) -> Result<Option<(u32, u32)>, CheckError> {
    let installed = installed(cx)?;
    let Some(package) = installed.find("openssh-server") else { return Ok(None) };
    let upstream = upstream_version(&package.version);
    let digits: Vec<&str> = upstream.splitn(3, |letter: char| !letter.is_ascii_digit()).collect();
    let number = |at: usize| digits.get(at).and_then(|digits| digits.parse().ok());
    Ok(number(0).zip(number(1)))
}

/// Returns a version without its epoch.
pub(crate) fn upstream_version(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
}

/// Tells whether a package is dpkg's.
pub(crate) fn is_debian(package: &ScannedPackage) -> bool {
    package.kind == PackageKind::Deb
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    const STATUS: &str = "Package: openssh-server\nStatus: install ok installed\nVersion: 1:10.0p1-7+deb13u4\n\
                          Section: net\nArchitecture: amd64\n\n\
                          Package: old\nStatus: deinstall ok config-files\nVersion: 1\n";

    #[test]
    fn only_what_is_installed_has_a_version() {
        Fixture::new().file("/var/lib/dpkg/status", STATUS).with(|cx| {
            assert_eq!(openssh_version(cx).unwrap(), Some((10, 0)));
            let installed = installed(cx).unwrap();
            assert!(installed.find("old").is_none());
            let (package, details) = installed.iter().next().unwrap();
            assert!(is_debian(package) && details.section.as_deref() == Some("net"));
        });
    }

    #[test]
    fn a_path_is_owned_wherever_its_folder_was_merged_to() {
        let fixture = Fixture::new()
            .file("/var/lib/dpkg/status", STATUS)
            .file("/var/lib/dpkg/info/openssh-server.list", "/.\n/bin\n/bin/ssh-x\n/usr/sbin/sshd\n");
        fixture.with(|cx| {
            let installed = installed(cx).unwrap();
            let owner = |path: &str| installed.owner(path).map(|package| package.name.clone());
            assert_eq!(owner("/usr/bin/ssh-x").as_deref(), Some("openssh-server"));
            assert_eq!(owner("/bin/ssh-x"), owner("/usr/bin/ssh-x"));
            assert_eq!(owner("/usr/sbin/other"), None);
        });
    }

    #[test]
    fn a_database_that_cannot_be_read_is_an_error_and_none_is_not() {
        Fixture::new().with(|cx| assert!(installed(cx).unwrap().is_empty()));
        Fixture::new().file("/var/lib/rpm/rpmdb.sqlite", "no database").with(|cx| {
            assert!(matches!(installed(cx), Err(CheckError::Packages { .. })));
        });
    }
}
