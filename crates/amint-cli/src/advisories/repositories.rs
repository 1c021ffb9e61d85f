//! What the package managers of an image are set up to use.

use amint_fs::Kind;
use amint_inspect::Inspection;
use amint_inspect::index::Index;
use amint_packages::Problems;
use amint_packages::repositories::{
    MainSettings, Repository, Variables, read_apt, read_dnf, read_main, read_zypper,
};

/// Largest file of settings.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads the sources of apt, dnf, yum and zypper. What cannot be read is left out: then the regular suites are meant.
pub(crate) fn repositories_of(inspection: &Inspection) -> Vec<Repository> {
    let index = &inspection.index;
    let mut repositories = Vec::new();
    let apt = read(index, "/etc/apt/sources.list").into_iter();
    for (name, content) in apt.chain(read_folder(index, "/etc/apt/sources.list.d")) {
        repositories.extend(read_apt(&name, &content).into_iter().flat_map(|file| file.repositories));
    }
    let variables = variables(inspection);
    let main = ["/etc/dnf/dnf.conf", "/etc/yum.conf"].iter().find_map(|path| read(index, path));
    let main =
        main.map_or_else(MainSettings::default, |(_, content)| read_main(&content, &mut Problems::default()));
    for (_, content) in read_folder(index, "/etc/yum.repos.d").filter(|(name, _)| is_repo(name)) {
        repositories.extend(read_dnf(&content, &variables, &main).repositories);
    }
    for (_, content) in read_folder(index, "/etc/zypp/repos.d").filter(|(name, _)| is_repo(name)) {
        repositories.extend(read_zypper(&content, &variables).repositories);
    }
    repositories
}

fn is_repo(name: &str) -> bool {
    name.strip_suffix(".repo").is_some_and(|stem| !stem.is_empty())
}

fn variables(inspection: &Inspection) -> Variables {
    let system = inspection.document.system.as_ref();
    let release = system.and_then(|system| system.version_id.as_deref()).unwrap_or_default();
    let machine = system.and_then(|system| system.architecture.as_deref()).unwrap_or_default();
    let mut variables = Variables::of_system(release, machine);
    for folder in ["/etc/yum/vars", "/etc/dnf/vars"] {
        for (name, content) in read_folder(&inspection.index, folder) {
            variables.insert_file(&name, &content);
        }
    }
    variables
}

fn read(index: &Index, path: &str) -> Option<(String, Vec<u8>)> {
    let content = index.read(index.find(path.as_bytes())?, FILE_BYTES_MAX).ok()?;
    Some((path.rsplit('/').next().unwrap_or_default().to_owned(), content))
}

/// Reads the files of a folder, in the order of their names.
fn read_folder<'a>(index: &'a Index, path: &'a str) -> impl Iterator<Item = (String, Vec<u8>)> + 'a {
    let folder = index.find(path.as_bytes()).filter(|id| index.entry(*id).kind == Kind::Folder);
    let children = folder.into_iter().flat_map(|folder| index.children(folder));
    children.filter_map(move |(_, entry)| {
        let name = String::from_utf8(entry.name().to_vec()).ok()?;
        // Links are followed, as the package managers do.
        read(index, &format!("{path}/{name}"))
    })
}
