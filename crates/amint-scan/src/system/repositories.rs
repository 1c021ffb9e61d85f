//! What the package managers of an image are set up to use.

use amint_disk::tree::{FileKind, FileTree, TreeError};
use amint_packages::Problems;
use amint_packages::repositories::{
    MainSettings, RepositoryFile, Variables, read_apk, read_apt, read_dnf, read_main, read_zypper,
};
use amint_types::scan::OperatingSystem;

use crate::error::chain;

/// The largest file of settings that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Settings of dnf and yum for all repositories, most important first.
const MAIN_FILES: [&str; 2] = ["/etc/dnf/dnf.conf", "/etc/yum.conf"];

/// A file that names repositories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: String,
    /// What it names.
    pub content: RepositoryFile,
}

/// The repositories of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The files that name them, in the order in which the package managers read them.
    pub files: Vec<SourceFile>,
    /// What dnf and yum are told for all repositories, and where; none where they have no settings.
    pub main: Option<(String, MainSettings)>,
    /// What could not be read.
    pub problems: Vec<String>,
}

/// Reads the sources of apt, dnf, yum, zypper and apk.
pub fn sources(tree: &dyn FileTree, system: Option<&OperatingSystem>) -> Sources {
    let mut reader = Reader { tree, found: Sources::default() };
    reader.apt();
    reader.rpm(system);
    for path in std::iter::once("/etc/apk/repositories".to_owned())
        .chain(reader.files("/etc/apk/repositories.d", ".list"))
    {
        if let Some(content) = reader.read(&path) {
            reader.add(path, read_apk(&content));
        }
    }
    reader.found
}

struct Reader<'a> {
    tree: &'a dyn FileTree,
    found: Sources,
}

impl Reader<'_> {
    fn add(&mut self, path: String, content: RepositoryFile) {
        self.found.files.push(SourceFile { path, content });
    }

    fn apt(&mut self) {
        let folder = self.files("/etc/apt/sources.list.d", "");
        for path in std::iter::once("/etc/apt/sources.list".to_owned()).chain(folder) {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            let Some(content) = self.read(&path) else { continue };
            if let Some(content) = read_apt(&name, &content) {
                self.add(path, content);
            }
        }
    }

    fn rpm(&mut self, system: Option<&OperatingSystem>) {
        let release = system.and_then(|system| system.version_id.as_deref()).unwrap_or_default();
        let machine = system.and_then(|system| system.architecture.as_deref()).unwrap_or_default();
        let mut variables = Variables::of_system(release, machine);
        for folder in ["/etc/yum/vars", "/etc/dnf/vars"] {
            for path in self.files(folder, "") {
                if let Some(content) = self.read(&path) {
                    variables.insert_file(path.rsplit('/').next().unwrap_or_default(), &content);
                }
            }
        }
        self.found.main = MAIN_FILES.iter().find_map(|path| {
            let content = self.read(path)?;
            Some(((*path).to_owned(), read_main(&content, &mut Problems::default())))
        });
        let main = self.found.main.as_ref().map(|(_, main)| main.clone()).unwrap_or_default();
        for path in self.files("/etc/yum.repos.d", ".repo") {
            if let Some(content) = self.read(&path) {
                self.add(path, read_dnf(&content, &variables, &main));
            }
        }
        for path in self.files("/etc/zypp/repos.d", ".repo") {
            if let Some(content) = self.read(&path) {
                self.add(path, read_zypper(&content, &variables));
            }
        }
    }

    fn read(&mut self, path: &str) -> Option<Vec<u8>> {
        let content = self.tree.read(path.as_ref(), FILE_BYTES_MAX);
        self.told(content)
    }

    /// Lists the files of a folder whose names have an ending, and more than that.
    fn files(&mut self, folder: &str, ending: &str) -> Vec<String> {
        let entries = self.tree.read_dir(folder.as_ref());
        let names = self
            .told(entries)
            .unwrap_or_default()
            .into_iter()
            .filter(|entry| entry.kind != FileKind::Directory);
        let names = names.filter_map(|entry| entry.name.into_string().ok());
        let is_wanted = |name: &String| name.strip_suffix(ending).is_some_and(|stem| !stem.is_empty());
        names.filter(is_wanted).map(|name| format!("{folder}/{name}")).collect()
    }

    fn told<T>(&mut self, result: Result<T, TreeError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            // A link that leads nowhere, and a folder where a file is asked for, are no sources.
            Err(error) if error.is_missing() || matches!(error, TreeError::NotAFile { .. }) => None,
            Err(error) => {
                self.found.problems.push(chain(&error));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn reads_the_files_of_every_package_manager_and_no_others() {
        let fixture = Fixture::new()
            .file("/etc/apt/sources.list", "deb http://a.example/debian trixie main\n")
            .file("/etc/apt/sources.list.d/b.sources", "Types: deb\nURIs: http://b.example\nSuites: /\n")
            .file("/etc/apt/sources.list.d/b.sources.save", "Types: deb\n")
            .file("/etc/yum.conf", "[main]\ngpgcheck=0\n")
            .file("/etc/dnf/vars/place", "here\n")
            .file("/etc/yum.repos.d/c.repo", "[c]\nbaseurl=http://c.example/$place\n")
            .file("/etc/yum.repos.d/c.repo.rpmsave", "[old]\n")
            .file("/etc/zypp/repos.d/d.repo", "[d]\nbaseurl=http://d.example\n")
            .file("/etc/apk/repositories", "http://e.example/v3.20/main\n");
        let found = sources(&fixture.tree(), None);
        let uris: Vec<&str> = found
            .files
            .iter()
            .flat_map(|file| &file.content.repositories)
            .flat_map(|repository| repository.uris.iter().map(String::as_str))
            .collect();
        assert_eq!(
            uris,
            [
                "http://a.example/debian",
                "http://b.example",
                "http://c.example/here",
                "http://d.example",
                "http://e.example/v3.20/main"
            ]
        );
        assert_eq!(found.main.unwrap().1.checks_packages, Some(false));
        assert!(found.problems.is_empty());
    }
}
