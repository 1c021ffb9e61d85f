//! The drop-ins of a unit, in the order in which they count.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::names::{is_instance, kind, shortened, template};
use super::search::{FOLDERS, all_names};
use crate::{CheckError, Context};

/// How many dashes of a name are looked at.
const PREFIXES_MAX: usize = 32;

/// Lists the drop-ins of a unit.
pub(super) fn drop_ins(cx: &Context<'_>, name: &str) -> Result<Vec<PathBuf>, CheckError> {
    // A drop-in hides those of the same name in less important folders; the rest count in the order of their names.
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut add = |folder: PathBuf| -> Result<(), CheckError> {
        for entry in cx.list(&folder)? {
            let file_name = entry.name.to_string_lossy().into_owned();
            if kind(&file_name) == "conf" && !file_name.starts_with('.') {
                found.entry(file_name).or_insert_with(|| folder.join(&entry.name));
            }
        }
        Ok(())
    };
    for unit in all_names(cx, name)? {
        for folder in FOLDERS {
            let mut names = Vec::new();
            collect(&unit, &mut names, 0);
            for name in names {
                add(Path::new(folder).join(format!("{name}.d")))?;
            }
        }
    }
    for folder in FOLDERS {
        add(Path::new(folder).join(format!("{}.d", kind(name))))?;
    }
    Ok(found.into_values().collect())
}

/// The names whose folders count for a unit: its own, its template's, and those of its prefixes.
fn collect(name: &str, names: &mut Vec<String>, depth: usize) {
    if depth > PREFIXES_MAX || names.iter().any(|known| known == name) {
        return;
    }
    names.push(name.to_owned());
    if is_instance(name) {
        collect(&template(name), names, depth + 1);
    }
    if let Some(shorter) = shortened(name) {
        collect(&shorter, names, depth + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn folders_of_the_instance_the_template_the_prefix_and_the_kind_count_in_this_order() {
        let folder = "/etc/systemd/system";
        let fixture = Fixture::new()
            .file("/usr/lib/systemd/system/a-b@.service", "[Unit]\n")
            .file(&format!("{folder}/service.d/1.conf"), "")
            .file(&format!("{folder}/service.d/9.conf"), "")
            .file(&format!("{folder}/a-.service.d/2.conf"), "")
            .file(&format!("{folder}/a-@.service.d/3.conf"), "")
            .file(&format!("{folder}/a-b@.service.d/1.conf"), "")
            .file(&format!("{folder}/a-b@x.service.d/3.conf"), "")
            .file("/usr/lib/systemd/system/a-b@x.service.d/0.conf", "");
        let found = fixture.with(|cx| drop_ins(cx, "a-b@x.service").unwrap());
        assert_eq!(
            found,
            [
                Path::new("/usr/lib/systemd/system/a-b@x.service.d/0.conf"),
                &Path::new(folder).join("a-b@.service.d/1.conf"),
                &Path::new(folder).join("a-.service.d/2.conf"),
                &Path::new(folder).join("a-b@x.service.d/3.conf"),
                &Path::new(folder).join("service.d/9.conf"),
            ]
        );
    }
}
